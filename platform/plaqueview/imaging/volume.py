"""The only carrier of geometry: voxels and the affine that places them in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Spacings are worked out from positions: slices of 2.5 mm are told as 2.4999997 or 2.5000002 mm apart.
SPACING_TOLERANCE: Final = 1e-3

# Rows of an axial stack, by array axis, as unit vectors in LPS (PS3.3 C.7.6.2.1.1):
# slices run feet to head, rows run front to back, columns run from the patient's right to the left.
AXIAL_DIRECTIONS = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


# Rounding of what files and headers say of one place.
SAME_PLACE_MM: Final = 0.01


class GeometryError(ValueError):
    """The affine does not describe a grid of voxels."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels on a regular grid.

    `voxels` is (slices, rows, columns) of any numeric dtype; `affine` is 4x4 float64 and takes
    (slice index, row index, column index, 1) to (x, y, z, 1) in mm, LPS. Indices address voxel centres.

    Raises: GeometryError when the voxels are not three-dimensional or the affine is not an invertible 4x4.
    """

    voxels: NDArray[Any]  # Any: the scanner decides the dtype
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3:
            raise GeometryError(f"voxels have {self.voxels.ndim} dimensions, need 3 (slices, rows, columns)")
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise GeometryError(f"affine has shape {self.affine.shape} or is not finite, need a finite 4x4 matrix")
        if abs(np.linalg.det(self.affine[:3, :3])) < 1e-9:
            raise GeometryError("affine is singular: at least one voxel spacing is zero")

    @property
    def shape(self) -> tuple[int, int, int]:
        slices, rows, columns = self.voxels.shape
        return slices, rows, columns

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (slices, rows, columns)."""
        slices, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(slices), float(rows), float(columns)

    @cached_property
    def voxel_volume_ml(self) -> float:
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def with_voxels(self, voxels: NDArray[Any]) -> Volume:  # Any: masks, probabilities and labels share the grid
        """The same grid with other voxels of the same shape."""
        if voxels.shape != self.voxels.shape:
            raise GeometryError(f"voxels have shape {voxels.shape}, the grid needs {self.voxels.shape}")
        return Volume(voxels, self.affine)

    def positions_mm(self, indices: NDArray[Any]) -> NDArray[np.float64]:  # Any: integer or sub-voxel indices
        """(n, 3) array indices (slice, row, column) as (n, 3) patient positions in mm, LPS."""
        positions: NDArray[np.float64] = indices @ self.affine[:3, :3].T + self.affine[:3, 3]
        return positions

    def nearest_to_middle(self, indices: NDArray[np.intp]) -> tuple[int, int, int]:
        """Of (n, 3) array indices that which lies nearest to their middle, in mm; the first of several."""
        distances = np.linalg.norm((indices - indices.mean(axis=0)) * self.spacing_mm, axis=1)
        slice_index, row, column = indices[int(distances.argmin())].tolist()
        return slice_index, row, column

    def lies_on(self, other: Volume) -> bool:
        """Both have one grid, to `SAME_PLACE_MM`."""
        return self.shape == other.shape and bool(np.allclose(self.affine, other.affine, atol=SAME_PLACE_MM))


@dataclass(frozen=True)
class Reorientation:
    """A lossless change of axis order and direction, with its way back.

    `axes[i]` is the source axis that becomes axis i; `flips[i]` says that axis i then runs backwards.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def is_identity(self) -> bool:
        return self.axes == (0, 1, 2) and not any(self.flips)

    @property
    def _flipped_axes(self) -> tuple[int, ...]:
        return tuple(axis for axis in range(3) if self.flips[axis])

    def apply(self, voxels: NDArray[Any]) -> NDArray[Any]:  # Any: keeps the dtype it is given
        """A view of the voxels in the new order."""
        return np.flip(voxels.transpose(self.axes), self._flipped_axes)

    def undo(self, voxels: NDArray[Any]) -> NDArray[Any]:  # Any: keeps the dtype it is given
        """A view of the voxels in the source order; the inverse of `apply`."""
        return np.flip(voxels, self._flipped_axes).transpose(*np.argsort(self.axes))

    def apply_to(self, volume: Volume) -> Volume:
        """The volume in the new order; every voxel keeps its position in the patient."""
        step = np.zeros((4, 4))
        step[3, 3] = 1.0
        for axis, source in enumerate(self.axes):
            step[source, axis] = -1.0 if self.flips[axis] else 1.0
            step[source, 3] = volume.voxels.shape[source] - 1 if self.flips[axis] else 0.0
        return Volume(self.apply(volume.voxels), volume.affine @ step)


def axial_reorientation(affine: NDArray[np.float64]) -> Reorientation:
    """The reorientation after which slices run most nearly feet to head, rows front to back, columns right to left.

    Axes are permuted and reversed only, so an oblique volume stays oblique and nothing is resampled.
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    agreement = AXIAL_DIRECTIONS @ cosines  # [wanted axis, source axis]
    axes = max(permutations(range(3)), key=lambda order: sum(abs(agreement[i, order[i]]) for i in range(3)))
    flips = [bool(agreement[i, axes[i]] < 0) for i in range(3)]
    return Reorientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))


def reorientation_between(source: Volume, target: Volume) -> Reorientation:
    """The reorientation that takes the source's grid to the target's; its `undo` takes an array on the target back.

    Raises: GeometryError when the target is not the source with axes permuted and reversed, within a hundredth of a
    voxel.
    """
    step = np.linalg.inv(source.affine) @ target.affine
    axes = np.abs(step[:3, :3]).argmax(axis=0).tolist()
    flips = [bool(step[source_axis, axis] < 0) for axis, source_axis in enumerate(axes)]
    if sorted(axes) == [0, 1, 2]:
        reorientation = Reorientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))
        expected = reorientation.apply_to(source)
        if expected.shape == target.shape and np.allclose(
            _corners(expected), _corners(target), atol=_hundredth(source)
        ):
            return reorientation
    raise GeometryError(
        f"grids of {source.shape} and {target.shape} voxels differ by more than the order of their axes"
    )


def steps_within(length_mm: float, step_mm: float) -> int:
    """How many whole steps a length has room for, whatever the last digit of the spacing."""
    return int(length_mm * (1.0 + SPACING_TOLERANCE) / step_mm)


def _corners(volume: Volume) -> NDArray[np.float64]:
    """The four corner voxels that fix an affine, in mm; their agreement is that of the whole grid."""
    slices, rows, columns = (length - 1 for length in volume.shape)
    return volume.positions_mm(np.array([[0, 0, 0], [slices, 0, 0], [0, rows, 0], [0, 0, columns]]))


def _hundredth(volume: Volume) -> float:
    return 0.01 * min(volume.spacing_mm)
