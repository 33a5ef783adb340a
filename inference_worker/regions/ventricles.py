"""The ventricles of a FLAIR: dark, inside the brain, and where an aligned atlas has them rather than a fissure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Distances in mm of every FLAIR voxel to what the aligned atlas has, (slices, rows, columns) float32 each."""

    lateral_mm: NDArray[np.float32]
    midline_mm: NDArray[np.float32]
    outer_fluid_mm: NDArray[np.float32]

    @property
    def ventricle_mm(self) -> NDArray[np.float32]:
        return np.minimum(self.lateral_mm, self.midline_mm)


@dataclass(frozen=True)
class VentricleRule:
    """What is dark enough and near enough; brightness is a share of the tissue's around it.

    Next to the atlas's ventricles a voxel half filled with fluid is enough, since thin horns show nothing darker; far
    from them it has to be mostly fluid. A part needs to come within `core_mm` of the atlas's ventricles. Chosen on the
    eleven expert masks of the MS3SEG cohort; when each of them is left out of the choice, the mean Dice is 0.82.
    """

    darkness_near: float = 0.85
    darkness_far: float = 0.68
    near_mm: float = 1.0
    far_mm: float = 8.0
    reach_mm: float = 14.0
    fissure_share: float = 1.2  # the ventricle may be this much farther than the nearest fissure
    core_mm: float = 0.5
    core_on_slice_mm: float = 4.0
    smallest_part_mm3: float = 30.0


TISSUE_FROM = 0.7  # of the brain's median
TISSUE_BRIGHTEST = 1.3  # lesions do not lift the level around them
LEVEL_SIGMA_MM = 12.0


def relative_brightness(flair: Volume, brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Every voxel as a share of the brain tissue around it: the coil's shading is gone."""
    scaled = flair.voxels.astype(np.float32) / np.float32(np.median(flair.voxels[brain]))
    is_tissue = brain & (scaled > TISSUE_FROM)
    sigmas = [LEVEL_SIGMA_MM / spacing for spacing in flair.spacing_mm]
    total = ndimage.gaussian_filter(np.where(is_tissue, np.minimum(scaled, TISSUE_BRIGHTEST), 0.0), sigmas)
    share = ndimage.gaussian_filter(is_tissue.astype(np.float32), sigmas)
    level = np.where(share > 0.01, total / np.maximum(share, 1e-3), 1.0)
    return (scaled / level).astype(np.float32)


def find_ventricles(
    brightness: Volume, brain: NDArray[np.bool_], around: Surroundings, *, rule: VentricleRule
) -> NDArray[np.bool_]:
    """All ventricles, (slices, rows, columns); bright plexus that fluid surrounds on a slice belongs to them."""
    distance_mm = around.ventricle_mm
    darkness = np.interp(distance_mm, [rule.near_mm, rule.far_mm], [rule.darkness_near, rule.darkness_far])
    is_candidate = brain & (brightness.voxels < darkness) & (distance_mm < rule.reach_mm)
    is_candidate &= distance_mm < rule.fissure_share * around.outer_fluid_mm
    parts, count = ndimage.label(is_candidate, ndimage.generate_binary_structure(3, 1))
    has_core = np.bincount(parts[distance_mm < rule.core_mm], minlength=count + 1) > 0
    sizes_mm3 = np.bincount(parts.reshape(-1), minlength=count + 1) * brightness.voxel_volume_ml * 1000.0
    is_kept = has_core & (sizes_mm3 >= rule.smallest_part_mm3)
    is_kept[0] = False
    pairs = zip(is_kept[parts], distance_mm, strict=True)
    return np.stack([ndimage.binary_fill_holes(_near_core(found, away, rule)) for found, away in pairs])


def _near_core(found: NDArray[np.bool_], distance_mm: NDArray[np.float32], rule: VentricleRule) -> NDArray[np.bool_]:
    """Of one slice, the parts near the atlas's ventricles: a fissure hangs on to them by other slices only."""
    parts, count = ndimage.label(found)
    is_near = np.bincount(parts[distance_mm < rule.core_on_slice_mm], minlength=count + 1) > 0
    is_near[0] = False
    return is_near[parts]
