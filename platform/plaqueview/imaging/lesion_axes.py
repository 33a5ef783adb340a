"""How long a lesion is: in space, and within one slice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import Volume

# Below this many corner voxels, all pairs are quicker than a convex hull.
PAIRS_LIMIT = 200


def longest_axis_mm(indices: NDArray[np.intp], grid: Volume) -> float:
    """The largest distance between the centres of two voxels, at least the larger in-plane spacing.

    `indices` is (n, 3) slice, row, column, n > 0. Exact: only vertices of the convex hull can be farthest apart.
    """
    return _farthest_mm(_line_ends(indices, axes=(0, 1, 2)), grid)


def in_plane_axis_mm(indices: NDArray[np.intp], grid: Volume) -> float:
    """The same between two voxels of one slice, the largest of all slices: what a reader measures on the screen.

    The slices are those of the grid, so that of an oblique stack the planes are oblique as it was acquired.
    """
    ends = _line_ends(indices, axes=(1, 2))
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    slices = np.split(ends, np.flatnonzero(np.diff(ends[:, 0])) + 1)
    return max(_farthest_mm(one, grid) for one in slices)


def _farthest_mm(corners: NDArray[np.intp], grid: Volume) -> float:
    floor = max(grid.spacing_mm[1:])
    if len(corners) > PAIRS_LIMIT:
        corners = _hull_vertices(corners)
    if len(corners) < 2:
        return floor
    from scipy.spatial.distance import pdist  # noqa: PLC0415 (0.2 s that every start would wait)

    return max(floor, float(pdist(grid.positions_mm(corners)).max()))


def _line_ends(indices: NDArray[np.intp], *, axes: tuple[int, ...]) -> NDArray[np.intp]:
    """The voxels that end a line of the lesion along every one of the axes; a hull vertex ends each line it lies on."""
    ends = indices
    for axis in axes:
        others = [other for other in range(3) if other != axis]
        ends = ends[np.lexsort((ends[:, axis], ends[:, others[0]], ends[:, others[1]]))]
        changes = (np.diff(ends[:, others], axis=0) != 0).any(axis=1)
        is_end = np.concatenate([[True], changes]) | np.concatenate([changes, [True]])
        ends = ends[is_end]
    return ends


def _hull_vertices(points: NDArray[np.intp]) -> NDArray[np.intp]:
    """The vertices of the convex hull, also of points that lie in one plane or on one line."""
    centred = points - points.mean(axis=0)
    _, extents, directions = np.linalg.svd(centred, full_matrices=False)
    rank = int((extents > 1e-9 * extents[0]).sum())
    projected = centred @ directions[:rank].T
    if rank == 1:
        return points[[int(projected.argmin()), int(projected.argmax())]]
    from scipy.spatial import ConvexHull  # noqa: PLC0415 (as above)

    return points[ConvexHull(projected).vertices]
