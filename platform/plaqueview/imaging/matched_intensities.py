"""Two volumes of one head on one grid and one scale of intensity, and their difference in deviations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.volume import Volume

# A normal distribution's standard deviation for one median absolute deviation.
DEVIATION_OF_MAD = 1.4826

Floats = NDArray[np.float64]


class IntensityError(ValueError):
    """The intensities of two volumes cannot be compared."""


def on_grid(prior: Volume, current: Volume, matrix: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The prior's voxels at the current grid, linearly, and where it has any; LPS mm of the current to the prior's."""
    step = np.linalg.inv(prior.affine) @ matrix @ current.affine
    moved = ndimage.affine_transform(
        prior.voxels.astype(np.float64), step[:3, :3], step[:3, 3], current.shape, order=1, mode="nearest"
    )
    ones = np.ones(prior.shape, np.bool_)
    # "grid-constant", for a voxel reaches half a step beyond its middle, where "constant" ends.
    covered = ndimage.affine_transform(
        ones, step[:3, :3], step[:3, 3], current.shape, order=0, mode="grid-constant", cval=0
    )
    return moved, covered


def box_of(inside: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Around the mask, with a margin for edges."""
    (box,) = ndimage.find_objects(inside.astype(np.uint8))
    return tuple(slice(max(0, side.start - 3), side.stop + 3) for side in box)


def smoothed(voxels: Floats, spacing_mm: tuple[float, float, float], width_mm: float) -> Floats:
    wide: Floats = ndimage.gaussian_filter(voxels, [width_mm / spacing for spacing in spacing_mm])
    return wide


def matched_to(
    there: Floats,
    here: Floats,
    inside: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    *,
    field_mm: float,
) -> Floats:
    """The prior's intensities on the current scale: median and spread of the brain, then the slow field of the coil."""
    (middle_there, spread_there), (middle, spread) = (middle_and_deviation(one[inside]) for one in (there, here))
    scaled = (there - middle_there) * (spread / spread_there) + middle
    weight = smoothed(inside.astype(np.float64), spacing_mm, field_mm)
    limited = np.clip(here - scaled, -3.0 * spread, 3.0 * spread) * inside  # a large lesion is no field
    field: Floats = smoothed(limited, spacing_mm, field_mm) / np.maximum(weight, 1e-6)
    return scaled + field


def in_deviations(difference: Floats, misplaced: Floats, zones: list[NDArray[np.bool_]]) -> Floats:
    """The difference in deviations of its own zone; 0 outside all of them."""
    deviations = np.zeros_like(difference)
    for zone in zones:
        middle, spread = middle_and_deviation(difference[zone])
        deviations[zone] = (difference[zone] - middle) / np.hypot(spread, misplaced[zone])
    return deviations


def edges_per_mm(voxels: Floats, spacing_mm: tuple[float, float, float]) -> Floats:
    """How steep the intensities are, by mm."""
    slopes = [slope**2 for slope in np.gradient(voxels, *spacing_mm)]
    steepness: Floats = np.sqrt(np.sum(slopes, axis=0))
    return steepness


def middle_and_deviation(values: Floats) -> tuple[float, float]:
    """Median and robust standard deviation.

    Raises: IntensityError when more than half of the values are the same.
    """
    middle = float(np.median(values))
    deviation = DEVIATION_OF_MAD * float(np.median(np.abs(values - middle)))
    if deviation <= 0.0:
        raise IntensityError("more than half of the brain has one and the same intensity or difference")
    return middle, deviation
