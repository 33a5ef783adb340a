"""The head that every synthetic study deforms: tissue maps of the brain, and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ATLAS_FILE = Path(__file__).with_name("head_atlas.npz")
LEVELS = 31  # steps in which the stored tissue maps count from 0 to 1
PIXEL_MM = 1.5
ORIGIN_MM = (0.0, -138.0, -120.0)  # (x, y, z) of the first voxel, right half of the template's space
SHAPE = (66, 174, 151)


class Outside(IntEnum):
    """What is not brain."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    FLUID = 6
    VITREOUS = 7
    NERVE = 8
    MUCOSA = 9
    VESSEL = 10


@dataclass(frozen=True, eq=False)
class HeadAtlas:
    """The whole head on a grid of 1.5 mm, axes (z, y, x): z up, y to the front, x to the patient's right.

    `grey_matter` and `white_matter` are shares from 0 to 1, `hull` is everything within the brain's outer surface,
    `outside` holds `Outside` numbers, `ventricles` the lateral and third ventricles. Left and right are mirror images.
    """

    grey_matter: NDArray[np.float32]
    white_matter: NDArray[np.float32]
    hull: NDArray[np.bool_]
    outside: NDArray[np.uint8]
    ventricles: NDArray[np.bool_]

    @property
    def origin_mm(self) -> NDArray[np.float64]:
        """(z, y, x) of the first voxel."""
        return np.array([ORIGIN_MM[2], ORIGIN_MM[1], -(SHAPE[0] - 1) * PIXEL_MM])


@cache
def load_atlas() -> HeadAtlas:
    """The atlas that is shipped with the package."""
    with np.load(ATLAS_FILE) as stored:
        whole = {name: np.ascontiguousarray(mirror(stored[name]).transpose(2, 1, 0)) for name in stored.files}
    return HeadAtlas(
        grey_matter=whole["grey_matter"].astype(np.float32) / np.float32(LEVELS),
        white_matter=whole["white_matter"].astype(np.float32) / np.float32(LEVELS),
        hull=whole["hull"],
        outside=whole["outside"],
        ventricles=whole["ventricles"],
    )


def mirror(half: NDArray[np.generic]) -> NDArray[np.generic]:
    """The whole head from its half; the plane x = 0 stands once."""
    return np.concatenate([half[:0:-1], half])
