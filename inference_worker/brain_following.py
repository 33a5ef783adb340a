"""The brain followed from slice to slice.

A single slice does not tell an eye muscle from a gyrus. So the components are followed from a slice through the middle
of the brain towards head and feet, each slice bounded by the one before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_worker.morphology import Components, Mask, close, components, dilate, erode, fill_holes
from inference_worker.skull_removal import BRAIN_LEVEL, Direction, SkullRemoval


@dataclass(frozen=True, eq=False)
class Following:
    """What is followed.

    `grey` and `response` (slices, rows, columns) are the volume before and after the Gabor filter, `depth_mm` how deep
    in the head each voxel lies; `spacing_mm` is (between slices, in the plane).
    """

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
        for direction in (self.rule.towards_head, self.rule.towards_feet):
            self.follow(found, first, direction)
        for k in range(1, len(found) - 1):
            found[k] |= found[k - 1] & found[k + 1]
        return np.stack([dilate(mask, self.pixels(self.rule.rim_mm)) for mask in found])

    def pixels(self, length_mm: float) -> float:
        return length_mm / self.spacing_mm[1]

    def tissue(self, k: int, level: float) -> Mask:
        """Where the filtered slice has a grey value that brain can have when brain's level is `level`."""
        response = self.response[k]
        is_tissue = (response > self.rule.lowest_tissue * level) & (response < self.rule.highest_tissue * level)
        return np.asarray(is_tissue, np.uint8)

    def opened(self, k: int) -> Components:
        """The components of a slice at the volume's level, as the first slice is chosen and masked."""
        return components(erode(self.tissue(k, BRAIN_LEVEL), self.pixels(self.rule.first_opening_mm)))

    def first_slice(self) -> int:
        """The middle one of the slices whose largest opened component is nearly as large as the largest of all."""
        areas = np.array([self.opened(k).largest.sum() for k in range(len(self.grey))])
        widest = np.flatnonzero(areas >= 0.85 * areas.max())
        return int(widest[len(widest) // 2])

    def first_mask(self, k: int) -> Mask:
        """The largest opened component with the gyri that a wide fissure cuts off from it."""
        opening, closing_mm = self.pixels(self.rule.first_opening_mm), self.rule.first_closing_mm
        parts = self.opened(k)
        around = fill_holes(close(dilate(parts.largest, opening), self.pixels(closing_mm)))
        seed = parts.select(np.bincount(parts.numbers[around > 0], minlength=len(parts.areas)) > 0.5 * parts.areas)
        return self.regrow(seed, self.tissue(k, BRAIN_LEVEL), opening, closing_mm=closing_mm)

    def regrow(self, seed: Mask, tissue: Mask, opening: float, *, closing_mm: float) -> Mask:
        """The seed grown back into the tissue that the opening took, with sulci closed and ventricles filled."""
        grown = dilate(seed, opening + self.pixels(self.rule.regrowth_mm)) & tissue
        return fill_holes(close(grown, self.pixels(closing_mm)))

    def border_depth_mm(self, k: int, mask: Mask) -> float:
        """How deep in the head the brain begins on slice `k`: nearly the smallest depth of its border."""
        border = mask & (1 - erode(mask, self.pixels(1.5)))
        return float(np.percentile(self.depth_mm[k][border > 0], 5)) if border.any() else 0.0

    def follow(self, found: NDArray[np.uint8], first: int, direction: Direction) -> None:
        """Fills `found` from the slice beside `first` to the last slice that still shows brain."""
        least_depth_mm = direction.depth_share * self.border_depth_mm(first, found[first])
        level = BRAIN_LEVEL
        for k in range(first + direction.step, len(found) if direction.step > 0 else -1, direction.step):
            before = found[k - direction.step]
            level = self.next_level(k, before, level)
            allowed = dilate(before, self.pixels(direction.growth * self.spacing_mm[0]))
            allowed &= (self.depth_mm[k] > least_depth_mm).astype(np.uint8)
            if direction is self.rule.towards_head:
                allowed &= 1 - self.scalp(k, before, level)
            found[k] = self.next_mask(k, before, allowed, level, direction=direction)
            if direction is self.rule.towards_feet and self.is_past_brain(found[k], before):
                found[k] = 0
            if not found[k].any():
                return

    def next_level(self, k: int, before: Mask, level: float) -> float:
        """The brain's level, led along the slices, since coils are brighter at one end of the head."""
        inner = erode(before, self.pixels(3.0)) > 0
        values = self.grey[k][inner]
        values = values[(values > 0.48 * BRAIN_LEVEL) & (values < self.rule.highest_tissue * BRAIN_LEVEL)]
        if values.size <= 50:
            return level
        lowest, highest = self.rule.lowest_level * BRAIN_LEVEL, self.rule.highest_level * BRAIN_LEVEL
        return min(max((level + float(np.median(values))) / 2, lowest), highest)

    def next_mask(self, k: int, before: Mask, allowed: Mask, level: float, *, direction: Direction) -> Mask:
        """The components that continue the slice before, of brain's grey value, within what is allowed."""
        opening = self.pixels(direction.opening_mm)
        tissue = self.tissue(k, level) & allowed
        parts = components(erode(tissue, opening))
        continued = np.bincount(parts.numbers[before > 0], minlength=len(parts.areas)) / np.maximum(parts.areas, 1)
        seed = parts.select((continued >= direction.overlap) & self.looks_like_brain(k, parts, level, direction))
        return self.regrow(seed, tissue, opening, closing_mm=direction.closing_mm) & allowed if seed.any() else seed

    def looks_like_brain(self, k: int, parts: Components, level: float, direction: Direction) -> NDArray[np.bool_]:
        """By component: large enough, as bright as brain, and even where muscles lie beside the brain."""
        count, areas = len(parts.areas), np.maximum(parts.areas, 1)
        values = self.grey[k].ravel().astype(np.float64)
        means = np.bincount(parts.numbers.ravel(), values, minlength=count) / areas
        squares = np.bincount(parts.numbers.ravel(), values**2, minlength=count) / areas
        variation = np.sqrt(np.maximum(squares - means**2, 0.0)) / np.maximum(means, 1.0)
        areas_mm2 = areas * self.spacing_mm[1] ** 2
        is_brain = (areas_mm2 >= self.rule.smallest_component_mm2) & (means > self.rule.lowest_component * level)
        if direction is self.rule.towards_feet:
            is_brain &= (areas_mm2 >= self.rule.small_component_mm2) | (variation <= self.rule.largest_variation)
        return np.asarray(is_brain)

    def is_past_brain(self, mask: Mask, before: Mask) -> bool:
        """Whether a mask below the one before is too small, and too much smaller, to be brain: it shows the neck."""
        area_mm2 = float(mask.sum()) * self.spacing_mm[1] ** 2
        return bool(area_mm2 < self.rule.last_area_mm2 and mask.sum() < self.rule.last_area_share * before.sum())

    def scalp(self, k: int, before: Mask, level: float) -> Mask:
        """What belongs to the scalp rather than the brain where partial volume joins the two near the vertex.

        Both grow from what is certain, through brighter tissue first, so that they meet in the dark skull between.
        """
        response = self.response[k]
        certain = erode(before, self.pixels(self.rule.certain_brain * self.spacing_mm[0]))
        brain = certain & np.asarray(response > self.rule.certain_brain_grey * level, np.uint8)
        scalp = np.asarray(self.depth_mm[k] < self.rule.scalp_mm, np.uint8)
        if not brain.any() or not scalp.any():
            return np.zeros_like(before)
        for share in self.rule.scalp_levels:
            brain, scalp = compete(np.asarray(response > share * level, np.uint8), brain, scalp)
        return scalp


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
