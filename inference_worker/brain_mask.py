"""Removal of the cranial bone: a mask of the brain's outer surface on every slice of an axial FLAIR volume.

The source paper gives the means: Gabor filter, then threshold, opening, largest component, closing, filling of holes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.brain_following import Following
from inference_worker.gabor import gabor_response
from inference_worker.morphology import close, erode, fill_holes
from inference_worker.skull_removal import BRAIN_LEVEL, SkullRemoval


def find_brain(
    grey: NDArray[np.uint8], head: NDArray[np.uint8], *, spacing_mm: tuple[float, float], rule: SkullRemoval
) -> NDArray[np.uint8]:
    """The brain, 0 or 1, (slices, rows, columns), feet to head.

    `grey` is the median-filtered 8-bit volume with brain near `BRAIN_LEVEL`, `head` the filled outline of the head,
    both with square pixels; `spacing_mm` is (between slices, in the plane).
    """
    if is_extracted(grey, head, pixel_mm=spacing_mm[1], rule=rule):
        closing = rule.extracted_closing_mm / spacing_mm[1]
        return np.stack([fill_holes(close((each > 0).astype(np.uint8), closing)) for each in grey])
    return Following(rule, grey, gabor_response(grey), head_depth_mm(head, spacing_mm), spacing_mm).masks()


def is_extracted(grey: NDArray[np.uint8], head: NDArray[np.uint8], *, pixel_mm: float, rule: SkullRemoval) -> bool:
    """Whether the volume shows a brain without scalp and skull.

    Then brain grey begins at the border, no dark bone lies under it, and everything outside is exactly zero.
    """
    middle = slice(len(grey) // 4, 3 * len(grey) // 4 + 1)
    counts = [border_counts(*pair, pixel_mm) for pair in zip(grey[middle], head[middle], strict=True)]
    brain, rim, dark, band, zero, outside = np.sum(counts, axis=0)
    return bool(
        brain > rule.extracted_rim_share * rim
        and dark < rule.extracted_dark_share * band
        and zero > rule.extracted_zero_share * outside
    )


def border_counts(grey: NDArray[np.uint8], head: NDArray[np.uint8], pixel_mm: float) -> NDArray[np.int64]:
    """Six pixel counts: brain grey in the rim at the border, the rim; dark in the band, the band; zero outside, all."""
    outline = fill_holes(close((grey > 8).astype(np.uint8), 3.0))
    rim = (erode(outline, 2.0 / pixel_mm) > 0) & (erode(outline, 8.0 / pixel_mm) == 0)
    band = (erode(outline, 3.0 / pixel_mm) > 0) & (erode(outline, 14.0 / pixel_mm) == 0)
    is_brain_grey = (grey > 0.6 * BRAIN_LEVEL) & (grey < 1.7 * BRAIN_LEVEL)
    is_dark, is_zero, outside = grey < 0.5 * BRAIN_LEVEL, grey <= 1, head == 0
    pairs = ((is_brain_grey, rim), (is_dark, band), (is_zero, outside))
    return np.array([count for what, where in pairs for count in ((what & where).sum(), where.sum())], np.int64)


def head_depth_mm(head: NDArray[np.uint8], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """Distance of every voxel from the outside of the head, in three dimensions, from a grid of about 2 mm."""
    step = max(1, round(2.0 / spacing_mm[1]))
    sampling = (spacing_mm[0], spacing_mm[1] * step, spacing_mm[1] * step)
    coarse = ndimage.distance_transform_edt(head[:, ::step, ::step], sampling=sampling).astype(np.float32)
    rows, columns = head.shape[1:]
    return np.stack([cv2.resize(each, (columns, rows), interpolation=cv2.INTER_LINEAR) for each in coarse])
