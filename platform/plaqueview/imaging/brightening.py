"""What became brighter between two registered FLAIRs: new and enlarging lesions, also where no mask has them."""

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
    middle_and_deviation,
    on_grid,
    smoothed,
)
from plaqueview.imaging.volume import Volume

# Fewer say nothing of a spread.
FEWEST_VOXELS = 1000


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

    Raises: IntensityError when the brain has another shape, less than a thousand voxels that both volumes have, or
    one intensity in more than half of them.
    """
    if brain.shape != current.shape:
        raise IntensityError(f"brain mask has shape {brain.shape}, the volume {current.shape}")
    moved, is_covered = on_grid(prior, current, current_to_prior)
    inside = brain & is_covered
    if int(inside.sum()) < FEWEST_VOXELS:
        raise IntensityError(f"{int(inside.sum())} voxels of brain are in both volumes, need {FEWEST_VOXELS}")
    box = box_of(inside)
    found = np.zeros(current.shape, np.bool_)
    here = smoothed(current.voxels[box].astype(np.float64), current.spacing_mm, rule.smoothing_mm)
    there = smoothed(moved[box], current.spacing_mm, rule.smoothing_mm)
    found[box] = _spots(here, there, inside[box], current, rule)
    return found


def _spots(
    here: Floats, there: Floats, inside: NDArray[np.bool_], grid: Volume, rule: BrighteningRule
) -> NDArray[np.bool_]:
    matched = matched_to(there, here, inside, grid.spacing_mm, field_mm=rule.field_mm)
    deep = inside & (ndimage.distance_transform_edt(inside, sampling=grid.spacing_mm) >= rule.cortex_mm)
    zones = [zone for zone in (deep, inside & ~deep) if zone.any()]
    deviations = in_deviations(here - matched, edges_per_mm(matched, grid.spacing_mm) * rule.misplacement_mm, zones)
    middle, spread = middle_and_deviation(here[zones[0]])
    is_bright = inside & (here >= middle + rule.brightness_deviations * spread)
    over_seed = deviations - np.where(deep, rule.seed_deviations, rule.cortex_seed_deviations)
    return _seeded(is_bright & (deviations >= rule.spread_deviations), over_seed >= 0.0, grid, rule)


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
