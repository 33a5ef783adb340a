"""The five steps from a FLAIR volume to what the network sees, and the way back.

1. 8 bits: the median of the head at least 25 mm under its surface is brain whatever the scalp's fat, the coil or the
   lesion load do; it becomes grey 100, the volume's first percentile (air) becomes 0, and values are cut at 255.
2. 3x3 median filter.
3. Removal of the cranial bone (`brain_mask`).
4. Padding to a square in mm (pixels become isotropic whatever they were), resampling to 256x256. From version 2 on the
   square is that around the brain, so that every brain fills it: a plaque has more pixels (1.6 times as many in the
   mean of MS3SEG's patients), and matrices with more or less air around the head look alike.
5. Division by 255.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, section "Preprocessing".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_worker.brain_mask import find_brain
from inference_worker.mask_checks import MaskChecks, PreprocessingError, check_mask
from inference_worker.morphology import erode_mm, fill_holes
from inference_worker.network_grid import NetworkGrid, SourceWindow
from inference_worker.skull_removal import BRAIN_LEVEL, SkullRemoval
from plaqueview.imaging.volume import Volume

__all__ = [
    "NETWORK_SIZE", "WHOLE_MATRIX", "WITH_SCALP", "Prepared", "Preprocessing", "PreprocessingError", "to_eight_bits",
]  # fmt: skip

NETWORK_SIZE = 256
STEPS = ("eight_bits", "median", "brain_mask", "resampling")
WORKING_PIXEL_MM = (0.85, 1.2)  # matrices with square pixels in this range are masked as they are, others at 1 mm


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees of a volume.

    `slices` is (n, 256, 256) float32 from 0 to 1, `brain_mask` (n, rows, columns) on the grid of the volume,
    `seconds` the time of every step.
    """

    slices: NDArray[np.float32]
    brain_mask: NDArray[np.bool_]
    window: SourceWindow
    version: str
    seconds: Mapping[str, float]

    def restore(self, squares: NDArray[Any]) -> NDArray[Any]:  # Any: float probabilities or integer labels
        """(n, 256, 256) or (classes, n, 256, 256) on the volume's matrix; floats linearly, integers by nearest."""
        if squares.shape[-3] != len(self.slices):
            raise PreprocessingError(f"array has {squares.shape[-3]} slices, the volume has {len(self.slices)}")
        return self.window.source(squares)


@dataclass(frozen=True)
class Preprocessing:
    """The parameters of the five steps; `version` names them and is stored with the weights.

    Without `is_masked` the slices keep the scalp and the skull, for measuring what their removal is worth. The square
    is that around the brain and `margin_mm` more on each side; without a margin it is the whole matrix.
    """

    version: str = "2"
    skull_removal: SkullRemoval = field(default_factory=SkullRemoval)
    checks: MaskChecks = field(default_factory=MaskChecks)
    is_masked: bool = True
    margin_mm: float | None = 4.0

    def prepare(self, volume: Volume) -> Prepared:
        """The five steps on an axial volume, slices feet to head.

        Raises: PreprocessingError when no head is found, or the brain mask fails its checks.
        """
        times = [time.perf_counter()]
        grey, head = to_eight_bits(volume)
        times.append(time.perf_counter())
        smooth = np.stack([cv2.medianBlur(each, 3) for each in grey])
        times.append(time.perf_counter())
        mask = self.brain_mask(smooth, head, volume.spacing_mm)
        times.append(time.perf_counter())
        window = self.window(mask, volume.spacing_mm[1:])
        shown = np.where(mask, smooth, 0) if self.is_masked else smooth
        slices = window.square(shown.astype(np.float32)) / np.float32(255.0)
        times.append(time.perf_counter())
        seconds = dict(zip(STEPS, np.diff(times).tolist(), strict=True))
        return Prepared(slices, mask, window, self.version, seconds)

    def brain_mask(
        self, grey: NDArray[np.uint8], head: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
    ) -> NDArray[np.bool_]:
        """The checked brain mask (slices, rows, columns) of a median-filtered 8-bit volume."""
        rows, columns = grey.shape[1:]
        height, width, pixel_mm = working_matrix(rows, columns, spacing_mm[1:])
        resized = np.stack([cv2.resize(each, (width, height), interpolation=cv2.INTER_AREA) for each in grey])
        outline = np.stack([cv2.resize(each, (width, height), interpolation=cv2.INTER_NEAREST) for each in head])
        mask = find_brain(resized, outline, spacing_mm=(spacing_mm[0], pixel_mm), rule=self.skull_removal)
        check_mask(mask, outline, spacing_mm=(spacing_mm[0], pixel_mm), checks=self.checks)
        shares = (cv2.resize(each.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR) for each in mask)
        return np.stack([share >= 0.5 for share in shares])

    def window(self, mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> SourceWindow:
        """What the network sees of matrices with pixels of `spacing_mm`, whose brain is `mask`."""
        rows, columns = mask.shape[1:]
        if self.margin_mm is None:
            return SourceWindow(rows, columns, 0, 0, NetworkGrid(rows, columns, spacing_mm, NETWORK_SIZE))
        top, bottom = reach_of(np.any(mask, axis=(0, 2)), round(self.margin_mm / spacing_mm[0]))
        left, right = reach_of(np.any(mask, axis=(0, 1)), round(self.margin_mm / spacing_mm[1]))
        grid = NetworkGrid(bottom - top, right - left, spacing_mm, NETWORK_SIZE)
        return SourceWindow(rows, columns, top, left, grid)


# What the weights before version 1.2.0 were trained with.
WHOLE_MATRIX = Preprocessing(version="1", margin_mm=None)
# For the ablation only: no weights that ship are trained with it.
WITH_SCALP = Preprocessing(version="2-with-scalp", is_masked=False)


def reach_of(is_brain: NDArray[np.bool_], margin: int) -> tuple[int, int]:
    """The first index with brain and the one after the last, and `margin` more on either side where there is any."""
    found = np.flatnonzero(is_brain)
    return max(0, int(found[0]) - margin), min(len(is_brain), int(found[-1]) + 1 + margin)


def working_matrix(rows: int, columns: int, spacing_mm: tuple[float, float]) -> tuple[int, int, float]:
    """Rows, columns and pixel in mm of the matrix with square pixels on which the brain is masked."""
    low, high = WORKING_PIXEL_MM
    if low <= spacing_mm[0] <= high and abs(spacing_mm[0] - spacing_mm[1]) < 0.01:
        return rows, columns, spacing_mm[0]
    return max(1, round(rows * spacing_mm[0])), max(1, round(columns * spacing_mm[1])), 1.0


def to_eight_bits(volume: Volume) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The volume with air at 0 and brain at 100, and the filled outline of the head (0 or 1) on every slice.

    Raises: PreprocessingError when the volume is constant or not finite, or nothing lies 25 mm deep in a head.
    """
    voxels = volume.voxels.astype(np.float32)
    if not np.isfinite(voxels).all():
        raise PreprocessingError(f"{int((~np.isfinite(voxels)).sum())} voxels are not finite, need 0")
    air, bright = np.percentile(voxels, (1.0, 99.9))
    if bright <= air:
        raise PreprocessingError(f"the volume is constant at {bright:g}, need an image of a head")
    scaled = np.clip((voxels - air) * (255.0 / (bright - air)), 0, 255).astype(np.uint8)
    head = head_outlines(scaled)
    _, row_mm, column_mm = volume.spacing_mm
    is_deep = np.stack([erode_mm(s, 25.0, (row_mm, column_mm)) > 0 for s in head])
    if not is_deep.any():
        raise PreprocessingError("no voxel lies 25 mm under the surface of a head, need at least 1")
    level = float(np.median(voxels[is_deep])) - air
    if level <= 0:
        raise PreprocessingError(f"the brain's level above air is {level:g}, need more than 0")
    return np.clip(np.rint((voxels - air) * (BRAIN_LEVEL / level)), 0, 255).astype(np.uint8), head


def head_outlines(scaled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Everything inside the outline of the head, 0 or 1: above half of Otsu's threshold, closed and filled."""
    threshold, _ = cv2.threshold(scaled.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    above = (scaled > threshold * 0.5).astype(np.uint8)
    return np.stack([fill_holes(cv2.morphologyEx(s, cv2.MORPH_CLOSE, disk).astype(np.uint8)) for s in above])
