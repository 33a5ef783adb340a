"""The brain that every FLAIR is compared with: one label for each voxel of a template."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import Volume

ATLAS_FILE = Path(__file__).with_name("atlas.npz")
PIXEL_MM = 1.5
ORIGIN_MM = (0.0, -138.0, -72.0)  # (x to the right, y to the front, z up) of the first stored voxel
SHAPE = (66, 174, 112)


class Structure(IntEnum):
    """What a voxel of the atlas belongs to."""

    OUTSIDE = 0
    INNER = 1  # of the cerebrum: white matter and deep grey matter
    CORTEX = 2
    LATERAL_VENTRICLE = 3
    MIDLINE_VENTRICLE = 4  # the third and the fourth
    FLUID = 5  # fissures, sulci, cisterns
    INFRATENTORIAL = 6  # cerebellum, midbrain, pons, medulla


@cache
def load_atlas() -> Volume:
    """(slices, rows, columns) uint8 `Structure` numbers, LPS mm of the template's space; left mirrors right."""
    with np.load(ATLAS_FILE) as stored:
        return Volume(axial(mirrored(stored["structures"])), atlas_affine())


def mirrored(half: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole head, x from left to right, from its right half; the plane x = 0 stands once."""
    return np.concatenate([half[:0:-1], half])


def axial(whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(x to the right, y to the front, z up) as slices feet to head, rows front to back, columns right to left."""
    return np.ascontiguousarray(whole.transpose(2, 1, 0)[:, ::-1, ::-1])


def atlas_affine() -> NDArray[np.float64]:
    """Of `axial(mirrored(...))`: the template's right is LPS -x, its front LPS -y."""
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = PIXEL_MM
    affine[:3, 3] = -(SHAPE[0] - 1) * PIXEL_MM, -(ORIGIN_MM[1] + (SHAPE[1] - 1) * PIXEL_MM), ORIGIN_MM[2]
    affine[3, 3] = 1.0
    return affine
