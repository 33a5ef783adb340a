"""The region of every voxel of a FLAIR's brain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from inference_worker.regions.alignment import Alignment, align, sample
from inference_worker.regions.atlas import Structure, load_atlas
from inference_worker.regions.ventricles import Surroundings, VentricleRule, find_ventricles, relative_brightness
from plaqueview.imaging.regions import LABEL_OF_REGION, Region, RegionRule
from plaqueview.imaging.volume import Volume, axial_reorientation

# Dark voxels are a sulcus only where the atlas has cortex nearby: the core of an old lesion is dark as well.
SULCUS_DARKNESS = 0.7
SULCUS_REACH_MM = 6.0

# Around the brain, so that what lies outside is there to measure distances to.
BOX_MARGIN = 2

# What the FLAIR is compared with, as fields of distances.
LATERAL = (Structure.LATERAL_VENTRICLE,)
MIDLINE = (Structure.MIDLINE_VENTRICLE,)
OUTER_FLUID = (Structure.FLUID, Structure.OUTSIDE)
CORTEX = (Structure.CORTEX, Structure.OUTSIDE)
INNER = (Structure.INNER,)
INFRATENTORIAL = (Structure.INFRATENTORIAL,)


@dataclass(frozen=True, eq=False)
class RegionMap:
    """`labels` are `LABEL_OF_REGION`, (slices, rows, columns) uint8 on the FLAIR's own grid, 0 outside the brain."""

    labels: NDArray[np.uint8]
    ventricles: NDArray[np.bool_]
    alignment: Alignment


def map_regions(flair: Volume, brain: NDArray[np.bool_], *, rule: RegionRule) -> RegionMap:
    """The region of every voxel of the brain; `flair` may have any axis order, `brain` is on its grid.

    Raises: AlignmentError when the atlas cannot be relied on here.
    """
    reorientation = axial_reorientation(flair.affine)
    upright, inside = reorientation.apply_to(flair), reorientation.apply(brain)
    box = box_of(inside)
    part, inside = cut(upright, box), np.ascontiguousarray(inside[box])
    alignment = align(part, inside, load_atlas())
    labels, ventricles = label_voxels(part, inside, alignment, rule=rule)
    return RegionMap(
        np.ascontiguousarray(reorientation.undo(put_back(labels, box, upright.shape))),
        np.ascontiguousarray(reorientation.undo(put_back(ventricles, box, upright.shape))),
        alignment,
    )


def label_voxels(
    flair: Volume, brain: NDArray[np.bool_], alignment: Alignment, *, rule: RegionRule
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The labels and the ventricles of an aligned FLAIR, slices feet to head."""
    place = _Place(flair, alignment.matrix)
    around = Surroundings(place.distance_mm(LATERAL), place.distance_mm(MIDLINE), place.distance_mm(OUTER_FLUID))
    brightness = flair.with_voxels(relative_brightness(flair, brain))
    ventricles = find_ventricles(brightness, brain, around, rule=VentricleRule())
    lateral = ventricles & (around.lateral_mm <= around.midline_mm)
    to_cortex_mm = place.distance_mm(CORTEX)
    is_sulcus = (brightness.voxels < SULCUS_DARKNESS) & (to_cortex_mm < SULCUS_REACH_MM) & ~ventricles
    is_outer = (distance_mm(~brain | is_sulcus, flair) <= rule.cortex_mm) & (to_cortex_mm < SULCUS_REACH_MM)
    is_below = place.distance_mm(INFRATENTORIAL) < np.minimum(to_cortex_mm, place.distance_mm(INNER))
    labels = np.full(flair.shape, LABEL_OF_REGION[Region.DEEP_WHITE_MATTER], np.uint8)
    labels[is_outer] = LABEL_OF_REGION[Region.JUXTACORTICAL]
    labels[distance_mm(lateral, flair) <= rule.ventricle_mm] = LABEL_OF_REGION[Region.PERIVENTRICULAR]
    labels[is_below] = LABEL_OF_REGION[Region.INFRATENTORIAL]
    labels[~brain] = 0
    return labels, ventricles


@dataclass(frozen=True, eq=False)
class _Place:
    """A FLAIR's grid and where it lies in the atlas."""

    grid: Volume
    matrix: NDArray[np.float64]

    def distance_mm(self, structures: tuple[Structure, ...]) -> NDArray[np.float32]:
        return sample(distance_to(structures), self.grid, self.matrix)


def load_distances() -> None:
    """What every map needs is computed, once a process."""
    for structures in (LATERAL, MIDLINE, OUTER_FLUID, CORTEX, INNER, INFRATENTORIAL):
        distance_to(structures)


@cache
def distance_to(structures: tuple[Structure, ...]) -> Volume:
    """The atlas's distance in mm to the nearest voxel of the structures, float32."""
    atlas = load_atlas()
    return atlas.with_voxels(distance_mm(np.isin(atlas.voxels, structures), atlas))


def distance_mm(mask: NDArray[np.bool_], grid: Volume) -> NDArray[np.float32]:
    """To the nearest voxel of the mask; infinite when it is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    image = SimpleITK.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing([float(step) for step in reversed(grid.spacing_mm)])
    # Signed below zero within the mask; it takes little more than half of the time of scipy's transform.
    signed = SimpleITK.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    return np.asarray(SimpleITK.GetArrayFromImage(signed), np.float32).clip(0.0)


Box = tuple[slice, slice, slice]


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Around the mask, with a margin in the plane; the whole array when it is empty."""
    sides = [slice(0, length) for length in mask.shape]
    for axis in (1, 2):
        found = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        if found.size:
            sides[axis] = slice(max(0, int(found[0]) - BOX_MARGIN), int(found[-1]) + 1 + BOX_MARGIN)
    return sides[0], sides[1], sides[2]


def cut(volume: Volume, box: Box) -> Volume:
    """The voxels in the box, each at its position in the patient."""
    affine = volume.affine.copy()
    affine[:3, 3] = volume.positions_mm(np.array([[side.start for side in box]]))[0]
    return Volume(np.ascontiguousarray(volume.voxels[box]), affine)


def put_back(part: NDArray[Any], box: Box, shape: tuple[int, int, int]) -> NDArray[Any]:  # Any: keeps its dtype
    """The part in its place in an array of zeros."""
    whole = np.zeros(shape, part.dtype)
    whole[box] = part
    return whole
