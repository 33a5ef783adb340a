"""Small, medium and large lesions, by what a reader measures on a slice."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SizeClass(StrEnum):
    """From the smallest on."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


# The longest axis within one slice from which a lesion is of the class, in mm (docs/decisions/0026-sizes.md).
SMALLEST_MM: Final[Mapping[SizeClass, float]] = {SizeClass.SMALL: 0.0, SizeClass.MEDIUM: 5.0, SizeClass.LARGE: 10.0}

SIZE_RULE: Final = (
    "by the longest axis within one slice, between voxel centres: small under 5 mm, medium under 10 mm, "
    "large from 10 mm"
)


def size_of(in_plane_axis_mm: float) -> SizeClass:
    """The class; on the limit it is the larger one, and rounding decides nothing."""
    rounded_mm = round(in_plane_axis_mm, 6)
    return [kind for kind, smallest_mm in SMALLEST_MM.items() if rounded_mm >= smallest_mm][-1]
