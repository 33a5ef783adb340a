"""The slices of a series as one grid, told from headers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.completeness import InstanceHeader, assess, in_slice_order, slice_normal


class SliceStackError(ValueError):
    """The slices do not make one regular stack."""


@dataclass(frozen=True, eq=False)
class SliceStack:
    """The headers in slice order and the grid of the volume that their pixels make.

    Slices ascend towards the head (axial), the back (coronal) or the left (sagittal), rows and columns run as stored.
    `affine` takes (slice, row, column) to mm, LPS, as `Volume` does.
    """

    headers: tuple[InstanceHeader, ...]
    affine: NDArray[np.float64]
    shape: tuple[int, int, int]


def stack_slices(headers: Sequence[InstanceHeader]) -> SliceStack:
    """The stack of all the headers; none is left out.

    Raises: SliceStackError with every problem that `completeness.assess` finds.
    """
    completeness = assess(headers)
    if completeness.problems:
        raise SliceStackError("; ".join(completeness.problems))
    ordered = in_slice_order(headers)
    shape = (len(ordered), ordered[0].rows or 0, ordered[0].columns or 0)
    return SliceStack(ordered, _affine(ordered, completeness.slice_spacing_mm or 0.0), shape)


def _affine(ordered: tuple[InstanceHeader, ...], slice_spacing_mm: float) -> NDArray[np.float64]:
    """Source: PS3.3 C.7.6.2.1.1, with the mean step between slices as the third axis."""
    positions = np.array([header.image_position_patient for header in ordered], np.float64)
    cosines = np.array(ordered[0].image_orientation_patient, np.float64)
    between_rows, between_columns = ordered[0].pixel_spacing or (0.0, 0.0)
    affine = np.eye(4)
    if len(ordered) == 1:
        affine[:3, 0] = slice_normal(ordered[0]) * slice_spacing_mm
    else:
        affine[:3, 0] = (positions[-1] - positions[0]) / (len(ordered) - 1)
    affine[:3, 1] = cosines[3:] * between_rows
    affine[:3, 2] = cosines[:3] * between_columns
    affine[:3, 3] = positions[0]
    return affine
