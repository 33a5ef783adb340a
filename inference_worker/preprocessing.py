"""The five steps from a FLAIR volume to what the network sees, and the way back.

1. 8 bits: the median of the head at least 25 mm under its surface is brain whatever the scalp's fat, the coil or the
   lesion load do; it becomes grey 100, the volume's first percentile (air) becomes 0, and values are cut at 255.
2. 3x3 median filter.
3. Removal of the cranial bone (`brain_mask`).
4. Padding to a square in mm (pixels become isotropic whatever they were), resampling to 256x256.
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

from inference_worker.brain_mask import BRAIN_LEVEL, SkullRemoval
from inference_worker.morphology import erode, fill_holes
from inference_worker.network_grid import NetworkGrid
from plaqueview.imaging.volume import Volume

NETWORK_SIZE = 256
WORKING_PIXEL_MM = (0.85, 1.2)  # matrices with square pixels in this range are masked as they are, others at 1 mm


class PreprocessingError(ValueError):
    """A volume that cannot be prepared, or a brain mask that fails its checks."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees of a volume.

    `slices` is (n, 256, 256) float32 from 0 to 1, `brain_mask` (n, rows, columns) on the grid of the volume,
    `seconds` the time of every step.
    """

    slices: NDArray[np.float32]
    brain_mask: NDArray[np.bool_]
    grid: NetworkGrid
    version: str
    seconds: Mapping[str, float]

    def restore(self, squares: NDArray[Any]) -> NDArray[Any]:  # Any: float probabilities or integer labels
        """(n, 256, 256) or (classes, n, 256, 256) on the volume's matrix; floats linearly, integers by nearest."""
        if squares.shape[-3] != len(self.slices):
            raise PreprocessingError(f"array has {squares.shape[-3]} slices, the volume has {len(self.slices)}")
        return self.grid.source(squares)


@dataclass(frozen=True)
class MaskChecks:
    """What a mask of the brain must satisfy to be used."""

    smallest_area_mm2: float = 6000.0  # on the largest slice
    largest_area_mm2: float = 28000.0
    farthest_from_head_mm: float = 20.0  # centre of the mask from the centre of the head, on the largest slice
    change: float = 0.35  # of the larger of two neighbouring areas, when that exceeds the smallest area
    change_per_mm: float = 0.07  # added for each mm between slices
    largest_change: float = 0.85

    def allowed_change(self, slice_mm: float) -> float:
        """By how much of itself the larger of two neighbouring areas may differ from the other."""
        return min(self.largest_change, self.change + self.change_per_mm * slice_mm)


@dataclass(frozen=True)
class Preprocessing:
    """The parameters of the five steps; `version` names them and is stored with the weights."""

    version: str = "1"
    skull_removal: SkullRemoval = field(default_factory=SkullRemoval)
    checks: MaskChecks = field(default_factory=MaskChecks)

    def prepare(self, volume: Volume) -> Prepared:
        """The five steps on an axial volume, slices feet to head.

        Raises: PreprocessingError when no head is found, or the brain mask fails its checks.
        """
        seconds: dict[str, float] = {}
        started = time.perf_counter()
        grey, head = to_eight_bits(volume)
        seconds["eight_bits"] = time.perf_counter() - started
        smooth = np.stack([cv2.medianBlur(s, 3) for s in grey])
        seconds["median"] = time.perf_counter() - started - sum(seconds.values())
        mask = self.brain_mask(smooth, head, volume.spacing_mm)
        seconds["brain_mask"] = time.perf_counter() - started - sum(seconds.values())
        rows, columns = volume.shape[1:]
        grid = NetworkGrid(rows, columns, volume.spacing_mm[1:], NETWORK_SIZE)
        slices = grid.square(np.where(mask, smooth, 0).astype(np.float32)) / np.float32(255.0)
        seconds["resampling"] = time.perf_counter() - started - sum(seconds.values())
        return Prepared(slices, mask, grid, self.version, seconds)

    def brain_mask(
        self, grey: NDArray[np.uint8], head: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
    ) -> NDArray[np.bool_]:
        """The checked brain mask (slices, rows, columns) of a median-filtered 8-bit volume."""
        rows, columns = grey.shape[1:]
        height, width, pixel_mm = working_matrix(rows, columns, spacing_mm[1:])
        resized = np.stack([cv2.resize(s, (width, height), interpolation=cv2.INTER_AREA) for s in grey])
        outline = np.stack([cv2.resize(s, (width, height), interpolation=cv2.INTER_NEAREST) for s in head])
        mask = self.skull_removal.mask(resized, outline, (spacing_mm[0], pixel_mm))
        check_mask(mask, outline, spacing_mm=(spacing_mm[0], pixel_mm), checks=self.checks)
        shares = (cv2.resize(s.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR) for s in mask)
        return np.stack([share >= 0.5 for share in shares])


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
    is_deep = np.stack([erode(s, 25.0 / min(volume.spacing_mm[1:])) > 0 for s in head])
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


def check_mask(
    mask: NDArray[np.uint8], head: NDArray[np.uint8], *, spacing_mm: tuple[float, float], checks: MaskChecks
) -> None:
    """Passes when area, position and change between slices are those of a brain.

    Raises: PreprocessingError naming the slice, the value found and the value needed.
    """
    areas_mm2 = mask.sum(axis=(1, 2)) * spacing_mm[1] ** 2
    largest = int(np.argmax(areas_mm2))
    if not checks.smallest_area_mm2 <= areas_mm2[largest] <= checks.largest_area_mm2:
        raise PreprocessingError(
            f"brain mask: area on slice {largest} is {areas_mm2[largest]:.0f} mm², "
            f"need {checks.smallest_area_mm2:.0f} to {checks.largest_area_mm2:.0f}"
        )
    distance_mm = float(np.linalg.norm(centre(mask[largest]) - centre(head[largest]))) * spacing_mm[1]
    if distance_mm > checks.farthest_from_head_mm:
        raise PreprocessingError(
            f"brain mask: centre on slice {largest} is {distance_mm:.0f} mm from the head's, "
            f"need at most {checks.farthest_from_head_mm:.0f}"
        )
    check_changes(areas_mm2, spacing_mm[0], checks)


def centre(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(row, column) of the middle of a mask that is not empty."""
    middle: NDArray[np.float64] = np.argwhere(mask).mean(axis=0)
    return middle


def check_changes(areas_mm2: NDArray[np.float64], slice_mm: float, checks: MaskChecks) -> None:
    """Passes when no area above the smallest changes by more than is allowed from one slice to the next."""
    allowed = checks.allowed_change(slice_mm)
    for k in range(1, len(areas_mm2)):
        smaller, larger = sorted(areas_mm2[k - 1 : k + 1])
        if larger >= checks.smallest_area_mm2 and (larger - smaller) / larger > allowed:
            raise PreprocessingError(
                f"brain mask: area changes by {(larger - smaller) / larger:.0%} from slice {k - 1} to slice {k}, "
                f"need at most {allowed:.0%}"
            )
