"""Removal of the cranial bone: a mask of the brain's outer surface on every slice of an axial FLAIR volume.

The source paper gives the means (Gabor filter, then threshold, opening, largest component, closing, filling of holes). A single
slice does not tell an eye muscle from a gyrus, so the components are followed from a slice through the middle of the brain
towards head and feet, each slice bounded by the one before it. All lengths are in mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.morphology import Mask, close, components, dilate, erode, fill_holes

# Gabor filter of the source paper, section "Preprocessing": lambda, theta, psi, sigma, gamma.
GABOR_WAVELENGTH = 5 * np.pi / 4
GABOR_ORIENTATION = np.pi / 4
GABOR_PHASE = -0.5
GABOR_SIGMA = 1.0
GABOR_ASPECT = 1.0
GABOR_RADIUS = 3

BRAIN_LEVEL = 100.0  # grey value that the 8-bit rule gives to brain tissue


def gabor_kernel() -> NDArray[np.float32]:
    """(7, 7) kernel of the paper's Gabor function, scaled to sum 1 so that flat tissue keeps its grey value."""
    y, x = np.mgrid[-GABOR_RADIUS : GABOR_RADIUS + 1, -GABOR_RADIUS : GABOR_RADIUS + 1].astype(np.float64)
    along = x * np.cos(GABOR_ORIENTATION) + y * np.sin(GABOR_ORIENTATION)
    across = -x * np.sin(GABOR_ORIENTATION) + y * np.cos(GABOR_ORIENTATION)
    envelope = np.exp(-(along**2 + GABOR_ASPECT**2 * across**2) / (2 * GABOR_SIGMA**2))
    kernel = envelope * np.cos(2 * np.pi * along / GABOR_WAVELENGTH + GABOR_PHASE)
    return (kernel / kernel.sum()).astype(np.float32)


def gabor_response(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(slices, rows, columns) filtered slice by slice."""
    kernel = gabor_kernel()
    return np.stack([cv2.filter2D(s, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE) for s in grey])


@dataclass(frozen=True)
class SkullRemoval:
    """What the mask of the brain is made with; grey values are shares of the brain's level, lengths are mm."""

    lowest_tissue: float = 0.60
    highest_tissue: float = 2.20  # orbital and subcutaneous fat is brighter
    lowest_component: float = 0.75  # mean of a component; muscle is darker
    opening_mm: float = 3.5
    opening_towards_head_mm: float = 2.0  # gyri at the vertex are narrow
    regrowth_mm: float = 1.5
    closing_mm: float = 8.0
    rim_mm: float = 0.7
    growth_towards_head: float = 0.1  # mm sideways for each mm between slices
    growth_towards_feet: float = 0.6
    overlap_towards_head: float = 0.6  # share of a component that must lie under the slice before
    overlap_towards_feet: float = 0.5
    smallest_component_mm2: float = 40.0
    depth_share: float = 0.75  # of the scalp's and skull's depth at the first slice
    extracted_rim_share: float = 0.6  # of a rim at the head's border that is brain grey: no scalp, no skull

    def mask(
        self, grey: NDArray[np.uint8], head: NDArray[np.uint8], spacing_mm: tuple[float, float]
    ) -> NDArray[np.uint8]:
        """The brain, 0 or 1, (slices, rows, columns), feet to head.

        `grey` is the median-filtered 8-bit volume with brain near `BRAIN_LEVEL`, `head` the filled outline of the head, both with
        square pixels; `spacing_mm` is (between slices, in the plane).
        """
        if self.is_extracted(grey, spacing_mm[1]):
            return np.stack(
                [fill_holes(close((s > 0).astype(np.uint8), self.closing_mm / spacing_mm[1])) for s in grey]
            )
        return Following(self, grey, gabor_response(grey), head_depth_mm(head, spacing_mm), spacing_mm).masks()

    def is_extracted(self, grey: NDArray[np.uint8], pixel_mm: float) -> bool:
        """Whether the volume shows a brain without scalp and skull: brain grey begins at its border."""
        brain_pixels = rim_pixels = 0
        for grey_slice in grey[len(grey) // 4 : 3 * len(grey) // 4 + 1]:
            outline = fill_holes(close((grey_slice > 8).astype(np.uint8), 3.0))
            rim = (erode(outline, 2.0 / pixel_mm) > 0) & (erode(outline, 8.0 / pixel_mm) == 0)
            brain_pixels += int(((grey_slice > 0.6 * BRAIN_LEVEL) & (grey_slice < 1.7 * BRAIN_LEVEL) & rim).sum())
            rim_pixels += int(rim.sum())
        return brain_pixels > self.extracted_rim_share * rim_pixels


def head_depth_mm(head: NDArray[np.uint8], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """Distance of every voxel from the outside of the head, in three dimensions, from a grid of about 2 mm."""
    step = max(1, round(2.0 / spacing_mm[1]))
    sampling = (spacing_mm[0], spacing_mm[1] * step, spacing_mm[1] * step)
    coarse = ndimage.distance_transform_edt(head[:, ::step, ::step], sampling=sampling).astype(np.float32)
    rows, columns = head.shape[1:]
    return np.stack([cv2.resize(s, (columns, rows), interpolation=cv2.INTER_LINEAR) for s in coarse])


@dataclass(frozen=True, eq=False)
class Following:
    """The brain followed from slice to slice."""

    rule: SkullRemoval
    grey: NDArray[np.uint8]
    response: NDArray[np.float32]
    depth_mm: NDArray[np.float32]
    spacing_mm: tuple[float, float]

    def masks(self) -> NDArray[np.uint8]:
        """Every slice's mask, joined where both neighbours agree, with a rim for the border's partial volume."""
        first = self.first_slice()
        found = np.zeros(self.grey.shape, np.uint8)
        found[first] = self.first_mask(first)
        least_depth_mm = self.scalp_depth_mm(first, found[first])
        self.follow(found, first, towards_head=True, least_depth_mm=least_depth_mm)
        self.follow(found, first, towards_head=False, least_depth_mm=least_depth_mm)
        for k in range(1, len(found) - 1):
            found[k] |= found[k - 1] & found[k + 1]
        return np.stack([dilate(mask, self.pixels(self.rule.rim_mm)) for mask in found])

    def pixels(self, length_mm: float) -> float:
        return length_mm / self.spacing_mm[1]

    def tissue(self, k: int, level: float) -> Mask:
        """Where the filtered slice has a grey value that brain can have when brain's level is `level`."""
        response = self.response[k]
        is_tissue = (response > self.rule.lowest_tissue * level) & (response < self.rule.highest_tissue * level)
        return is_tissue.astype(np.uint8)

    def first_slice(self) -> int:
        """The middle one of the slices whose largest opened component is nearly as large as the largest of all."""
        opening = self.pixels(self.rule.opening_mm)
        areas = np.array(
            [components(erode(self.tissue(k, BRAIN_LEVEL), opening)).largest.sum() for k in range(len(self.grey))]
        )
        widest = np.flatnonzero(areas >= 0.85 * areas.max())
        return int(widest[len(widest) // 2])

    def first_mask(self, k: int) -> Mask:
        opening = self.pixels(self.rule.opening_mm)
        tissue = self.tissue(k, BRAIN_LEVEL)
        return self.regrow(components(erode(tissue, opening)).largest, tissue, opening)

    def regrow(self, seed: Mask, tissue: Mask, opening: float) -> Mask:
        """The seed grown back into the tissue that the opening took, with sulci closed and ventricles filled."""
        grown = dilate(seed, opening + self.pixels(self.rule.regrowth_mm)) & tissue
        return fill_holes(close(grown, self.pixels(self.rule.closing_mm)))

    def scalp_depth_mm(self, k: int, mask: Mask) -> float:
        """How deep the brain begins: a share of the smallest depths of its border on the first slice."""
        border = mask & (1 - erode(mask, self.pixels(1.5)))
        if not border.any():
            return 0.0
        return self.rule.depth_share * float(np.percentile(self.depth_mm[k][border > 0], 10))

    def follow(self, found: NDArray[np.uint8], first: int, *, towards_head: bool, least_depth_mm: float) -> None:
        """Fills `found` from the slice beside `first` to the last slice that still shows brain."""
        step = 1 if towards_head else -1
        level = BRAIN_LEVEL
        for k in range(first + step, len(found) if towards_head else -1, step):
            before = found[k - step]
            level = self.next_level(k, before, level)
            allowed = self.allowed(k, before, towards_head=towards_head) & (self.depth_mm[k] > least_depth_mm).astype(
                np.uint8
            )
            found[k] = self.next_mask(k, before, allowed, level, towards_head=towards_head)
            if not found[k].any():
                return

    def next_level(self, k: int, before: Mask, level: float) -> float:
        """The brain's level, led along the slices, since coils are brighter at one end of the head."""
        inner = erode(before, self.pixels(3.0)) > 0
        values = self.grey[k][inner]
        values = values[(values > 0.48 * BRAIN_LEVEL) & (values < self.rule.highest_tissue * BRAIN_LEVEL)]
        if values.size <= 50:
            return level
        return min(max((level + float(np.median(values))) / 2, 0.75 * BRAIN_LEVEL), 1.25 * BRAIN_LEVEL)

    def allowed(self, k: int, before: Mask, *, towards_head: bool) -> Mask:
        growth = self.rule.growth_towards_head if towards_head else self.rule.growth_towards_feet
        return dilate(before, self.pixels(growth * self.spacing_mm[0]))

    def next_mask(self, k: int, before: Mask, allowed: Mask, level: float, *, towards_head: bool) -> Mask:
        """The components that continue the slice before, of brain's grey value, within what is allowed."""
        opening = self.pixels(self.rule.opening_towards_head_mm if towards_head else self.rule.opening_mm)
        overlap = self.rule.overlap_towards_head if towards_head else self.rule.overlap_towards_feet
        tissue = self.tissue(k, level) & allowed
        parts = components(erode(tissue, opening))
        count = len(parts.areas)
        areas = np.maximum(parts.areas, 1)
        continued = np.bincount(parts.numbers[before > 0], minlength=count) / areas
        means = np.bincount(parts.numbers.ravel(), self.grey[k].ravel(), minlength=count) / areas
        is_large = areas * self.spacing_mm[1] ** 2 >= self.rule.smallest_component_mm2
        seed = parts.select((continued >= overlap) & is_large & (means > self.rule.lowest_component * level))
        return self.regrow(seed, tissue, opening) & allowed if seed.any() else seed
