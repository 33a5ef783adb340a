"""Trilinear sampling of volumes with up to four channels at any points, fast enough for millions of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]  # (rows, columns)


@dataclass(frozen=True, eq=False)
class Mosaic:
    """The planes of a volume laid out side by side, so that OpenCV's two-dimensional remapping reads them.

    `picture` is (tile rows * height, tile columns * width, channels): float32, or uint8 that stands for values 0 to 1.
    """

    picture: NDArray[np.float32] | NDArray[np.uint8]
    shape: tuple[int, int, int]
    tile_columns: int

    @classmethod
    def of_shares(cls, *channels: NDArray[np.float32]) -> Mosaic:
        """A mosaic of (planes, height, width) channels with values 0 to 1, kept in 8 bits."""
        return cls.of(*(np.clip(np.rint(channel * 255.0), 0, 255).astype(np.uint8) for channel in channels))

    @classmethod
    def of(cls, *channels: NDArray[np.float32] | NDArray[np.uint8]) -> Mosaic:
        """A mosaic of (planes, height, width) channels of one dtype."""
        planes, height, width = channels[0].shape
        tile_columns = int(np.ceil(np.sqrt(planes)))
        tile_rows = -(-planes // tile_columns)
        padded = np.zeros((tile_rows * tile_columns, height, width, len(channels)), channels[0].dtype)
        for number, channel in enumerate(channels):
            padded[:planes, ..., number] = channel
        tiles = padded.reshape(tile_rows, tile_columns, height, width, len(channels))
        picture = tiles.transpose(0, 2, 1, 3, 4).reshape(tile_rows * height, tile_columns * width, len(channels))
        return cls(np.ascontiguousarray(picture), (planes, height, width), tile_columns)

    def with_last_channel(self, channel: NDArray[np.float32]) -> Mosaic:
        """The mosaic of shares with other values, 0 to 1, in its last channel."""
        picture = self.picture.copy()
        picture[..., -1] = Mosaic.of_shares(channel).picture[..., 0]
        return replace(self, picture=picture)

    def sample(self, plane: Plane, row: Plane, column: Plane) -> NDArray[np.float32]:
        """(rows, columns, channels) values at fractional indices; indices past the border read the border."""
        planes, height, width = self.shape
        plane = np.clip(plane, 0, planes - 1.001)
        row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
        below = np.floor(plane)
        share = (plane - below)[..., None]
        values = self._read(below, row, column) * (1 - share) + self._read(below + 1, row, column) * share
        return np.asarray(values / np.float32(255) if self.picture.dtype == np.uint8 else values, np.float32)

    def _read(self, plane: Plane, row: Plane, column: Plane) -> NDArray[np.float32]:
        tile_row = np.floor(plane / np.float32(self.tile_columns))
        tile_column = plane - tile_row * np.float32(self.tile_columns)
        found = cv2.remap(
            self.picture,
            (column + tile_column * np.float32(self.shape[2])).astype(np.float32),
            (row + tile_row * np.float32(self.shape[1])).astype(np.float32),
            cv2.INTER_LINEAR,
        )
        return found.reshape(*plane.shape, -1).astype(np.float32)


def smooth_noise(shape: tuple[int, ...], generator: np.random.Generator, *, step: float) -> NDArray[np.float32]:
    """Random values of mean 0 and deviation 1 that vary over about `step` grid points, for two or three dimensions."""
    coarse = tuple(max(3, int(np.ceil(length / step)) + 2) for length in shape)
    values = generator.standard_normal(coarse).astype(np.float32)
    for axis, length in enumerate(shape):
        positions = np.linspace(0.5, values.shape[axis] - 1.5, length)
        values = np.moveaxis(np.tensordot(cubic_weights(positions, values.shape[axis]), values, (1, axis)), 0, axis)
    noise: NDArray[np.float32] = (values - values.mean()) / np.float32(max(float(values.std()), 1e-6))
    return noise


def cubic_weights(positions: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """(len(positions), length) weights of the cubic B-spline, which smooths."""
    distance = np.abs(positions[:, None] - np.arange(length)[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)
