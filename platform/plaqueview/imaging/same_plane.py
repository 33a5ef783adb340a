"""One slice of a visit, and the same plane of the head in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class PlaneInVolume:
    """Where each pixel of a plane lies in a volume: `indices` is (3, rows, columns), sub-voxel slice, row, column."""

    indices: NDArray[np.float64]

    def slices_needed(self, slice_count: int) -> range:
        """The slices of the volume that the plane runs through or between; empty where it misses the volume."""
        lowest, highest = np.floor(self.indices[0].min()), np.ceil(self.indices[0].max())
        return range(max(0, int(lowest)), min(slice_count, int(highest) + 1))

    def sampled(self, slices: NDArray[np.float32], first_slice: int) -> NDArray[np.float32]:
        """(rows, columns) intensities, linearly; 0 outside. `slices` are those needed, from `first_slice` on."""
        at = self.indices - np.array([first_slice, 0, 0])[:, None, None]
        found: NDArray[np.float32] = ndimage.map_coordinates(slices, at, order=1, mode="nearest")
        return np.where(_nearest(np.ones(slices.shape, np.uint8), at), found, np.float32(0.0))

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(rows, columns) labels of the whole volume, each of the nearest voxel; 0 outside."""
        return _nearest(labels, self.indices)


def _nearest(voxels: NDArray[np.uint8], indices: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The voxel that each place lies in, to half a step beyond the middle of the outermost; 0 outside all of them."""
    found: NDArray[np.uint8] = ndimage.map_coordinates(voxels, indices, order=0, mode="grid-constant", cval=0)
    return found


def plane_in(
    other_affine: NDArray[np.float64], *, grid: Volume, slice_index: int, matrix: NDArray[np.float64]
) -> PlaneInVolume:
    """The slice of the grid in a volume of another visit.

    `matrix` is 4x4 and takes LPS mm of the grid's visit to LPS mm of the other; the voxels of the grid are not read.
    """
    rows, columns = np.meshgrid(*map(np.arange, grid.shape[1:]), indexing="ij")
    here = np.stack([np.full(rows.shape, slice_index), rows, columns, np.ones(rows.shape)]).astype(np.float64)
    step = np.linalg.inv(other_affine) @ matrix @ grid.affine
    return PlaneInVolume(np.tensordot(step[:3], here, axes=1))
