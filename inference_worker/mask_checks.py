"""What a mask of the brain must satisfy to be used, and what is said of one that does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class PreprocessingError(ValueError):
    """A volume that cannot be prepared, or a brain mask that fails its checks."""


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
