"""One person's head: the atlas deformed, folded and given the grey values of FLAIR."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.synthesis.atlas import PIXEL_MM, HeadAtlas, Outside, load_atlas
from inference_worker.synthesis.cortex import fold
from inference_worker.synthesis.sampling import Mosaic, smooth_noise

Field = NDArray[np.float32]

CONTROL_MM = 6.0  # grid of the deformation
SIGNAL_UNIT = 4.0  # signals are kept in 8 bits as shares of this many times white matter


@dataclass(frozen=True)
class Contrast:
    """Signal of each tissue, white matter being 1."""

    grey_matter: float
    deep_grey: float
    fluid: float
    outside: tuple[float, ...]  # by `Outside` number

    @classmethod
    def draw(cls, generator: np.random.Generator, *, fat_suppressed: bool) -> Contrast:
        fat = generator.uniform(0.35, 0.5) if fat_suppressed else generator.uniform(2.1, 3.0)
        fluid = float(generator.uniform(0.12, 0.3))
        signals = {
            Outside.AIR: 0.0,
            Outside.SKIN: generator.uniform(0.7, 1.0) if fat_suppressed else generator.uniform(1.2, 1.7),
            Outside.FAT: fat,
            Outside.MUSCLE: generator.uniform(0.45, 0.62),
            Outside.BONE: 0.1,
            Outside.MARROW: 0.25 * fat + 0.15,
            Outside.FLUID: fluid,
            Outside.VITREOUS: fluid + 0.05,
            Outside.NERVE: 0.85,
            Outside.MUCOSA: generator.uniform(1.2, 1.9),
            Outside.VESSEL: 0.12,
        }
        grey = float(generator.uniform(1.18, 1.38))
        return cls(grey, grey - 0.14, fluid, tuple(float(signals[number]) for number in Outside))


# T1-weighted, without fat suppression.
T1_CONTRAST = Contrast(
    grey_matter=0.76,
    deep_grey=0.84,
    fluid=0.3,
    outside=(0.0, 1.4, 2.3, 0.7, 0.1, 1.3, 0.3, 0.3, 0.9, 0.8, 0.3),
)


@dataclass(frozen=True, eq=False)
class Tissue:
    """A sampled plane of a head: signal without plaques, and the share of it that a plaque can replace."""

    signal: Field
    parenchyma: Field


@dataclass(frozen=True, eq=False)
class Head:
    """A deformed atlas that can be sampled at any point of the head's space, (x, y, z) mm as in the template."""

    tissue: Mosaic  # grey matter, white matter, hull, signal of the outside
    texture: Mosaic  # flow of the fluid, fine texture, distance to the ventricles
    deformation: Mosaic  # displacement (x, y, z) in mm
    contrast: Contrast
    caps: float

    def with_t1_contrast(self, generator: np.random.Generator) -> Head:
        """The same head in the grey values of a T1-weighted series."""
        outside = outside_signal(load_atlas(), T1_CONTRAST, generator)
        return replace(self, contrast=T1_CONTRAST, caps=0.0, tissue=self.tissue.with_last_channel(outside))

    def displaced(self, points: Field) -> Field:
        """(rows, columns, 3) points of the person as points (x, y, z) of the template."""
        origin = load_atlas().origin_mm
        x, y, z = ((points[..., axis] - np.float32(origin[2 - axis])) / np.float32(CONTROL_MM) for axis in range(3))
        return points + self.deformation.sample(z, y, x)

    def sample(self, points: Field) -> Tissue:
        """The tissue at (rows, columns, 3) points of the template."""
        origin = load_atlas().origin_mm
        x, y, z = ((points[..., axis] - np.float32(origin[2 - axis])) / np.float32(PIXEL_MM) for axis in range(3))
        grey, white, hull, outside = np.moveaxis(self.tissue.sample(z, y, x), -1, 0)
        flow, fine, ventricle = np.moveaxis(self.texture.sample(z, y, x), -1, 0)
        grey, white, fluid = sharpened(grey, white)
        signal = self.brain_signal(grey, white, fluid, flow, ventricle)
        signal = signal * (1 + 0.2 * (fine - 0.5))
        within = np.clip((hull - 0.35) / 0.3, 0, 1)
        outside_signal = outside * SIGNAL_UNIT * (1 + 0.5 * (fine - 0.5))
        return Tissue(within * signal + (1 - within) * outside_signal, within * (1 - fluid))

    def brain_signal(
        self,
        grey: Field,
        white: Field,
        fluid: Field,
        flow: Field,
        ventricle: Field,
    ) -> Field:
        """FLAIR signal of brain: cortex brighter than deep grey matter, faint caps at the ventricles, dark fluid."""
        is_cortex = np.clip((ventricle - 0.4) / 0.2, 0, 1)
        grey_signal = self.contrast.deep_grey + (self.contrast.grey_matter - self.contrast.deep_grey) * is_cortex
        caps = 1 + self.caps * np.clip(1 - ventricle / 0.07, 0, 1) * np.clip(flow * 2 - 0.6, 0, 1)
        fluid_signal = self.contrast.fluid * (0.7 + 0.6 * flow)
        signal: Field = grey * grey_signal + white * caps + fluid * fluid_signal
        return signal


def sharpened(grey: Field, white: Field) -> tuple[Field, Field, Field]:
    """Shares of grey matter, white matter and fluid that pass quickly from one to the next."""
    shares = np.stack([grey, white, np.clip(1 - grey - white, 0, 1)]) ** 2 + np.float32(1e-6)
    grey, white, fluid = shares / shares.sum(axis=0)
    return grey, white, fluid


def grow_head(generator: np.random.Generator, *, fat_suppressed: bool) -> Head:
    """A new person."""
    atlas = load_atlas()
    contrast = Contrast.draw(generator, fat_suppressed=fat_suppressed)
    grey, white = fold(generator, opening_mm=generator.uniform(0.9, 2.0))
    return Head(
        tissue=Mosaic.of_shares(grey, white, soft_hull(atlas), outside_signal(atlas, contrast, generator)),
        texture=Mosaic.of_shares(*texture(atlas, generator)),
        deformation=Mosaic.of(*deformation(atlas, generator)),
        contrast=contrast,
        caps=float(generator.uniform(0.0, 0.4)),
    )


def soft_hull(atlas: HeadAtlas) -> Field:
    return np.asarray(ndimage.uniform_filter(atlas.hull.astype(np.float32), 3))


def outside_signal(atlas: HeadAtlas, contrast: Contrast, generator: np.random.Generator) -> Field:
    """Signal of everything around the brain as shares of `SIGNAL_UNIT`, with fat streaked through muscle."""
    signal = np.array(contrast.outside, np.float32)[atlas.outside]
    uneven = smooth_noise(signal.shape, generator, step=4.0)
    is_soft = np.isin(atlas.outside, (Outside.MUSCLE, Outside.MUCOSA, Outside.MARROW))
    signal = np.where(is_soft, signal * (1 + 0.22 * uneven), signal)
    return np.asarray(np.clip(ndimage.gaussian_filter(signal, 0.7) / SIGNAL_UNIT, 0, 1), np.float32)


def texture(atlas: HeadAtlas, generator: np.random.Generator) -> tuple[Field, ...]:
    """Flow and fine texture, each 0.5 in the mean with a deviation of 1/6, and distance to the ventricles / 80 mm."""
    shape = atlas.hull.shape
    flow = smooth_noise(shape, generator, step=14.0)
    fine = smooth_noise(shape, generator, step=1.6)
    shares = (np.asarray(np.clip(0.5 + noise / 6, 0, 1), np.float32) for noise in (flow, fine))
    return (*shares, ventricle_distance())


@cache
def ventricle_distance() -> Field:
    """Distance to the ventricles as a share of 80 mm, from a coarse grid."""
    atlas = load_atlas()
    coarse = ndimage.distance_transform_edt(~atlas.ventricles[::2, ::2, ::2]) * (2 * PIXEL_MM / 80.0)
    zoomed = np.repeat(np.repeat(np.repeat(coarse, 2, 0), 2, 1), 2, 2)
    planes, rows, columns = atlas.hull.shape
    smooth = ndimage.uniform_filter(zoomed.astype(np.float32), 3)[:planes, :rows, :columns]
    return np.asarray(np.clip(smooth, 0, 1), np.float32)


def deformation(atlas: HeadAtlas, generator: np.random.Generator) -> tuple[Field, ...]:
    """Displacement in mm along x, y and z: a slow part, a quicker one, and the widening of the ventricles."""
    shape = tuple(int(np.ceil(length * PIXEL_MM / CONTROL_MM)) + 1 for length in atlas.hull.shape)
    slow = [2.2 * smooth_noise(shape, generator, step=9.0) for _ in range(3)]
    quick = [0.4 * smooth_noise(shape, generator, step=3.5) for _ in range(3)]
    wider = widening(shape, generator.uniform(0.5, 6.0))
    return tuple(a + b + c for a, b, c in zip(slow, quick, wider, strict=True))


def widening(shape: tuple[int, ...], widest_mm: float) -> tuple[Field, ...]:
    """Displacement towards the ventricles, which makes them larger by up to `widest_mm` on every side."""
    fields = []
    for slope in reversed(widening_slopes()):  # x, y, z
        field = np.zeros(shape, np.float32)
        field[tuple(slice(0, length) for length in slope.shape)] = widest_mm * slope
        fields.append(field)
    return tuple(fields)


@cache
def widening_slopes() -> tuple[Field, ...]:
    """Displacement (z, y, x) towards the ventricles, 1 mm at their wall and fading, on the control grid."""
    step = round(CONTROL_MM / PIXEL_MM)
    distance_mm = ndimage.gaussian_filter(ventricle_distance() * 80.0, 2.0)
    amount = -np.exp(-distance_mm / 14.0) / PIXEL_MM
    return tuple((amount * slope)[::step, ::step, ::step] for slope in np.gradient(distance_mm))
