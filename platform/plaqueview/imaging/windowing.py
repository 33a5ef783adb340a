"""The grey scale that shows a volume: a window chosen from its intensities and applied to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Darkest and brightest share of the head that the window may lose. Nyul & Udupa, Magn Reson Med 1999, cut alike.
LOWER_PERCENTILE = 1.0
UPPER_PERCENTILE = 99.8

# Where the brain lies between black and white. The plaques of each of MS3SEG's 12 patients have a median 1.4 to 1.6
# times as bright, and 99 of 100 of their voxels are less than 2.2 times: below white, which fat need not be.
BRAIN_GREY = 0.45


class WindowError(ValueError):
    """The window has no width."""


@dataclass(frozen=True)
class Window:
    """Intensities from `center - width / 2` (black) to `center + width / 2` (white).

    Source: PS3.3 C.11.2.1.3.2, LINEAR_EXACT. Raises: WindowError when the width is not positive and finite.
    """

    center: float
    width: float

    def __post_init__(self) -> None:
        if not (0.0 < self.width < float("inf")) or not np.isfinite(self.center):
            raise WindowError(f"window has center {self.center} and width {self.width}, need finite and positive width")


def percentile_window(voxels: NDArray[Any]) -> Window:  # Any: every numeric dtype
    """The window that holds the head, and all but the brightest of it.

    A volume of one intensity gets a width of 1 around it.
    """
    return _between(_darkest(voxels), float(np.percentile(_head(voxels), UPPER_PERCENTILE)))


def reading_window(voxels: NDArray[Any]) -> Window:  # Any: every numeric dtype
    """The window in which a reader first sees a head: its brain is mid-grey, however bright the scalp.

    Where that leaves no width, it is `percentile_window`.
    """
    lowest, brain = _darkest(voxels), float(np.median(_head(voxels)))
    return _between(lowest, lowest + (brain - lowest) / BRAIN_GREY) if brain > lowest else percentile_window(voxels)


def _darkest(voxels: NDArray[Any]) -> float:  # Any: every numeric dtype
    return float(np.percentile(voxels, LOWER_PERCENTILE))


def _head(voxels: NDArray[Any]) -> NDArray[Any]:  # Any: every numeric dtype
    """What is no air, which is below the mean intensity; most of it is brain."""
    head: NDArray[Any] = voxels[voxels >= voxels.mean(dtype=np.float64)]
    return head


def _between(lowest: float, highest: float) -> Window:
    return Window((lowest + highest) / 2, highest - lowest) if highest > lowest else Window(lowest, 1.0)


def apply_window(voxels: NDArray[Any], window: Window) -> NDArray[np.uint8]:  # Any: every numeric dtype
    """The voxels as uint8 grey: 0 at and below the window, 255 at and above it, linear and rounded between."""
    share = (voxels.astype(np.float32) - np.float32(window.center - window.width / 2)) / np.float32(window.width)
    grey: NDArray[np.uint8] = np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)
    return grey
