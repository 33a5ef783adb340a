"""The folds of one person's brain.

The template is an average of 152 people, so its convexity is a blur. Here sulci are drawn into it: the zero surfaces of
noise that varies along the brain's outline and hardly across it are winding sheets that stand on that outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.synthesis.atlas import PIXEL_MM, HeadAtlas, load_atlas
from inference_worker.synthesis.sampling import smooth_noise

Field = NDArray[np.float32]

CORTEX_MM = 3.4
FOLIUM_MM = 4.6  # distance between the folia of the cerebellum
NOISE_MM = 3.0  # grid of the fold noise
GYRUS_MM = 9.0  # over which the fold noise varies


@dataclass(frozen=True, eq=False)
class Outline:
    """Every voxel within the hull: its index, depth under the hull in mm, and where its fold noise is read (n, 3)."""

    index: tuple[NDArray[np.intp], ...]
    depth_mm: Field
    fold_points: Field
    is_cerebrum: Field  # 0 to 1
    is_cerebellum: Field


@dataclass(frozen=True, eq=False)
class Folds:
    """What is drawn at every voxel of the outline, as shares from 0 to 1.

    `amount` says how far `fluid` and `white` replace the template's, `folia` is fluid between the cerebellum's folia.
    """

    fluid: Field
    white: Field
    amount: Field
    folia: Field


@cache
def find_outline() -> Outline:
    """The outline of the atlas, which is the same for everybody."""
    atlas = load_atlas()
    depth = ndimage.distance_transform_edt(atlas.hull).astype(np.float32) * np.float32(PIXEL_MM)
    index = np.nonzero(atlas.hull & (depth < 28))
    points = (np.stack(index, axis=-1) * PIXEL_MM + atlas.origin_mm).astype(np.float32)  # (z, y, x) mm
    z, y, x = points.T
    centre = np.stack([np.full_like(z, 12.0), np.clip(y, -52, 30), np.zeros_like(x)], axis=-1)
    away = points - centre
    length = np.linalg.norm(away, axis=1, keepdims=True)
    outline = centre + away / np.maximum(length, 1.0) * (50.0 + 0.35 * length)
    below = np.clip((-16 - z - 0.25 * (y + 40)) / 8, 0, 1) * (y < -8)
    basal = np.clip((24 - np.abs(x)) / 8, 0, 1) * np.clip((6 - z) / 8, 0, 1)  # cisterns, not convexity
    return Outline(
        index=index,
        depth_mm=depth[index],
        fold_points=outline.astype(np.float32),
        is_cerebrum=((1 - below) * (1 - basal)).astype(np.float32),
        is_cerebellum=(below * (y < -38)).astype(np.float32),
    )


def fold(generator: np.random.Generator, *, opening_mm: float) -> tuple[Field, Field]:
    """Grey and white matter of a person as shares, (z, y, x) on the atlas grid; the rest of the hull is fluid.

    `opening_mm` is half the width of a sulcus at the surface.
    """
    atlas, outline = load_atlas(), find_outline()
    noise, deep = fold_noise(outline, generator)
    sulcus_mm = np.clip(14.0 + 5.0 * deep, 4.0, 24.0)  # how deep the sulci reach
    sheet_mm = np.abs(noise) * GYRUS_MM * 0.55
    to_sulcus = np.hypot(sheet_mm, np.maximum(outline.depth_mm - sulcus_mm, 0.0))
    to_sulcus -= opening_mm * np.clip(1.25 - outline.depth_mm / sulcus_mm, 0.5, 1.0)
    to_fluid = np.minimum(outline.depth_mm - 1.0 - 0.6 * opening_mm, to_sulcus)
    fluid = step(-to_fluid, 0.45)
    white = step(to_fluid - CORTEX_MM, 0.6)
    amount = np.clip((np.float32(27) - outline.depth_mm) / np.float32(7), 0, 1) * outline.is_cerebrum
    folia = np.cos(2 * np.pi * (outline.depth_mm + 1.2 * noise) / FOLIUM_MM)
    folia = 0.3 * np.clip(folia, 0, 1) ** 2 * outline.is_cerebellum
    return blend(atlas, outline, Folds(fluid, white, np.asarray(amount), np.asarray(folia, np.float32)))


def blend(atlas: HeadAtlas, outline: Outline, folds: Folds) -> tuple[Field, Field]:
    """The template's shares with the drawn folds in their place; fluid that the template knows stays."""
    grey, white = atlas.grey_matter.copy(), atlas.white_matter.copy()
    old_grey, old_white = grey[outline.index], white[outline.index]
    kept_fluid = np.clip((1 - old_grey - old_white) * 1.2 - 0.2, 0, 1)
    tissue = (1 - folds.amount) * (old_grey + old_white) + folds.amount * (1 - np.maximum(folds.fluid, kept_fluid))
    share = (1 - folds.amount) * old_white / np.maximum(old_grey + old_white, 1e-3) + folds.amount * folds.white
    tissue = tissue * (1 - folds.folia)
    grey[outline.index] = tissue * (1 - share)
    white[outline.index] = tissue * share
    return grey, white


def fold_noise(outline: Outline, generator: np.random.Generator) -> tuple[Field, Field]:
    """Two noises of deviation 1 at every voxel of the outline: for the course of the sulci, and for their depth."""
    shape = tuple(int(200 / NOISE_MM) for _ in range(3))
    points = (outline.fold_points + 100.0) / NOISE_MM
    bends = [smooth_noise(shape, generator, step=10.0) for _ in range(3)]
    course = smooth_noise(shape, generator, step=GYRUS_MM / NOISE_MM)
    deep = smooth_noise(shape, generator, step=6.0)
    bent = points + 1.2 * np.stack([read(bend, points) for bend in bends], axis=-1)
    return read(course, bent), read(deep, points)


def read(noise: Field, points: Field) -> Field:
    return np.asarray(ndimage.map_coordinates(noise, points.T, order=1, mode="nearest"), np.float32)


def step(value: Field, softness: float) -> Field:
    """0 below, 1 above zero, with a smooth passage about `softness` wide."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-value / (0.5 * softness), -30, 30))), np.float32)
