"""Binary morphology on one slice with radii in pixels, by exact distances, so that a radius can be any length in mm."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]  # (rows, columns), 0 or 1


def erode(mask: Mask, radius: float) -> Mask:
    """The pixels farther than `radius` from every 0; outside the matrix counts as 0."""
    distance = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return (distance > radius).astype(np.uint8)


def erode_mm(mask: Mask, radius_mm: float, spacing_mm: tuple[float, float]) -> Mask:
    """As `erode`, of pixels that need not be square: they are looked at in squares of the shorter side."""
    side_mm = min(spacing_mm)
    rows, columns = (round(count * step / side_mm) for count, step in zip(mask.shape, spacing_mm, strict=True))
    squares = np.asarray(cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_NEAREST), np.uint8)
    left = cv2.resize(erode(squares, radius_mm / side_mm), mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(left, np.uint8)


def dilate(mask: Mask, radius: float) -> Mask:
    """The pixels within `radius` of a 1; empty stays empty."""
    if not mask.any():
        return mask.copy()
    return (cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5) <= radius).astype(np.uint8)


def close(mask: Mask, radius: float) -> Mask:
    """Dilation, then erosion; the border of the matrix does not open what touches it."""
    margin = int(radius) + 2
    return erode(dilate(np.pad(mask, margin), radius), radius)[margin:-margin, margin:-margin]


def fill_holes(mask: Mask) -> Mask:
    """The mask with every 0 that no path of 0s joins to the border of the matrix."""
    flooded = np.pad(mask, 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    return np.asarray(flooded[1:-1, 1:-1] != 2, np.uint8)


@dataclass(frozen=True, eq=False)
class Components:
    """The 4-connected components of a mask; number 0 is the background."""

    numbers: NDArray[np.int32]
    areas: NDArray[np.int32]

    @property
    def largest(self) -> Mask:
        """The component with most pixels; empty when there is none."""
        if len(self.areas) < 2:
            return np.zeros(self.numbers.shape, np.uint8)
        return np.asarray(self.numbers == 1 + int(np.argmax(self.areas[1:])), np.uint8)

    def select(self, is_kept: NDArray[np.bool_]) -> Mask:
        """The union of the components whose entry in `is_kept` is true; the background never is."""
        kept = is_kept.copy()
        kept[0] = False
        return np.asarray(kept[self.numbers], np.uint8)


def components(mask: Mask) -> Components:
    _, numbers, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    return Components(np.asarray(numbers, np.int32), np.asarray(statistics[:, cv2.CC_STAT_AREA], np.int32))
