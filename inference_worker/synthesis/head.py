"""One person's head: the atlas deformed, folded and given the grey values of FLAIR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.synthesis.atlas import PIXEL_MM, HeadAtlas, Outside, load_atlas
from inference_worker.synthesis.sampling import Mosaic, smooth_noise

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
        grey = float(generator.uniform(1.08, 1.24))
        return cls(grey, grey - 0.1, fluid, tuple(float(signals[number]) for number in Outside))


@dataclass(frozen=True, eq=False)
class Tissue:
    """A sampled plane of a head: signal without plaques, and the share of it that a plaque can replace."""

    signal: NDArray[np.float32]
    parenchyma: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Head:
    """A deformed atlas that can be sampled at any point of the head's space, (x, y, z) mm as in the template."""

    tissue: Mosaic  # grey matter, white matter, hull, signal of the outside
    texture: Mosaic  # folds, fluid's flow, fine texture, distance to the ventricles
    deformation: Mosaic  # displacement (x, y, z) in mm
    contrast: Contrast
    folding: float
    atrophy: float
    caps: float

    def displaced(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, columns, 3) points of the person as points (x, y, z) of the template."""
        origin = load_atlas().origin_mm
        x, y, z = ((points[..., axis] - np.float32(origin[2 - axis])) / np.float32(CONTROL_MM) for axis in range(3))
        return points + self.deformation.sample(z, y, x)

    def sample(self, points: NDArray[np.float32]) -> Tissue:
        """The tissue at (rows, columns, 3) points of the template."""
        origin = load_atlas().origin_mm
        x, y, z = ((points[..., axis] - np.float32(origin[2 - axis])) / np.float32(PIXEL_MM) for axis in range(3))
        grey, white, hull, outside = np.moveaxis(self.tissue.sample(z, y, x), -1, 0)
        fold, flow, fine, ventricle = np.moveaxis(self.texture.sample(z, y, x), -1, 0)
        grey, white, fluid = self.folded(grey, white, fold, ventricle)
        signal = self.brain_signal(grey, white, fluid, flow, ventricle)
        signal = signal * (1 + 0.05 * (fine - 0.5))
        within = np.clip((hull - 0.35) / 0.3, 0, 1)
        outside_signal = outside * SIGNAL_UNIT * (1 + 0.5 * (fine - 0.5))
        return Tissue(within * signal + (1 - within) * outside_signal, within * (1 - fluid) * (0.35 * grey + white))

    def folded(
        self,
        grey: NDArray[np.float32],
        white: NDArray[np.float32],
        fold: NDArray[np.float32],
        ventricle: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Sharp shares of tissue; where the average template is undecided, the person's own folds decide.

        The zero surfaces of smooth noise are folded sheets: they become sulci, with cortex on both sides.
        """
        fluid = np.clip(1 - grey - white, 0, 1)
        sheet = np.abs(fold - 0.5) * 6.0  # deviations of the noise
        is_cortex = np.clip((ventricle - 0.45) / 0.2, 0, 1)
        sulcus = np.exp(-((sheet / 0.16) ** 2))
        ribbon = np.exp(-((sheet / 0.5) ** 2))
        grey = np.maximum(grey, 0.02) * (1 + self.folding * is_cortex * (1.2 * ribbon - 0.5))
        fluid = (fluid * self.atrophy + 0.012) * (1 + self.folding * is_cortex * 9.0 * sulcus)
        shares = np.stack([grey, np.maximum(white, 0.02), fluid]) ** 3
        return tuple(shares / shares.sum(axis=0))  # type: ignore[return-value]  # three arrays

    def brain_signal(
        self,
        grey: NDArray[np.float32],
        white: NDArray[np.float32],
        fluid: NDArray[np.float32],
        flow: NDArray[np.float32],
        ventricle: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """FLAIR signal of brain: cortex brighter than deep grey matter, faint bright caps at the ventricles, dark fluid."""
        is_cortex = np.clip((ventricle - 0.4) / 0.2, 0, 1)
        grey_signal = self.contrast.deep_grey + (self.contrast.grey_matter - self.contrast.deep_grey) * is_cortex
        caps = 1 + self.caps * np.clip(1 - ventricle / 0.07, 0, 1) * np.clip(flow * 2 - 0.6, 0, 1)
        fluid_signal = self.contrast.fluid * (0.7 + 0.6 * flow)
        signal: NDArray[np.float32] = grey * grey_signal + white * caps + fluid * fluid_signal
        return signal


def grow_head(generator: np.random.Generator, *, fat_suppressed: bool) -> Head:
    """A new person."""
    atlas = load_atlas()
    contrast = Contrast.draw(generator, fat_suppressed=fat_suppressed)
    return Head(
        tissue=Mosaic.of_shares(
            atlas.grey_matter, atlas.white_matter, soft_hull(atlas), outside_signal(atlas, contrast, generator)
        ),
        texture=Mosaic.of_shares(*texture(atlas, generator)),
        deformation=Mosaic.of(*deformation(atlas, generator)),
        contrast=contrast,
        folding=float(generator.uniform(0.6, 1.0)),
        atrophy=float(generator.uniform(0.9, 1.9)),
        caps=float(generator.uniform(0.0, 0.22)),
    )


def soft_hull(atlas: HeadAtlas) -> NDArray[np.float32]:
    return ndimage.uniform_filter(atlas.hull.astype(np.float32), 3)


def outside_signal(atlas: HeadAtlas, contrast: Contrast, generator: np.random.Generator) -> NDArray[np.float32]:
    """Signal of everything around the brain as shares of `SIGNAL_UNIT`, with fat streaked through muscle."""
    signal = np.array(contrast.outside, np.float32)[atlas.outside]
    uneven = smooth_noise(signal.shape, generator, step=4.0)
    is_soft = np.isin(atlas.outside, (Outside.MUSCLE, Outside.MUCOSA, Outside.MARROW))
    signal = np.where(is_soft, signal * (1 + 0.22 * uneven), signal)
    return np.clip(signal / SIGNAL_UNIT, 0, 1).astype(np.float32)


def texture(atlas: HeadAtlas, generator: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    """Folds, flow, fine texture, each 0.5 in the mean with a deviation of 1/6, and distance to the ventricles / 80 mm."""
    shape = atlas.hull.shape
    fold = smooth_noise(shape, generator, step=5.5) + 0.35 * smooth_noise(shape, generator, step=3.0)
    flow = smooth_noise(shape, generator, step=14.0)
    fine = smooth_noise(shape, generator, step=1.6)
    return (*(np.clip(0.5 + noise / 6, 0, 1) for noise in (fold, flow, fine)), ventricle_distance(atlas))


def ventricle_distance(atlas: HeadAtlas) -> NDArray[np.float32]:
    """Distance to the ventricles as a share of 80 mm, from a coarse grid."""
    coarse = ndimage.distance_transform_edt(~atlas.ventricles[::2, ::2, ::2]) * (2 * PIXEL_MM / 80.0)
    zoomed = np.repeat(np.repeat(np.repeat(coarse, 2, 0), 2, 1), 2, 2)
    planes, rows, columns = atlas.hull.shape
    return np.clip(ndimage.uniform_filter(zoomed.astype(np.float32), 3), 0, 1)[:planes, :rows, :columns]


def deformation(atlas: HeadAtlas, generator: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    """Displacement in mm along x, y and z: a slow part of about 3 mm and a quicker one of 1 mm."""
    shape = tuple(int(np.ceil(length * PIXEL_MM / CONTROL_MM)) + 1 for length in atlas.hull.shape)
    slow = [2.4 * smooth_noise(shape, generator, step=8.0) for _ in range(3)]
    quick = [1.0 * smooth_noise(shape, generator, step=3.0) for _ in range(3)]
    return tuple(a + b for a, b in zip(slow, quick, strict=True))
