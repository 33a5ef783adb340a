"""How `atlas.npz` is made: the ICBM 152 template parted into `Structure` by thresholds, planes and a watershed.

Not needed to use the atlas. To rebuild it: `pip install "nilearn>=0.11"`, then
`python -c "from inference_worker.regions.atlas_building import build_atlas; build_atlas()"`. The template's licence and
credit stand in `atlas.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nilearn.datasets
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.regions.atlas import ATLAS_FILE, ORIGIN_MM, PIXEL_MM, SHAPE, Structure

Points = tuple[tuple[float, float, float], ...]
Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Voxels that surely lie under the tentorium and over it, (x, y, z) mm of the template, right side. Between them the
# watershed follows the dark line of the tentorium.
CEREBELLUM: Points = (
    (20, -60, -36), (8, -60, -30), (40, -60, -42), (20, -78, -36), (8, -72, -34), (25, -45, -50), (46, -66, -44),
    (35, -80, -36), (10, -85, -32), (10, -50, -18), (0, -55, -15),
)  # fmt: skip
BRAINSTEM: Points = (
    (8, -22, -12), (10, -20, -14), (12, -30, -32), (10, -22, -40), (5, -20, -38), (14, -36, -34),
    *((x, -26 - 16 * t / 14, -10 - 50 * t / 14) for t in range(15) for x in (0, 5, 9)),
)  # fmt: skip
CEREBRUM: Points = (
    (24, -75, -4), (40, -50, -12), (30, -90, 0), (50, -30, -22), (35, -35, -22), (40, -5, -30), (25, -10, -30),
    (30, -60, -8), (12, -80, 0), (10, -65, 0), (15, -92, -5), (24, -96, -8), (45, -72, -8), (52, -50, -18),
    (20, -45, -2), (10, -42, 5), (28, -20, -22), (16, -30, -12), (18, -12, -22), (20, -20, -22), (18, -28, -14),
    (16, -8, -18), (8, -20, 8), (4, -10, 4), (14, -28, 6), (8, -4, -12), (20, -4, -22),
)  # fmt: skip
SEED_MM = 2.0

# The midbrain ends at the plane through the posterior commissure and behind the mammillary bodies, (y, z) mm.
COMMISSURE_MM, MAMMILLARY_MM = (-26.0, 1.0), (-9.0, -14.0)

TEMPORAL_HORN: Points = ((28, -42, 4), (33, -32, -8), (34, -20, -16), (29, -9, -21))
OCCIPITAL_HORN: Points = ((26, -58, 6), (25, -70, 4), (24, -80, 3))
HORN_RADIUS_MM = 1.5

TISSUE_SHARE = 0.5  # grey and white matter together; less is fluid
DEEPEST_CORTEX_MM = 9.0  # under the brain's outer surface or a sulcus that the template shows


@dataclass(frozen=True, eq=False)
class Template:
    """Shares of grey and white matter, 0 to 1, and the T1, on the atlas grid, (x, y, z), whole head."""

    grey: Field
    white: Field
    t1: Field


def build_atlas(path: Path = ATLAS_FILE) -> None:
    """Writes the right half (x >= 0; the template is symmetric) at 1.5 mm."""
    template = Template(
        grey=on_grid(nilearn.datasets.load_mni152_gm_template(resolution=1)),
        white=on_grid(nilearn.datasets.load_mni152_wm_template(resolution=1)),
        t1=on_grid(nilearn.datasets.load_mni152_template(resolution=1)),
    )
    np.savez_compressed(path, structures=structures_of(template)[SHAPE[0] - 1 :])


def on_grid(template: object) -> Field:
    """A template with values 0 to 1 sampled on the atlas grid."""
    affine = np.asarray(template.affine)  # type: ignore[attr-defined]  # nilearn has no types
    values = np.asarray(template.get_fdata(), np.float32)  # type: ignore[attr-defined]
    origin = np.array([-(SHAPE[0] - 1) * PIXEL_MM, *ORIGIN_MM[1:]])
    steps = np.diag(affine)[:3]
    shape = (2 * SHAPE[0] - 1, *SHAPE[1:])
    sampled = ndimage.affine_transform(
        values, PIXEL_MM / steps, (origin - affine[:3, 3]) / steps, output_shape=shape, order=1
    )
    return np.asarray(np.clip(sampled, 0.0, 1.0), np.float32)


def structures_of(template: Template) -> NDArray[np.uint8]:
    """(x, y, z) uint8 `Structure` numbers of the whole head."""
    brain = template.t1 > 0.05
    hull = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(brain, 4), iterations=4)[4:-4, 4:-4, 4:-4])
    is_fluid = hull & (template.grey + template.white < TISSUE_SHARE)
    below = under_tentorium(template.t1, brain)
    lateral, midline = lateral_ventricles(is_fluid), midline_ventricles(is_fluid)
    structures = np.where(hull, Structure.INNER, Structure.OUTSIDE).astype(np.uint8)
    structures[cortex(template, hull, is_fluid & ~lateral & ~midline)] = Structure.CORTEX
    structures[is_fluid & ~between_ventricles()] = Structure.FLUID
    structures[below & hull & ~is_fluid] = Structure.INFRATENTORIAL
    structures[midline] = Structure.MIDLINE_VENTRICLE
    structures[lateral] = Structure.LATERAL_VENTRICLE
    return structures


def under_tentorium(t1: Field, brain: Mask) -> Mask:
    """Cerebellum and brainstem: flooded from the seeds, dark voxels last."""
    markers = np.zeros(t1.shape, np.int16)
    for label, points in ((2, CEREBELLUM), (2, BRAINSTEM), (1, CEREBRUM)):
        markers[near(points)] = label
    markers[above_midbrain()] = 1
    markers[~brain] = 3
    darkness = (255 * (1.0 - np.clip(t1 / 0.8, 0.0, 1.0))).astype(np.uint8)
    flooded = ndimage.watershed_ift(darkness, markers, structure=np.ones((3, 3, 3), np.bool_))
    return np.asarray(ndimage.binary_opening(flooded == 2))


def near(points: Points) -> Mask:
    """Voxels within `SEED_MM` of a point or of its mirror image."""
    x, y, z = coordinates()
    found = np.zeros((2 * SHAPE[0] - 1, *SHAPE[1:]), np.bool_)
    for px, py, pz in points:
        found |= (np.abs(np.abs(x) - px) <= SEED_MM) & (np.abs(y - py) <= SEED_MM) & (np.abs(z - pz) <= SEED_MM)
    return found


def above_midbrain() -> Mask:
    """The diencephalon, and everything well over the tentorium."""
    x, y, z = coordinates()
    slope = (MAMMILLARY_MM[1] - COMMISSURE_MM[1]) / (MAMMILLARY_MM[0] - COMMISSURE_MM[0])
    is_in_front = z > COMMISSURE_MM[1] + slope * (y - COMMISSURE_MM[0])
    return np.asarray((is_in_front & (y > -40) & (np.abs(x) < 25)) | (z > 10))


def lateral_ventricles(is_fluid: Mask) -> Mask:
    """Fluid inside the cerebrum, less the cisterns, the Sylvian fissure and the third ventricle; and the thin horns."""
    x, y, z = coordinates()
    away = np.abs(x)
    inside = (away < 40) & (y > -70) & (y < 38) & (z > -12) & (z < 32)
    is_cistern = ((away < 14) & (y < -24)) | ((away > 22) & (y > -18)) | ((away < 4.5) & (y > -24) & (z > 10))
    is_third = (away < 4.5) & (z <= 10)
    is_basal = (z < -3) & (away < 22)
    return np.asarray((is_fluid & inside & ~is_cistern & ~is_third & ~is_basal) | horns())


def horns() -> Mask:
    """The temporal and occipital horns, which are too thin for the template to show them as fluid."""
    x, y, z = coordinates()
    place = np.stack(np.broadcast_arrays(np.abs(x), y, z), axis=-1)
    found = np.zeros(place.shape[:3], np.bool_)
    for path in (TEMPORAL_HORN, OCCIPITAL_HORN):
        for start, end in pairwise(np.array(path, np.float32)):
            along = np.clip((place - start) @ (end - start) / ((end - start) @ (end - start)), 0.0, 1.0)
            found |= np.linalg.norm(place - start - along[..., None] * (end - start), axis=-1) <= HORN_RADIUS_MM
    return found


def midline_ventricles(is_fluid: Mask) -> Mask:
    """The third ventricle between the thalami and the fourth before the cerebellum."""
    x, y, z = coordinates()
    away = np.abs(x)
    third = (away < 4.5) & (y > -28) & (y < 4) & (z > -12) & (z < 10)
    fourth = (away < 12) & (y > -52) & (y < -30) & (z > -48) & (z < -18)
    return np.asarray(is_fluid & (third | fourth))


def between_ventricles() -> Mask:
    """The septum and what lies about it: its fluid is no fissure."""
    x, y, z = coordinates()
    return np.asarray((np.abs(x) < 14) & (y > -32) & (y < 30) & (z > 2) & (z < 28))


def cortex(template: Template, hull: Mask, outer_fluid: Mask) -> Mask:
    """Grey matter near the outer surface or a sulcus; neither the deep grey matter nor the edge of a ventricle."""
    x, y, z = coordinates()
    depth_mm = ndimage.distance_transform_edt(hull & ~outer_fluid) * PIXEL_MM
    is_central = (np.abs(x) < 34) & (y > -40) & (y < 26) & (z > -8) & (z < 34)
    is_grey = template.grey > np.maximum(template.white, TISSUE_SHARE)
    return np.asarray(is_grey & (depth_mm <= DEEPEST_CORTEX_MM) & ~is_central)


def coordinates() -> tuple[Field, Field, Field]:
    """Template positions in mm as open grids: x to the right, y to the front, z up."""
    starts = (-(SHAPE[0] - 1) * PIXEL_MM, ORIGIN_MM[1], ORIGIN_MM[2])
    lengths = (2 * SHAPE[0] - 1, SHAPE[1], SHAPE[2])
    axes = [start + PIXEL_MM * np.arange(n, dtype=np.float32) for start, n in zip(starts, lengths, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x, y, z
