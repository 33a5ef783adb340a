"""Removal of the cranial bone: a mask of the brain's outer surface on every slice of an axial FLAIR volume.

The source paper gives the means (Gabor filter, then threshold, opening, largest component, closing, filling of
holes). A single slice does not tell an eye muscle from a gyrus, so the components are followed from a slice through
the middle of the brain towards head and feet, each slice bounded by the one before it. All lengths are in mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.morphology import Components, Mask, close, components, dilate, erode, fill_holes

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
    highest_tissue: float = 1.70  # orbital and subcutaneous fat is brighter
    lowest_component: float = 0.75  # mean of a component; muscle is darker
    opening_mm: float = 3.5
    opening_towards_head_mm: float = 2.0  # gyri at the vertex are narrow
    regrowth_mm: float = 1.5
    closing_mm: float = 8.0
    closing_towards_head_mm: float = 18.0  # above the temporal lobes the brain's outline is convex
    rim_mm: float = 1.2
    growth_towards_head: float = 0.1  # mm sideways for each mm between slices
    growth_towards_feet: float = 0.6
    overlap_towards_head: float = 0.6  # share of a component that must lie under the slice before
    overlap_towards_feet: float = 0.5
    smallest_component_mm2: float = 40.0
    small_component_mm2: float = 250.0
    largest_variation: float = 0.17  # deviation over mean in a small component below; muscle is streaked with fat
    certain_brain: float = 2.0  # mm inside the slice below, for each mm between slices, that is brain and not scalp
    scalp_mm: float = 4.0  # depth in the head that is scalp and not brain
    last_area_mm2: float = 1500.0  # a slice below the brain's last one shows less than this,
    last_area_share: float = 0.25  # and less than this share of the slice before
    depth_share_towards_head: float = 1.0  # of the depth of scalp and skull at the first slice
    depth_share_towards_feet: float = 0.8
    lowest_level: float = 0.85  # of the level at the first slice
    highest_level: float = 1.25
    extracted_rim_share: float = 0.6  # of the rim under the border that is brain grey when there is no scalp
    extracted_dark_share: float = 0.3  # of a band under it that is dark when there is no skull
    extracted_zero_share: float = 0.9  # of the outside that is zero when it was cut away

    def mask(
        self, grey: NDArray[np.uint8], head: NDArray[np.uint8], spacing_mm: tuple[float, float]
    ) -> NDArray[np.uint8]:
        """The brain, 0 or 1, (slices, rows, columns), feet to head.

        `grey` is the median-filtered 8-bit volume with brain near `BRAIN_LEVEL`, `head` the filled outline of the
        head, both with square pixels; `spacing_mm` is (between slices, in the plane).
        """
        if self.is_extracted(grey, head, spacing_mm[1]):
            return np.stack(
                [fill_holes(close((s > 0).astype(np.uint8), self.closing_mm / spacing_mm[1])) for s in grey]
            )
        return Following(self, grey, gabor_response(grey), head_depth_mm(head, spacing_mm), spacing_mm).masks()

    def is_extracted(self, grey: NDArray[np.uint8], head: NDArray[np.uint8], pixel_mm: float) -> bool:
        """Whether the volume shows a brain without scalp and skull.

        Then brain grey begins at the border, no dark bone lies under it, and everything outside is exactly zero.
        """
        middle = slice(len(grey) // 4, 3 * len(grey) // 4 + 1)
        counts = sum(border_counts(*pair, pixel_mm) for pair in zip(grey[middle], head[middle], strict=True))
        brain, rim, dark, band, zero, outside = counts
        return bool(
            brain > self.extracted_rim_share * rim
            and dark < self.extracted_dark_share * band
            and zero > self.extracted_zero_share * outside
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
    return np.stack([cv2.resize(s, (columns, rows), interpolation=cv2.INTER_LINEAR) for s in coarse])


def compete(bright: Mask, first: Mask, second: Mask) -> tuple[Mask, Mask]:
    """Two regions grown over the bright components that touch them; what touches both goes to the nearer."""
    parts = components(bright | first | second)
    count = len(parts.areas)
    touches_first = np.bincount(parts.numbers[first > 0], minlength=count) > 0
    touches_second = np.bincount(parts.numbers[second > 0], minlength=count) > 0
    to_first = cv2.distanceTransform(1 - first, cv2.DIST_L2, cv2.DIST_MASK_5)
    to_second = cv2.distanceTransform(1 - second, cv2.DIST_L2, cv2.DIST_MASK_5)
    shared = parts.select(touches_first & touches_second)
    nearer_first = (to_first <= to_second).astype(np.uint8)
    grown_first = parts.select(touches_first & ~touches_second) | (shared & nearer_first)
    grown_second = parts.select(touches_second & ~touches_first) | (shared & (1 - nearer_first))
    return grown_first, grown_second


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
        depth_mm = self.scalp_depth_mm(first, found[first])
        self.follow(found, first, towards_head=True, least_depth_mm=self.rule.depth_share_towards_head * depth_mm)
        self.follow(found, first, towards_head=False, least_depth_mm=self.rule.depth_share_towards_feet * depth_mm)
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
        """The largest opened component with the gyri that a wide fissure cuts off from it."""
        opening = self.pixels(self.rule.opening_mm)
        tissue = self.tissue(k, BRAIN_LEVEL)
        parts = components(erode(tissue, opening))
        around = fill_holes(close(dilate(parts.largest, opening), self.pixels(self.rule.closing_towards_head_mm)))
        seed = parts.select(np.bincount(parts.numbers[around > 0], minlength=len(parts.areas)) > 0.5 * parts.areas)
        return self.regrow(seed, tissue, opening, closing_mm=self.rule.closing_towards_head_mm)

    def regrow(self, seed: Mask, tissue: Mask, opening: float, *, closing_mm: float) -> Mask:
        """The seed grown back into the tissue that the opening took, with sulci closed and ventricles filled."""
        grown = dilate(seed, opening + self.pixels(self.rule.regrowth_mm)) & tissue
        return fill_holes(close(grown, self.pixels(closing_mm)))

    def scalp_depth_mm(self, k: int, mask: Mask) -> float:
        """How deep the brain begins on slice `k`: nearly the smallest depth of its border."""
        border = mask & (1 - erode(mask, self.pixels(1.5)))
        if not border.any():
            return 0.0
        return float(np.percentile(self.depth_mm[k][border > 0], 5))

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
            if towards_head:
                allowed &= 1 - self.scalp(k, before, level)
            found[k] = self.next_mask(k, before, allowed, level, towards_head=towards_head)
            if not towards_head and self.is_past_brain(found[k], before):
                found[k] = 0
            if not found[k].any():
                return

    def is_past_brain(self, mask: Mask, before: Mask) -> bool:
        """Whether a mask below the one before is too small, and too much smaller, to be brain: it shows the neck."""
        area_mm2 = float(mask.sum()) * self.spacing_mm[1] ** 2
        return area_mm2 < self.rule.last_area_mm2 and mask.sum() < self.rule.last_area_share * before.sum()

    def scalp(self, k: int, before: Mask, level: float) -> Mask:
        """What belongs to the scalp rather than the brain where partial volume joins the two near the vertex.

        Both grow from what is certain, through brighter tissue first, so that they meet in the dark skull between.
        """
        response = self.response[k]
        certain = erode(before, self.pixels(self.rule.certain_brain * self.spacing_mm[0]))
        brain = certain & (response > 0.8 * level).astype(np.uint8)
        scalp = (self.depth_mm[k] < self.rule.scalp_mm).astype(np.uint8)
        if not brain.any() or not scalp.any():
            return np.zeros_like(before)
        for share in (1.1, 1.0, 0.9, 0.8, 0.7, self.rule.lowest_tissue):
            bright = (response > share * level).astype(np.uint8)
            brain, scalp = compete(bright, brain, scalp)
        return scalp

    def next_level(self, k: int, before: Mask, level: float) -> float:
        """The brain's level, led along the slices, since coils are brighter at one end of the head."""
        inner = erode(before, self.pixels(3.0)) > 0
        values = self.grey[k][inner]
        values = values[(values > 0.48 * BRAIN_LEVEL) & (values < self.rule.highest_tissue * BRAIN_LEVEL)]
        if values.size <= 50:
            return level
        return min(
            max((level + float(np.median(values))) / 2, self.rule.lowest_level * BRAIN_LEVEL),
            self.rule.highest_level * BRAIN_LEVEL,
        )

    def allowed(self, k: int, before: Mask, *, towards_head: bool) -> Mask:
        growth = self.rule.growth_towards_head if towards_head else self.rule.growth_towards_feet
        return dilate(before, self.pixels(growth * self.spacing_mm[0]))

    def next_mask(self, k: int, before: Mask, allowed: Mask, level: float, *, towards_head: bool) -> Mask:
        """The components that continue the slice before, of brain's grey value, within what is allowed."""
        opening = self.pixels(self.rule.opening_towards_head_mm if towards_head else self.rule.opening_mm)
        overlap = self.rule.overlap_towards_head if towards_head else self.rule.overlap_towards_feet
        tissue = self.tissue(k, level) & allowed
        parts = components(erode(tissue, opening))
        continued = np.bincount(parts.numbers[before > 0], minlength=len(parts.areas)) / np.maximum(parts.areas, 1)
        is_brain = self.looks_like_brain(k, parts, level, is_even_needed=not towards_head)
        seed = parts.select((continued >= overlap) & is_brain)
        closing_mm = self.rule.closing_towards_head_mm if towards_head else self.rule.closing_mm
        return self.regrow(seed, tissue, opening, closing_mm=closing_mm) & allowed if seed.any() else seed

    def looks_like_brain(self, k: int, parts: Components, level: float, *, is_even_needed: bool) -> NDArray[np.bool_]:
        """By component: large enough, as bright as brain, and even where muscles lie beside the brain."""
        count, areas = len(parts.areas), np.maximum(parts.areas, 1)
        values = self.grey[k].ravel().astype(np.float64)
        means = np.bincount(parts.numbers.ravel(), values, minlength=count) / areas
        squares = np.bincount(parts.numbers.ravel(), values**2, minlength=count) / areas
        variation = np.sqrt(np.maximum(squares - means**2, 0.0)) / np.maximum(means, 1.0)
        areas_mm2 = areas * self.spacing_mm[1] ** 2
        is_brain = (areas_mm2 >= self.rule.smallest_component_mm2) & (means > self.rule.lowest_component * level)
        if is_even_needed:
            is_brain &= (areas_mm2 >= self.rule.small_component_mm2) | (variation <= self.rule.largest_variation)
        return np.asarray(is_brain)
