"""Plaques that networks find hard, counted apart: small, ring-shaped, at the brain's border, against the ventricles.

They are the weak spots that the source paper names. Each is defined on the truth alone, so that every model is judged
on the same plaques.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.metrics import FULL_CONNECTIVITY

SMALL_PIXELS = 10
RING_CENTRE_PIXELS = 2  # one unmarked pixel inside a plaque is the rater's pen, not a ring
BORDER_MM = 8.0  # the brain mask holds the fluid around the gyri and the cortex; a plaque under it lies this deep
VENTRICLE_MM = 2.0

RULES: Mapping[str, str] = {
    "lesions": "all lesions: 26-connected components of the truth",
    "border": f"lesions with a voxel at most {BORDER_MM:g} mm in its slice from the outside of the brain mask",
    "ventricles": f"lesions with a voxel at most {VENTRICLE_MM:g} mm in its slice from an expert's mask of the "
    "ventricles; only studies that have such a mask",
    "slice_plaques": "all plaques by slice: 8-connected components of the truth in one slice",
    "small": f"plaques by slice under {SMALL_PIXELS} pixels of the source grid",
    "ring": f"plaques by slice that enclose at least {RING_CENTRE_PIXELS} pixels not marked as plaque",
}
FOUND_RULE = "found when one voxel is predicted as plaque; recall is the share of their voxels predicted as plaque"
IN_SLICE = FULL_CONNECTIVITY & (np.arange(3) == 1)[:, None, None]


@dataclass(frozen=True)
class StratumCounts:
    """The plaques of one kind, how many were found, and their voxels."""

    plaques: int = 0
    found: int = 0
    voxels: int = 0
    predicted_voxels: int = 0

    def __add__(self, other: StratumCounts) -> StratumCounts:
        return StratumCounts(
            self.plaques + other.plaques,
            self.found + other.found,
            self.voxels + other.voxels,
            self.predicted_voxels + other.predicted_voxels,
        )

    def record(self) -> dict[str, float | int | None]:
        """Counts, found share (LTPR) and recall; shares of nothing are None."""
        return {
            "plaques": self.plaques,
            "found": self.found,
            "found_share": self.found / self.plaques if self.plaques else None,
            "recall": self.predicted_voxels / self.voxels if self.voxels else None,
        }


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the truth's plaques lie in: masks on its grid, (slices, rows, columns), and the spacing in a slice in mm."""

    brain_mask: NDArray[np.bool_]
    ventricles: NDArray[np.bool_] | None
    pixel_mm: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Plaques:
    """Numbered components of the truth with their sizes and the predicted voxels in each; entry 0 is background."""

    numbers: NDArray[np.int32]
    sizes: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def of(cls, truth: NDArray[np.bool_], prediction: NDArray[np.bool_], structure: NDArray[np.bool_]) -> Plaques:
        numbers, count = ndimage.label(truth, structure)
        sizes = np.bincount(numbers.ravel(), minlength=count + 1)
        return cls(np.asarray(numbers, np.int32), sizes, np.bincount(numbers[prediction], minlength=count + 1))

    def everywhere(self) -> NDArray[np.bool_]:
        return np.ones(len(self.sizes), bool)

    def touching(self, place: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """By component: whether one of its voxels lies in the place."""
        return np.bincount(self.numbers[place], minlength=len(self.sizes)) > 0

    def rings(self) -> NDArray[np.bool_]:
        """By component of one slice: whether it encloses enough unmarked pixels."""
        is_ring = np.zeros(len(self.sizes), bool)
        for number, box in enumerate(ndimage.find_objects(self.numbers), start=1):
            own = self.numbers[box] == number
            enclosed = ndimage.binary_fill_holes(own[0]) & (self.numbers[box][0] == 0)
            is_ring[number] = enclosed.sum() >= RING_CENTRE_PIXELS
        return is_ring

    def count(self, is_chosen: NDArray[np.bool_]) -> StratumCounts:
        chosen = is_chosen.copy()
        chosen[0] = False
        return StratumCounts(
            plaques=int(chosen.sum()),
            found=int((self.predicted[chosen] > 0).sum()),
            voxels=int(self.sizes[chosen].sum()),
            predicted_voxels=int(self.predicted[chosen].sum()),
        )


def count_strata(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], surroundings: Surroundings
) -> dict[str, StratumCounts]:
    """Every stratum of `RULES` but the ventricles' where there is no mask of them."""
    lesions = Plaques.of(truth, prediction, FULL_CONNECTIVITY)
    plaques = Plaques.of(truth, prediction, IN_SLICE)
    brain_mask, ventricles, pixel_mm = surroundings.brain_mask, surroundings.ventricles, surroundings.pixel_mm
    counts = {
        "lesions": lesions.count(lesions.everywhere()),
        "border": lesions.count(lesions.touching(within(~brain_mask, BORDER_MM, pixel_mm))),
        "slice_plaques": plaques.count(plaques.everywhere()),
        "small": plaques.count(plaques.sizes < SMALL_PIXELS),
        "ring": plaques.count(plaques.rings()),
    }
    if ventricles is not None:
        counts["ventricles"] = lesions.count(lesions.touching(within(ventricles, VENTRICLE_MM, pixel_mm)))
    return counts


def within(mask: NDArray[np.bool_], distance_mm: float, pixel_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """The voxels at most this far, in their own slice, from a voxel of the mask."""
    near = np.zeros_like(mask)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        near[index] = ndimage.distance_transform_edt(~mask[index], sampling=pixel_mm) <= distance_mm
    return near
