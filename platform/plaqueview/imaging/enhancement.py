"""Which lesions took up contrast agent: the T1 after it against the T1 before it, lesion by lesion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.brightened_spots import Spot, spot_at
from plaqueview.imaging.matched_intensities import (
    Floats,
    IntensityError,
    box_of,
    edges_per_mm,
    in_deviations,
    matched_to,
    on_grid,
    smoothed,
)
from plaqueview.imaging.volume import SPACING_TOLERANCE, Volume, steps_within

# Of what finds the places; it is kept beside them, and counts up when other places would be found by the same rule.
ALGORITHM = 2

# Fewer say nothing of a spread.
FEWEST_VOXELS = 1000

# What an uptake says of the class, and what it does not.
SUGGESTION = (
    "Enhancing after contrast agent is evidence for the class active. It is a suggestion: no class changes, and none "
    "counts as confirmed, until a reader says so."
)


@dataclass(frozen=True)
class EnhancementRule:
    """When a lesion counts as enhancing; printed beside every finding.

    Deviations are those of the difference over the brain, and grow at the edges of the T1 before (`misplacement_mm`).
    A vessel runs on outside the lesion, and choroid plexus lies beside it: what enhances belongs to a lesion only with
    `least_share` of its volume within `rim_mm` of it. The smallest uptake is the smallest lesion (`CountingRule`). The
    numbers were chosen on three patients (docs/decisions/0029-enhancement.md).
    """

    smoothing_mm: float = 0.5
    field_mm: float = 15.0
    misplacement_mm: float = 0.3
    spread_deviations: float = 4.0
    seed_deviations: float = 6.0
    rim_mm: float = 1.0
    least_share: float = 0.75
    minimum_volume_mm3: float = 14.1

    @property
    def sentence(self) -> str:
        return (
            "brighter on the T1 after contrast agent than on the T1 before, registered and matched in intensity: "
            f"everywhere by {self.spread_deviations:g} and once by {self.seed_deviations:g} robust standard deviations "
            f"of the difference over the brain, which allow for {self.misplacement_mm:g} mm of misplacement at edges; "
            f"26-connected, at least {self.minimum_volume_mm3:g} mm³ within {self.rim_mm:g} mm of the lesion, and at "
            f"least {self.least_share:.0%} of what enhances there, so that vessels and choroid plexus do not count"
        )


@dataclass(frozen=True)
class Uptake:
    """One enhancing place of a lesion; `anchor` is (slice, row, column), `peak_deviations` of its brightest voxel."""

    lesion: int
    volume_mm3: float
    share_in_lesion: float
    peak_deviations: float
    anchor: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class T1Pair:
    """Before and after contrast agent; matrices are 4x4 and take LPS mm of the lesions' grid to LPS mm of each."""

    before: Volume
    after: Volume
    to_before: Floats
    to_after: Floats


@dataclass(frozen=True)
class EnhancingPlace:
    """One 26-connected place that enhances, in a lesion or not; `peak_deviations` is of its brightest voxel."""

    spot: Spot
    peak_deviations: float


def find_uptakes(
    lesions: Volume, pair: T1Pair, brain: NDArray[np.bool_], *, rule: EnhancementRule = EnhancementRule()
) -> tuple[Uptake, ...]:
    """The enhancing places of the lesions, as `uptakes_of` tells them.

    Raises: IntensityError as `find_enhancing_places`.
    """
    return uptakes_of(find_enhancing_places(lesions, pair, brain, rule=rule), lesions, rule=rule)


def find_enhancing_places(
    grid: Volume, pair: T1Pair, brain: NDArray[np.bool_], *, rule: EnhancementRule = EnhancementRule()
) -> tuple[EnhancingPlace, ...]:
    """Every place of the brain that enhances and is large enough for a lesion's uptake, vessels and all.

    `brain` lies on the grid, whose voxels are not read. Where one of the T1s has no voxels nothing is found.

    Raises: IntensityError when the brain has another shape, less than a thousand voxels that both T1s have, or one
    intensity in more than half of them.
    """
    if brain.shape != grid.shape:
        raise IntensityError(f"brain mask has shape {brain.shape}, the lesions {grid.shape}")
    before, is_before = on_grid(pair.before, grid, pair.to_before)
    after, is_after = on_grid(pair.after, grid, pair.to_after)
    inside = brain & is_before & is_after
    if int(inside.sum()) < FEWEST_VOXELS:
        raise IntensityError(f"{int(inside.sum())} voxels of brain are in both T1s, need {FEWEST_VOXELS}")
    box = box_of(inside)
    deviations = np.zeros(grid.shape)
    deviations[box] = _deviations(before[box], after[box], inside[box], grid.spacing_mm, rule)
    return tuple(_places(deviations, grid, rule))


def uptakes_of(
    places: Sequence[EnhancingPlace], lesions: Volume, *, rule: EnhancementRule = EnhancementRule()
) -> tuple[Uptake, ...]:
    """The places that are uptakes of lesions, by lesion number and falling volume.

    The voxels of `lesions` are lesion numbers, 0 where there is none (`LesionTable.lesion_numbers`), on the grid of
    the places.
    """
    found = [_uptake(one, lesions, rule) for one in places]
    return tuple(sorted(filter(None, found), key=lambda one: (one.lesion, -one.volume_mm3, one.anchor)))


def _deviations(
    before: Floats,
    after: Floats,
    inside: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    rule: EnhancementRule,
) -> Floats:
    here, there = smoothed(after, spacing_mm, rule.smoothing_mm), smoothed(before, spacing_mm, rule.smoothing_mm)
    matched = matched_to(there, here, inside, spacing_mm, field_mm=rule.field_mm)
    return in_deviations(here - matched, edges_per_mm(matched, spacing_mm) * rule.misplacement_mm, [inside])


def _places(deviations: Floats, grid: Volume, rule: EnhancementRule) -> Iterator[EnhancingPlace]:
    components, _ = ndimage.label(deviations >= rule.spread_deviations, np.ones((3, 3, 3)))
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        inside = components[box] == number
        peak = float(deviations[box][inside].max())
        if peak >= rule.seed_deviations and _is_large_enough(int(inside.sum()), grid, rule):
            yield EnhancingPlace(spot_at(box, inside, grid), peak)


def _is_large_enough(voxel_count: int, grid: Volume, rule: EnhancementRule) -> bool:
    return voxel_count * grid.voxel_volume_ml * 1000.0 >= rule.minimum_volume_mm3 * (1.0 - 1e-9)


def _uptake(place: EnhancingPlace, lesions: Volume, rule: EnhancementRule) -> Uptake | None:
    """The place as the uptake of the lesion that holds most of it; None where no lesion holds enough."""
    indices = np.stack(np.unravel_index(place.spot.voxels, lesions.shape), axis=1)
    touched = _nearest_lesions(indices, lesions, rule.rim_mm)
    lesion, count = _most_of(touched)
    share = count / touched.size
    if not lesion or share < rule.least_share or not _is_large_enough(count, lesions, rule):
        return None
    anchor = lesions.nearest_to_middle(indices[touched == lesion])
    return Uptake(lesion, count * lesions.voxel_volume_ml * 1000.0, share, place.peak_deviations, anchor)


def _nearest_lesions(indices: NDArray[np.intp], lesions: Volume, rim_mm: float) -> NDArray[np.intp]:
    """For each voxel the lesion that is nearest to it, up to this distance; 0 where there is none."""
    found = np.zeros(len(indices), np.intp)
    for offset in _offsets_from_far_to_near(rim_mm, lesions.spacing_mm):
        at = indices + offset
        is_inside = ((at >= 0) & (at < lesions.shape)).all(axis=1)
        numbers = lesions.voxels[tuple(at[is_inside].T)].astype(np.intp)
        found[is_inside] = np.where(numbers > 0, numbers, found[is_inside])
    return found


def _offsets_from_far_to_near(rim_mm: float, spacing_mm: tuple[float, float, float]) -> NDArray[np.intp]:
    reaches = [steps_within(rim_mm, step_mm) for step_mm in spacing_mm]
    steps = [np.arange(-reach, reach + 1) for reach in reaches]
    offsets = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    distances_mm = np.linalg.norm(offsets * np.array(spacing_mm), axis=1)
    farthest_first = np.argsort(-distances_mm, kind="stable")
    is_within = distances_mm[farthest_first] <= rim_mm * (1.0 + SPACING_TOLERANCE)
    within: NDArray[np.intp] = offsets[farthest_first[is_within]]
    return within


def _most_of(touched: NDArray[np.intp]) -> tuple[int, int]:
    """The lesion that most of the voxels belong to, and how many do; 0 and 0 where none does."""
    counts = np.bincount(touched)
    counts[0] = 0
    lesion = int(counts.argmax())
    return lesion, int(counts[lesion])
