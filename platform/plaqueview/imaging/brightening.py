"""What became brighter between two registered FLAIRs: new and enlarging lesions, also where no mask has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.volume import Volume

# A normal distribution's standard deviation for one median absolute deviation.
DEVIATION_OF_MAD = 1.4826

# Fewer say nothing of a spread.
FEWEST_VOXELS = 1000

Floats = NDArray[np.float64]


class BrighteningError(ValueError):
    """The two volumes cannot be compared."""


@dataclass(frozen=True)
class BrighteningRule:
    """When a place counts as brighter than at the prior; printed beside every finding.

    A deviation is that of the difference over the brain, apart for the cortex (`cortex_mm` below the brain's surface)
    and what lies deeper, and grows at the prior's edges: a head that lies `misplacement_mm` off makes bright rims there
    that are no change. `field_mm` parts tissue, which is narrower, from the coil's sensitivity, which is wider. The
    smallest spot is the smallest lesion (`CountingRule`). The other numbers were chosen on one patient
    (docs/decisions/0023-brightening.md).
    """

    smoothing_mm: float = 0.8
    field_mm: float = 15.0
    misplacement_mm: float = 0.3
    cortex_mm: float = 7.0
    spread_deviations: float = 3.5
    seed_deviations: float = 5.0
    cortex_seed_deviations: float = 8.0
    brightness_deviations: float = 1.0
    minimum_volume_mm3: float = 14.1

    @property
    def sentence(self) -> str:
        return (
            "brighter than at the prior after rigid registration and matching of intensities: everywhere by "
            f"{self.spread_deviations:g} and once by {self.seed_deviations:g} robust standard deviations of the "
            f"difference ({self.cortex_seed_deviations:g} within {self.cortex_mm:g} mm of the brain's surface), which "
            f"allow for {self.misplacement_mm:g} mm of misplacement at edges; brighter than deep brain by "
            f"{self.brightness_deviations:g}; 26-connected, at least {self.minimum_volume_mm3:g} mm³"
        )


def find_brightened(
    current: Volume,
    prior: Volume,
    current_to_prior: Floats,
    brain: NDArray[np.bool_],
    *,
    rule: BrighteningRule = BrighteningRule(),
) -> NDArray[np.bool_]:
    """(slices, rows, columns) bool on the current grid: voxels of spots that the rule calls brighter.

    `current_to_prior` is 4x4 and takes LPS mm of the current visit to LPS mm of the prior; `brain` is on the current
    grid. Where the prior has no voxels nothing is found. Exchanging the visits finds what became darker.

    Raises: BrighteningError when the brain has another shape, less than a thousand voxels that both volumes have, or
    one intensity in more than half of them.
    """
    if brain.shape != current.shape:
        raise BrighteningError(f"brain mask has shape {brain.shape}, the volume {current.shape}")
    moved, is_covered = _on_grid(prior, current, current_to_prior)
    inside = brain & is_covered
    if int(inside.sum()) < FEWEST_VOXELS:
        raise BrighteningError(f"{int(inside.sum())} voxels of brain are in both volumes, need {FEWEST_VOXELS}")
    box = _box_of(inside)
    found = np.zeros(current.shape, np.bool_)
    here = _smoothed(current.voxels[box].astype(np.float64), current.spacing_mm, rule.smoothing_mm)
    there = _smoothed(moved[box], current.spacing_mm, rule.smoothing_mm)
    found[box] = _spots(here, there, inside[box], current, rule)
    return found


def _on_grid(prior: Volume, current: Volume, matrix: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The prior's voxels at the current grid, linearly, and where it has any."""
    step = np.linalg.inv(prior.affine) @ matrix @ current.affine
    moved = ndimage.affine_transform(
        prior.voxels.astype(np.float64), step[:3, :3], step[:3, 3], current.shape, order=1, mode="nearest"
    )
    ones = np.ones(prior.shape, np.float32)
    covered = ndimage.affine_transform(ones, step[:3, :3], step[:3, 3], current.shape, order=1, cval=0.0)
    return moved, covered > 0.5


def _box_of(inside: NDArray[np.bool_]) -> tuple[slice, ...]:
    (box,) = ndimage.find_objects(inside.astype(np.uint8))
    return tuple(slice(max(0, side.start - 3), side.stop + 3) for side in box)


def _smoothed(voxels: Floats, spacing_mm: tuple[float, float, float], width_mm: float) -> Floats:
    smoothed: Floats = ndimage.gaussian_filter(voxels, [width_mm / spacing for spacing in spacing_mm])
    return smoothed


def _spots(
    here: Floats, there: Floats, inside: NDArray[np.bool_], grid: Volume, rule: BrighteningRule
) -> NDArray[np.bool_]:
    matched = _matched(there, here, inside, grid.spacing_mm, rule)
    deep = inside & (ndimage.distance_transform_edt(inside, sampling=grid.spacing_mm) >= rule.cortex_mm)
    zones = [zone for zone in (deep, inside & ~deep) if zone.any()]
    deviations = _deviations(here - matched, _edges_per_mm(matched, grid.spacing_mm) * rule.misplacement_mm, zones)
    middle, spread = _middle_and_deviation(here[zones[0]])
    is_bright = inside & (here >= middle + rule.brightness_deviations * spread)
    over_seed = deviations - np.where(deep, rule.seed_deviations, rule.cortex_seed_deviations)
    return _seeded(is_bright & (deviations >= rule.spread_deviations), over_seed >= 0.0, grid, rule)


def _deviations(difference: Floats, misplaced: Floats, zones: list[NDArray[np.bool_]]) -> Floats:
    """The difference in deviations of its own zone; 0 outside all of them."""
    deviations = np.zeros_like(difference)
    for zone in zones:
        middle, spread = _middle_and_deviation(difference[zone])
        deviations[zone] = (difference[zone] - middle) / np.hypot(spread, misplaced[zone])
    return deviations


def _edges_per_mm(voxels: Floats, spacing_mm: tuple[float, float, float]) -> Floats:
    """How steep the intensities are, by mm."""
    slopes = [slope**2 for slope in np.gradient(voxels, *spacing_mm)]
    steepness: Floats = np.sqrt(np.sum(slopes, axis=0))
    return steepness


def _matched(
    there: Floats,
    here: Floats,
    inside: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    rule: BrighteningRule,
) -> Floats:
    """The prior's intensities on the current scale: median and spread of the brain, then the slow field of the coil."""
    (middle_there, spread_there), (middle, spread) = (_middle_and_deviation(one[inside]) for one in (there, here))
    scaled = (there - middle_there) * (spread / spread_there) + middle
    weight = _smoothed(inside.astype(np.float64), spacing_mm, rule.field_mm)
    limited = np.clip(here - scaled, -3.0 * spread, 3.0 * spread) * inside  # a large lesion is no field
    field: Floats = _smoothed(limited, spacing_mm, rule.field_mm) / np.maximum(weight, 1e-6)
    return scaled + field


def _middle_and_deviation(values: Floats) -> tuple[float, float]:
    middle = float(np.median(values))
    deviation = DEVIATION_OF_MAD * float(np.median(np.abs(values - middle)))
    if deviation <= 0.0:
        raise BrighteningError("more than half of the brain has one and the same intensity or difference")
    return middle, deviation


def _seeded(
    spread: NDArray[np.bool_], seeds: NDArray[np.bool_], grid: Volume, rule: BrighteningRule
) -> NDArray[np.bool_]:
    """The components with a seed in them that are large enough."""
    numbers, count = ndimage.label(spread, np.ones((3, 3, 3)))
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    is_kept = sizes * grid.voxel_volume_ml * 1000.0 >= rule.minimum_volume_mm3 * (1.0 - 1e-9)
    is_kept &= np.bincount(numbers[seeds], minlength=count + 1) > 0
    is_kept[0] = False
    kept: NDArray[np.bool_] = is_kept[numbers]
    return kept
