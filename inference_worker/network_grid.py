"""The square grid that the network sees, and the exact way back to the source matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


def triangle_weights(positions: NDArray[np.float64], source_length: int, width: float) -> NDArray[np.float32]:
    """Linear interpolation weights (len(positions), source_length) with zero outside the source.

    `positions` are source indices; a `width` above 1 widens the triangle to the target's pixel, which keeps
    downsampling free of aliasing. Each row sums to 1 inside the source and fades over its border.
    """
    reach = max(width, 1.0)
    margin = int(np.ceil(reach)) + 1
    indices = np.arange(-margin, source_length + margin)
    weights = np.maximum(0.0, 1.0 - np.abs(positions[:, None] - indices[None, :]) / reach)
    totals = weights.sum(axis=1, keepdims=True)
    totals[totals == 0.0] = 1.0
    return np.ascontiguousarray((weights / totals)[:, margin : margin + source_length], dtype=np.float32)


@dataclass(frozen=True)
class SourceWindow:
    """The rectangle of a source matrix that the network sees, as the square that `grid` makes of it.

    The rectangle begins at row `top` and column `left` of a matrix of `rows` x `columns`.
    """

    rows: int
    columns: int
    top: int
    left: int
    grid: NetworkGrid

    def square(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, rows, columns) on the source as (n, size, size); what lies outside the rectangle is not seen."""
        return self.grid.square(slices[:, *self._inside])

    def source(self, squares: NDArray[Any]) -> NDArray[Any]:  # Any: float probabilities or integer labels
        """(..., size, size) brought back as (..., rows, columns), in the same dtype; 0 outside the rectangle."""
        restored = np.zeros((*squares.shape[:-2], self.rows, self.columns), squares.dtype)
        restored[..., *self._inside] = self.grid.source(squares)
        return restored

    @property
    def _inside(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.grid.rows), slice(self.left, self.left + self.grid.columns)


@dataclass(frozen=True)
class NetworkGrid:
    """The map between a source matrix and a square of `size` x `size` pixels that share its centre.

    The source is padded to a square in mm, not in pixels, so pixels of the square are isotropic whatever the source's
    spacing is. Pixel areas correspond (the half-pixel convention): square index i lies at
    `(i + 0.5 - size / 2) * pixel_mm` from the centre.
    """

    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    size: int

    @property
    def pixel_mm(self) -> float:
        return max(self.rows * self.spacing_mm[0], self.columns * self.spacing_mm[1]) / self.size

    @property
    def is_identity(self) -> bool:
        return self.rows == self.columns == self.size and self.spacing_mm[0] == self.spacing_mm[1]

    def square(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, rows, columns) on the source as (n, size, size); zero where the square reaches past the source."""
        if self.is_identity:
            return np.ascontiguousarray(slices, dtype=np.float32)
        squared: NDArray[np.float32] = self._row_weights @ slices.astype(np.float32) @ self._column_weights.T
        return squared

    def source(self, squares: NDArray[Any]) -> NDArray[Any]:  # Any: float probabilities or integer labels
        """(..., size, size) brought back as (..., rows, columns), in the same dtype.

        Floats are interpolated linearly, integers and booleans take the nearest pixel.
        """
        if squares.shape[-2:] != (self.size, self.size):
            raise ValueError(f"array ends in {squares.shape[-2:]}, the grid needs {(self.size, self.size)}")
        if self.is_identity:
            return squares.copy()
        if not np.issubdtype(squares.dtype, np.floating):
            return squares[..., self._nearest(0)[:, None], self._nearest(1)[None, :]]
        row_weights, column_weights = self._back_weights
        restored: NDArray[Any] = row_weights @ squares.astype(np.float32) @ column_weights.T
        return restored.astype(squares.dtype, copy=False)

    def _square_positions(self, axis: int) -> NDArray[np.float64]:
        """Where the source's pixel centres lie in the square, as indices of the square."""
        length, spacing = (self.rows, self.columns)[axis], self.spacing_mm[axis]
        return np.asarray((np.arange(length) + 0.5 - length / 2) * spacing / self.pixel_mm + self.size / 2 - 0.5)

    def _source_positions(self, axis: int) -> NDArray[np.float64]:
        """Where the square's pixel centres lie in the source, as indices of the source."""
        length, spacing = (self.rows, self.columns)[axis], self.spacing_mm[axis]
        return np.asarray((np.arange(self.size) + 0.5 - self.size / 2) * self.pixel_mm / spacing + length / 2 - 0.5)

    def _nearest(self, axis: int) -> NDArray[np.intp]:
        nearest = np.floor(self._square_positions(axis) + 0.5).astype(np.intp)
        return np.clip(nearest, 0, self.size - 1)

    @cached_property
    def _row_weights(self) -> NDArray[np.float32]:
        return triangle_weights(self._source_positions(0), self.rows, self.pixel_mm / self.spacing_mm[0])

    @cached_property
    def _column_weights(self) -> NDArray[np.float32]:
        return triangle_weights(self._source_positions(1), self.columns, self.pixel_mm / self.spacing_mm[1])

    @cached_property
    def _back_weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows, columns = (
            triangle_weights(np.clip(self._square_positions(axis), 0, self.size - 1), self.size, width)
            for axis, width in enumerate((self.spacing_mm[0] / self.pixel_mm, self.spacing_mm[1] / self.pixel_mm))
        )
        # Pixels at the border keep their full weight: a probability does not fade where the matrix ends.
        return rows / rows.sum(axis=1, keepdims=True), columns / columns.sum(axis=1, keepdims=True)
