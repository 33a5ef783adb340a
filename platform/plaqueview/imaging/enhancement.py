"""Which lesions took up contrast agent: the T1 after it against the T1 before it, lesion by lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
from plaqueview.imaging.volume import Volume

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


def find_uptakes(
    lesions: Volume, pair: T1Pair, brain: NDArray[np.bool_], *, rule: EnhancementRule = EnhancementRule()
) -> tuple[Uptake, ...]:
    """The enhancing places of the lesions, by lesion number and falling volume.

    The voxels of `lesions` are lesion numbers, 0 where there is none (`LesionTable.lesion_numbers`); `brain` lies on
    their grid. Where one of the T1s has no voxels nothing is found.

    Raises: IntensityError when the brain has another shape, less than a thousand voxels that both T1s have, or one
    intensity in more than half of them.
    """
    if brain.shape != lesions.shape:
        raise IntensityError(f"brain mask has shape {brain.shape}, the lesions {lesions.shape}")
    before, is_before = on_grid(pair.before, lesions, pair.to_before)
    after, is_after = on_grid(pair.after, lesions, pair.to_after)
    inside = brain & is_before & is_after
    if int(inside.sum()) < FEWEST_VOXELS:
        raise IntensityError(f"{int(inside.sum())} voxels of brain are in both T1s, need {FEWEST_VOXELS}")
    box = box_of(inside)
    deviations = _deviations(before[box], after[box], inside[box], lesions.spacing_mm, rule)
    offset = np.array([side.start for side in box])
    found = _uptakes(deviations, lesions.voxels[box].astype(np.intp), lesions, rule)
    placed = [_moved(one, offset) for one in found]
    return tuple(sorted(placed, key=lambda one: (one.lesion, -one.volume_mm3, one.anchor)))


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


def _uptakes(deviations: Floats, numbers: NDArray[np.intp], grid: Volume, rule: EnhancementRule) -> list[Uptake]:
    """Each component that enhances, as the uptake of the lesion that holds most of it."""
    near = _with_rims(numbers, grid.spacing_mm, rule.rim_mm)
    components, _ = ndimage.label(deviations >= rule.spread_deviations, np.ones((3, 3, 3)))
    found = []
    for number, place in enumerate(ndimage.find_objects(components), start=1):
        inside = components[place] == number
        touched = near[place][inside]
        lesion, count = _most_of(touched)
        peak = float(deviations[place][inside].max())
        volume_mm3, share = count * grid.voxel_volume_ml * 1000.0, count / touched.size
        if (
            lesion
            and peak >= rule.seed_deviations
            and volume_mm3 >= rule.minimum_volume_mm3 * (1.0 - 1e-9)
            and share >= rule.least_share
        ):
            own = np.argwhere(inside & (near[place] == lesion)) + [side.start for side in place]
            found.append(Uptake(lesion, volume_mm3, share, peak, grid.nearest_to_middle(own)))
    return found


def _with_rims(numbers: NDArray[np.intp], spacing_mm: tuple[float, float, float], rim_mm: float) -> NDArray[np.intp]:
    """The lesions with the voxels around them up to this distance, each as the nearest lesion's."""
    if not numbers.any():
        return numbers
    distances_mm, nearest = ndimage.distance_transform_edt(numbers == 0, sampling=spacing_mm, return_indices=True)
    return np.where(distances_mm <= rim_mm, numbers[tuple(nearest)], 0)


def _most_of(touched: NDArray[np.intp]) -> tuple[int, int]:
    """The lesion that most of the voxels belong to, and how many do; 0 and 0 where none does."""
    counts = np.bincount(touched)
    counts[0] = 0
    lesion = int(counts.argmax())
    return lesion, int(counts[lesion])


def _moved(one: Uptake, offset: NDArray[np.intp]) -> Uptake:
    slice_index, row, column = (np.array(one.anchor) + offset).tolist()
    return Uptake(one.lesion, one.volume_mm3, one.share_in_lesion, one.peak_deviations, (slice_index, row, column))
