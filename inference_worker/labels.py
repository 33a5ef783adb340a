"""What a voxel's label may say of its class: the one table that the dataset, the losses and the metrics share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BACKGROUND, INACTIVE, ACTIVE = 0, 1, 2
UNKNOWN_PLAQUE = 3  # an expert marked a plaque and did not say whether it is active

# Classes that a label leaves open.
POSSIBLE_CLASSES: Mapping[int, tuple[int, ...]] = {
    BACKGROUND: (BACKGROUND,),
    INACTIVE: (INACTIVE,),
    ACTIVE: (ACTIVE,),
    UNKNOWN_PLAQUE: (INACTIVE, ACTIVE),
}

# Grey values of the source paper's label slices.
PAPER_VALUES: Mapping[int, int] = {0: BACKGROUND, 127: INACTIVE, 255: ACTIVE}


class LabelError(ValueError):
    """A label volume holds values that no convention knows."""


def from_classes(voxels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: NIfTI decides the dtype
    """Labels 0/1/2, or the paper's 0/127/255, as 0/1/2 uint8; 3, a plaque without class, may stand beside 0/1/2.

    Raises: LabelError when any other value occurs.
    """
    found = {int(value) if float(value).is_integer() else float(value) for value in np.unique(voxels)}
    if found <= set(POSSIBLE_CLASSES):
        return voxels.astype(np.uint8)
    if found <= set(PAPER_VALUES):
        return (np.asarray(voxels) / 127.0).astype(np.uint8)
    raise LabelError(f"labels hold {sorted(found)[:8]}, need 0, 1, 2, 3 or 0, 127, 255")


def from_plaque_mask(voxels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: NIfTI decides the dtype
    """A mask of plaques without class as labels: 0, or UNKNOWN_PLAQUE where the mask is positive."""
    return np.where(np.asarray(voxels) > 0, UNKNOWN_PLAQUE, BACKGROUND).astype(np.uint8)
