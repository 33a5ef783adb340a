"""What a study that a network has read looks like in numbers, to tell a changed scanner from an unchanged one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import Volume

# Headers round a spacing differently from study to study; what is closer than this is the same.
SPACING_STEP_MM = 0.01


class InputMeasureError(ValueError):
    """A volume that has no brain to be measured."""


@dataclass(frozen=True)
class InputMeasures:
    """`slice_mm` is between slices, `pixel_mm` within them, the mean of rows and columns, both to 0.01 mm.

    `intensity_median` is of the brain in the units of the series; `intensity_contrast` is the 95th percentile over the
    median, and has no unit.
    """

    slice_mm: float
    pixel_mm: float
    brain_ml: float
    intensity_median: float
    intensity_contrast: float


def measure_input(flair: Volume, brain: NDArray[np.bool_]) -> InputMeasures:
    """`brain` is (slices, rows, columns) on the grid of the volume.

    Raises: InputMeasureError when the grids differ, no voxel is brain, or half of it is zero or below.
    """
    if brain.shape != flair.shape or not brain.any():
        raise InputMeasureError(
            f"the brain mask has {int(brain.sum())} voxels of shape {brain.shape}, need some on {flair.shape}"
        )
    median, high = (float(one) for one in np.percentile(flair.voxels[brain], [50.0, 95.0]))
    if median <= 0.0:
        raise InputMeasureError(f"the median of the brain is {median:g}, need more than 0")
    slice_mm, *in_plane = (float(one) for one in flair.spacing_mm)
    return InputMeasures(
        slice_mm=_rounded(slice_mm),
        pixel_mm=_rounded(sum(in_plane) / 2.0),
        brain_ml=float(np.count_nonzero(brain)) * flair.voxel_volume_ml,
        intensity_median=median,
        intensity_contrast=high / median,
    )


def _rounded(length_mm: float) -> float:
    return round(round(length_mm / SPACING_STEP_MM) * SPACING_STEP_MM, 6)
