"""How `head_atlas.npz` is made: brain tissue from the ICBM 152 template, everything around it drawn by geometry.

Not needed to use the atlas. To rebuild it: `pip install "nilearn>=0.11"`, then
`python -c "from inference_worker.synthesis.atlas_building import build_atlas; build_atlas()"`.

The maps of grey and white matter are the ICBM 152 nonlinear symmetric template of 2009, release a, as nilearn's wheel
carries it. Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute,
McGill University. Permission to use, copy, modify, and distribute this software and its documentation for any purpose
and without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors and McGill
University make no representations about the suitability of this software for any purpose. It is provided "as is"
without express or implied warranty.
Sources: Fonov et al., NeuroImage 54 (2011), doi 10.1016/j.neuroimage.2010.07.033; NeuroImage 47 (2009) S102.
"""

from __future__ import annotations

from pathlib import Path

import nilearn.datasets
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.synthesis.atlas import ATLAS_FILE, LEVELS, ORIGIN_MM, PIXEL_MM, SHAPE, Outside
from inference_worker.synthesis.sampling import smooth_noise

Field = NDArray[np.float32]

NOTCH_MM = 60.0  # half the width of the widest notch that the vault bridges


def build_atlas(path: Path = ATLAS_FILE) -> None:
    """Writes the right half of the head (x >= 0; the template is symmetric) at 1.5 mm, tissue in 32 steps."""
    grey = half_on_grid(nilearn.datasets.load_mni152_gm_template(resolution=1))
    white = half_on_grid(nilearn.datasets.load_mni152_wm_template(resolution=1))
    brain = half_on_grid(nilearn.datasets.load_mni152_template(resolution=1)) > 0.05
    hull = mirrored(ndimage.binary_closing, brain, 4)
    depth = signed_depth_mm(hull)
    np.savez_compressed(
        path,
        grey_matter=np.rint(grey * LEVELS).astype(np.uint8),
        white_matter=np.rint(white * LEVELS).astype(np.uint8),
        hull=hull,
        outside=draw_outside(depth, vault_depth_mm(depth)),
        ventricles=ventricles(grey + white, hull),
    )


def half_on_grid(template: object) -> Field:
    """A template with values 0 to 1 sampled on the atlas grid, (x, y, z), right half."""
    affine = np.asarray(template.affine)  # type: ignore[attr-defined]  # nilearn has no types
    values = np.asarray(template.get_fdata(), np.float32)  # type: ignore[attr-defined]
    offset = (np.asarray(ORIGIN_MM) - affine[:3, 3]) / np.diag(affine)[:3]
    scale = PIXEL_MM / np.diag(affine)[:3]
    sampled = ndimage.affine_transform(values, scale, offset, output_shape=SHAPE, order=1)
    return np.asarray(np.clip(sampled, 0.0, 1.0), np.float32)


def mirrored(operation, half: NDArray[np.bool_], iterations: int) -> NDArray[np.bool_]:  # type: ignore[no-untyped-def]  # scipy
    """A morphological operation on the whole head, returned for the half."""
    whole = np.concatenate([half[:0:-1], half])
    result: NDArray[np.bool_] = operation(np.pad(whole, iterations), iterations=iterations)
    inner = result[iterations:-iterations, iterations:-iterations, iterations:-iterations]
    return inner[half.shape[0] - 1 :]


def signed_depth_mm(hull: NDArray[np.bool_]) -> Field:
    """Distance to the brain's hull in mm: positive outside, negative inside."""
    whole = np.concatenate([hull[:0:-1], hull])
    outside = ndimage.distance_transform_edt(~whole) - ndimage.distance_transform_edt(whole)
    return np.asarray((outside[hull.shape[0] - 1 :] * PIXEL_MM), np.float32)


def vault_depth_mm(depth: Field) -> Field:
    """Distance to the vault's inner side: the hull without the notches that the fissures leave in it.

    Below the vault, where notches are what the orbits and the petrous bones fill, it is the distance to the hull.
    """
    _, _, z = coordinates()
    margin = int(NOTCH_MM / PIXEL_MM) + 2
    whole = np.pad(np.concatenate([depth[:0:-1], depth]) <= 0, margin)
    widened = ndimage.distance_transform_edt(~whole) * PIXEL_MM <= NOTCH_MM
    closed = ndimage.distance_transform_edt(widened) * PIXEL_MM > NOTCH_MM
    inner = closed[margin:-margin, margin:-margin, margin:-margin]
    smooth = signed_depth_mm(np.asarray(inner[depth.shape[0] - 1 :]))
    share = np.clip((z + 10) / 15, 0, 1)
    return np.asarray(share * smooth + (1 - share) * depth, np.float32)


def ventricles(tissue: Field, hull: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The lateral and third ventricles: fluid inside the cerebrum, less the cisterns and fissures around."""
    x, y, z = coordinates()
    fluid = (tissue < 0.5) & hull & (x < 40) & (y > -70) & (y < 38) & (z > -12) & (z < 32)
    is_cistern = ((x < 14) & (y < -24)) | ((x > 22) & (y > -18)) | ((x < 4.5) & (y > -24) & (z > 10))
    return np.asarray(fluid & ~is_cistern)


def coordinates() -> tuple[Field, Field, Field]:
    """Template positions in mm as open grids: x to the right, y to the front, z up."""
    axes = [ORIGIN_MM[axis] + PIXEL_MM * np.arange(SHAPE[axis], dtype=np.float32) for axis in range(3)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x, y, z


def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Field:
    """Distance in mm, approximately, to an ellipsoid's surface: negative inside."""
    x, y, z = coordinates()
    u, v, w = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1], (z - centre[2]) / radii[2]
    radius = np.sqrt(u**2 + v**2 + w**2)
    return np.asarray(((radius - 1.0) * min(radii)), np.float32)


def capsule(start: tuple[float, float, float], end: tuple[float, float, float], radius: float) -> Field:
    """Distance in mm to a rod with round ends: negative inside."""
    x, y, z = coordinates()
    a, b = np.array(start), np.array(end)
    d = b - a
    t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1] + (z - a[2]) * d[2]) / (d @ d), 0, 1)
    gap = (x - a[0] - t * d[0]) ** 2 + (y - a[1] - t * d[1]) ** 2 + (z - a[2] - t * d[2]) ** 2
    return np.asarray((np.sqrt(gap) - radius), np.float32)


def head_surface(vault: Field) -> Field:
    """Distance in mm to the skin: negative inside the head."""
    _, _, z = coordinates()
    face = ellipsoid((0, 34, -52), (66, 62, 82))
    neck = capsule((0, -38, -60), (0, -30, -160), 60.0)
    nose = ellipsoid((0, 96, -46), (13, 20, 26))
    ear = ellipsoid((80, -18, -26), (7, 14, 26))
    scalp = np.asarray(vault - (11.5 + 1.5 * np.clip((z - 40) / 40, 0, 1)), np.float32)
    surface = smooth_union(smooth_union(scalp, face, 14.0), neck, 14.0)
    return smooth_union(smooth_union(surface, nose, 6.0), ear, 3.0)


def smooth_union(first: Field, second: Field, blend_mm: float) -> Field:
    """The union of two distance fields with a rounded seam."""
    share = np.clip(0.5 + 0.5 * (second - first) / blend_mm, 0.0, 1.0)
    return np.asarray((second * (1 - share) + first * share - blend_mm * share * (1 - share)), np.float32)


def draw_outside(depth: Field, vault: Field) -> NDArray[np.uint8]:
    """`Outside` numbers of everything that is not brain, painted from the outer layers to the inner ones."""
    skin = head_surface(vault)
    drawn = np.full(SHAPE, Outside.AIR, np.uint8)
    for what, where in soft_tissue(skin, depth):
        drawn[where & (skin < 0)] = what
    for what, where in [*skull(vault), *skull_base(), *neck_centre()]:
        drawn[where & (skin < -6.0)] = what
    for what, where in [*orbit(), *nose_and_sinuses()]:
        drawn[where & (skin < 0)] = what
    drawn[(depth <= 1.2) | (vault <= 1.2)] = Outside.FLUID
    return drawn


Layer = tuple[Outside, NDArray[np.bool_]]


def soft_tissue(skin: Field, depth: Field) -> list[Layer]:
    """Muscle with planes of fat inside, then subcutaneous fat, then skin."""
    x, y, z = coordinates()
    planes = np.abs(smooth_noise(SHAPE, np.random.default_rng(11), step=6.0))
    temporalis = (depth > 8) & (skin < -3) & (y > -8) & (y < 50) & (z > -45) & (z < 22) & (x > 40)
    return [
        (Outside.MUSCLE, skin < 0),
        (Outside.FAT, (planes < 0.28) & (skin < 0)),
        (Outside.FAT, skin > -6.0),
        (Outside.MUSCLE, temporalis),
        (Outside.SKIN, skin > -2.0),
    ]


def skull(vault: Field) -> list[Layer]:
    """Two dark tables with marrow between, 6 to 7 mm thick, where the vault or the base surrounds the brain."""
    _, y, z = coordinates()
    is_bony = (z > -62) | (y < -30)
    return [
        (Outside.BONE, (vault < 7.0) & is_bony),
        (Outside.MARROW, (vault > 3.2) & (vault < 5.5) & (z > -15)),
    ]


def skull_base() -> list[Layer]:
    """Petrous bone and mastoid cells, clivus, jaw, the muscles and fat under the temporal lobes."""
    return [
        (Outside.FAT, ellipsoid((38, 34, -62), (18, 14, 16)) < 0),
        (Outside.MUSCLE, ellipsoid((36, 16, -66), (15, 17, 22)) < 0),
        (Outside.MUSCLE, ellipsoid((58, 26, -80), (10, 20, 32)) < 0),
        (Outside.FAT, ellipsoid((52, 42, -62), (8, 12, 20)) < 0),
        (Outside.MARROW, ellipsoid((50, 8, -82), (5, 10, 30)) < 0),
        (Outside.BONE, ellipsoid((48, -26, -44), (24, 11, 10)) < 0),
        (Outside.BONE, ellipsoid((58, -44, -46), (13, 18, 20)) < 0),
        (Outside.BONE, ellipsoid((0, 4, -44), (15, 8, 20)) < 0),
        (Outside.MARROW, ellipsoid((0, 4, -44), (11, 5, 16)) < 0),
        (Outside.MUCOSA, ellipsoid((0, 10, -78), (14, 8, 14)) < 0),
        (Outside.AIR, ellipsoid((0, 18, -76), (11, 6, 14)) < 0),
    ]


def orbit() -> list[Layer]:
    """A cone of fat with four muscles and the optic nerve, and the eye's ball of dark fluid in its coat."""
    globe, apex = (33.0, 72.0, -38.0), (14.0, 26.0, -30.0)
    cone = np.minimum(capsule(globe, (24, 50, -34), 15.0), capsule((26, 54, -35), apex, 8.0))
    layers: list[Layer] = [(Outside.BONE, cone < 2.5), (Outside.FAT, cone < 0)]
    for offset in ((10, 0, 0), (-10, 0, 0), (0, 0, 10), (0, 0, -10)):
        start = (globe[0] + offset[0], globe[1] - 6.0, globe[2] + offset[2])
        layers.append((Outside.MUSCLE, capsule(start, apex, 1.9) < 0))
    layers += [
        (Outside.NERVE, capsule(globe, apex, 2.2) < 0),
        (Outside.SKIN, ellipsoid((33, 85, -38), (17, 5, 14)) < 0),
        (Outside.SKIN, ellipsoid(globe, (13.2, 13.2, 13.2)) < 0),
        (Outside.VITREOUS, ellipsoid(globe, (12.0, 12.0, 12.0)) < 0),
        (Outside.NERVE, ellipsoid((33, 81.5, -38), (5, 2.2, 5)) < 0),
    ]
    return layers


def nose_and_sinuses() -> list[Layer]:
    """Air with mucosa: maxillary, ethmoid, sphenoid and frontal sinuses, and the nasal cavity with its turbinates."""
    x, y, z = coordinates()
    cavity = (x < 15) & (y > 24) & (y < 92) & (z > -84) & (z < -38) & (y + 0.8 * z < 46)
    curl = smooth_noise(SHAPE, np.random.default_rng(13), step=5.0)
    turbinates = cavity & (np.abs(x - 8.0 - 2.0 * np.sin(z / 4.0) - 1.5 * curl) < 2.6 + curl)
    ethmoid = (x < 13) & (y > 28) & (y < 76) & (z >= -38) & (z < -20)
    cells = ethmoid & (np.abs(smooth_noise(SHAPE, np.random.default_rng(7), step=3.5)) < 0.35)
    maxillary, sphenoid, frontal = (
        ellipsoid((31, 56, -64), (16, 19, 15)),
        ellipsoid((7, 19, -33), (11, 10, 9)),
        ellipsoid((10, 78.5, -14), (11, 3.5, 8)),
    )
    return [
        (Outside.BONE, maxillary < 2.5),
        (Outside.MUCOSA, maxillary < 1.0),
        (Outside.AIR, maxillary < 0),
        (Outside.AIR, cavity),
        (Outside.MUCOSA, turbinates),
        (Outside.MUCOSA, cavity & (x < 1.6)),
        (Outside.AIR, ethmoid),
        (Outside.MUCOSA, cells),
        (Outside.BONE, sphenoid < 2.5),
        (Outside.AIR, sphenoid < 0),
        (Outside.BONE, frontal < 2.0),
        (Outside.AIR, frontal < 0),
    ]


def neck_centre() -> list[Layer]:
    """The spinal canal with its cord, the ring of the first vertebrae, the carotid and vertebral arteries."""
    _, _, z = coordinates()
    below = z < -66
    canal = capsule((0, -46, -60), (0, -42, -160), 12.0)
    return [
        (Outside.BONE, (canal < 7.0) & (z < -72)),
        (Outside.MARROW, (ellipsoid((26, -40, -86), (14, 10, 10)) < 0)),
        (Outside.FLUID, (canal < 0) & below),
        (Outside.NERVE, (capsule((0, -46, -60), (0, -42, -160), 6.5) < 0) & below),
        (Outside.VESSEL, capsule((26, 2, -60), (30, -4, -160), 3.2) < 0),
    ]
