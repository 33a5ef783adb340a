"""The Gabor filter of the source paper.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, section "Preprocessing".
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WAVELENGTH = 5 * np.pi / 4
ORIENTATION = np.pi / 4
PHASE = -0.5
SIGMA = 1.0
ASPECT = 1.0
RADIUS = 3  # three deviations of the envelope


def gabor_kernel() -> NDArray[np.float32]:
    """The (7, 7) kernel, scaled to sum 1 so that flat tissue keeps its grey value."""
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1].astype(np.float64)
    along = x * np.cos(ORIENTATION) + y * np.sin(ORIENTATION)
    across = -x * np.sin(ORIENTATION) + y * np.cos(ORIENTATION)
    envelope = np.exp(-(along**2 + ASPECT**2 * across**2) / (2 * SIGMA**2))
    kernel = envelope * np.cos(2 * np.pi * along / WAVELENGTH + PHASE)
    return np.asarray(kernel / kernel.sum(), np.float32)


def gabor_response(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(slices, rows, columns) filtered slice by slice; the border repeats outwards."""
    kernel = gabor_kernel()
    return np.stack([cv2.filter2D(each, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE) for each in grey])
