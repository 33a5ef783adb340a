"""The scanner: where the slices lie, how thick they are, and what coil and noise do to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inference_worker.synthesis.sampling import smooth_noise
from plaqueview.imaging.volume import AXIAL_DIRECTIONS

Volume32 = NDArray[np.float32]

STORED_LEVEL = (300.0, 1200.0)  # stored value of white matter, which every scanner chooses for itself


@dataclass(frozen=True, eq=False)
class Pose:
    """How the head lies: a point p of the patient (LPS, mm) is `matrix @ p + offset` in the head's space (RAS, mm)."""

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Pose:
        """Tilts of a few degrees, shifts of a few mm; heads are smaller than the template, which was made large."""
        angles = generator.normal(0.0, (5.0, 2.5, 3.0)).clip(-9, 9)
        rotation = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
        size = generator.uniform(0.90, 1.02) * generator.uniform(0.97, 1.03, 3)
        matrix = (rotation / size[:, None]) @ np.diag([-1.0, -1.0, 1.0])
        return cls(matrix, generator.normal(0.0, (2.0, 3.0, 2.0)))

    def turned(self, generator: np.random.Generator) -> Pose:
        """The same head laid down another day: a degree or two and a few mm away."""
        rotation = Rotation.from_euler("xyz", generator.normal(0.0, 1.2, 3), degrees=True).as_matrix()
        return Pose(self.matrix @ rotation, self.offset + generator.normal(0.0, 2.0, 3))

    def to_head(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 3) LPS points in the head's space."""
        return points @ self.matrix.T.astype(np.float32) + self.offset.astype(np.float32)

    def to_patient(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 3) points of the head's space in LPS; the inverse of `to_head`."""
        moved: NDArray[np.float64] = (points - self.offset) @ np.linalg.inv(self.matrix).T
        return moved


@dataclass(frozen=True)
class Slices:
    """The stack that is acquired, axial or tilted by `pitch_degrees` about the patient's left-right axis.

    `raised_mm` moves it towards the head from where its last slice meets the top of the brain.
    """

    count: int = 22
    rows: int = 256
    columns: int = 256
    pixel_mm: tuple[float, float] = (0.9, 0.9)
    thickness_mm: float = 5.0
    spacing_mm: float = 6.5
    pitch_degrees: float = 0.0
    raised_mm: float = 0.0

    def affine(self, top_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(slice, row, column) to LPS mm; the middle of the last slice lies at `top_mm`."""
        tilt = Rotation.from_euler("x", self.pitch_degrees, degrees=True).as_matrix()
        steps = (self.spacing_mm, *self.pixel_mm)
        affine = np.eye(4)
        affine[:3, :3] = (tilt @ AXIAL_DIRECTIONS.T) * steps
        middle = affine[:3, :3] @ [self.count - 1, (self.rows - 1) / 2, (self.columns - 1) / 2]
        affine[:3, 3] = top_mm - middle
        return affine

    @property
    def depths(self) -> NDArray[np.float64]:
        """Where a slice is sampled through its thickness, as shares of the spacing."""
        steps = max(1, round(self.thickness_mm / 1.3))
        return ((np.arange(steps) + 0.5) / steps - 0.5) * self.thickness_mm / self.spacing_mm


@dataclass(frozen=True)
class Receiver:
    """What the receiving chain adds; shares of white matter's signal."""

    blur_pixels: float
    unevenness: float
    surface_gain: float
    noise: float
    ringing: float

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Receiver:
        return cls(
            blur_pixels=float(generator.uniform(0.3, 0.6)),
            unevenness=float(generator.uniform(0.03, 0.09)),
            surface_gain=float(generator.uniform(0.0, 0.25)),
            noise=float(generator.uniform(0.015, 0.045)),
            ringing=float(generator.uniform(0.2, 1.1)),
        )

    def record(self, signal: Volume32, generator: np.random.Generator) -> NDArray[np.uint16]:
        """The stored picture of a (slices, rows, columns) signal: blurred, uneven, ringing, with Rician noise."""
        blurred = np.stack([cv2.GaussianBlur(s, (0, 0), self.blur_pixels) for s in signal])
        sharp = np.stack([s + self.ringing * (s - cv2.GaussianBlur(s, (0, 0), 1.1)) for s in blurred])
        gain = self.gain(signal.shape, generator)
        level = generator.uniform(0.96, 1.04, (len(signal), 1, 1)).astype(np.float32)  # slices are excited apart
        real = sharp * gain * level + self.coloured_noise(signal.shape, generator)
        magnitude = np.hypot(real, self.coloured_noise(signal.shape, generator)) * generator.uniform(*STORED_LEVEL)
        stored: NDArray[np.uint16] = np.clip(np.rint(magnitude), 0, 65535).astype(np.uint16)
        return stored

    def gain(self, shape: tuple[int, ...], generator: np.random.Generator) -> Volume32:
        """The coil's sensitivity: slow waves, and more signal towards the surface."""
        slices, rows, columns = shape
        y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        bowl = 1 + self.surface_gain * ((x**2 + y**2) - 0.35)
        waves = smooth_noise((max(slices, 2), rows // 8, columns // 8), generator, step=max(4.0, rows / 24))[:slices]
        smooth = np.stack([cv2.resize(w, (columns, rows), interpolation=cv2.INTER_CUBIC) for w in waves])
        return np.asarray(((1 + self.unevenness * smooth) * bowl), np.float32)

    def coloured_noise(self, shape: tuple[int, ...], generator: np.random.Generator) -> Volume32:
        """Noise that is smooth over about a pixel, as interpolated reconstructions have it."""
        white = generator.standard_normal(shape, dtype=np.float32)
        smooth = np.stack([cv2.GaussianBlur(s, (0, 0), 0.6) for s in white])
        return np.asarray((self.noise * smooth / smooth.std()), np.float32)
