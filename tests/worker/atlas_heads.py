"""A FLAIR of which every voxel's structure is known: the atlas itself, moved, stretched and cut into slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_worker.regions.alignment import BRIGHTNESS, sample
from inference_worker.regions.atlas import Structure, load_atlas
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine

# The head lies pitched by 10 degrees, 9 mm off and a little smaller than the template, as LPS mm of the scan to the
# atlas's.
PITCH = np.radians(10.0)
MOVED = np.array(
    [
        [1.06, 0.0, 0.0, 4.0],
        [0.0, 1.1 * np.cos(PITCH), -1.1 * np.sin(PITCH), -7.0],
        [0.0, 1.1 * np.sin(PITCH), 1.1 * np.cos(PITCH), 5.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
GRID = Volume(np.zeros((24, 112, 96), np.uint8), axial_affine((6.5, 2.0, 2.0), origin_mm=(-95.0, -105.0, -62.0)))
STRUCTURES = {structure: position for position, structure in enumerate(Structure)}


@dataclass(frozen=True, eq=False)
class Scan:
    flair: Volume
    brain: NDArray[np.bool_]
    shares: NDArray[np.float32]  # (structures, slices, rows, columns)

    def is_mostly(self, *structures: Structure) -> NDArray[np.bool_]:
        return self.shares[[STRUCTURES[each] for each in structures]].sum(axis=0) > 0.9


def scan(grid: Volume = GRID) -> Scan:
    """Noise of 2 % is from a fixed seed."""
    atlas = load_atlas()
    shares = np.stack(
        [sample(atlas.with_voxels((atlas.voxels == one).astype(np.float32)), grid, MOVED) for one in Structure]
    )
    signal = sum(BRIGHTNESS[structure] * shares[position] for structure, position in STRUCTURES.items())
    noise = np.random.default_rng(3).normal(0.0, 0.02, signal.shape)
    flair = grid.with_voxels(np.rint(np.clip(signal + noise, 0.0, None) * 400.0).astype(np.uint16))
    return Scan(flair, shares[STRUCTURES[Structure.OUTSIDE]] < 0.5, shares)
