"""How far the surfaces of two masks lie apart, in mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from plaqueview.imaging.volume import Volume

PERCENTILE = 95.0


def hd95_mm(prediction: NDArray[np.bool_], truth: NDArray[np.bool_], grid: Volume) -> float | None:
    """The larger of the two directed 95th percentiles of surface distances; 0 when both masks are empty.

    None when one of them is empty: no distance says how far away nothing is. Distances are those of voxel centres in
    the patient, so the grid's spacing counts.
    Source: Maier-Hein et al., Nat Methods 21 (2024), doi 10.1038/s41592-023-02151-z, "HD95".
    """
    if not prediction.any() and not truth.any():
        return 0.0
    if not prediction.any() or not truth.any():
        return None
    first, second = (grid.positions_mm(np.argwhere(surface(mask))) for mask in (prediction, truth))
    there, back = KDTree(second).query(first)[0], KDTree(first).query(second)[0]
    return float(max(np.percentile(there, PERCENTILE), np.percentile(back, PERCENTILE)))


def surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The voxels of a mask with a face that borders on background; outside the matrix is background."""
    return mask & ~ndimage.binary_erosion(mask)
