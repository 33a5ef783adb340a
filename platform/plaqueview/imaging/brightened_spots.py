"""The spots that became brighter, one by one, and what the masks say of the lesions in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.longitudinal import SHOWN_ORDER, Change, LesionChange
from plaqueview.imaging.volume import Volume

# What a brighter spot says of the class, and what it does not.
BRIGHTENING_SUGGESTION = (
    "Brighter than at the prior without growing may be evidence for the class active; the coil, the protocol and "
    "motion brighten too. It is a suggestion: no lesion is added, no class changes, and none counts as confirmed, "
    "until a reader says so."
)

GROWN = (LesionChange.NEW, LesionChange.ENLARGING)


@dataclass(frozen=True)
class Spot:
    """One 26-connected spot on the current grid.

    `anchor` is (slice, row, column): its voxel nearest to its middle. `runs` are (first voxel, length) in C order.
    """

    anchor: tuple[int, int, int]
    volume_ml: float
    runs: tuple[tuple[int, int], ...]

    @property
    def voxels(self) -> NDArray[np.intp]:
        """Places in C order, ascending."""
        return np.concatenate([np.arange(first, first + length) for first, length in self.runs])


@dataclass(frozen=True)
class SpotChange:
    """A spot, the lesions of the study that it touches, and what became of those by the masks; None of no lesion."""

    spot: Spot
    lesions: tuple[int, ...]
    change: LesionChange | None

    @property
    def grew(self) -> bool:
        """The masks say already that something is new or enlarging here."""
        return self.change in GROWN


def spot_from(stored: Mapping[str, Any]) -> Spot:  # Any: JSON
    """The spot of which `dataclasses.asdict` was kept."""
    slice_index, row, column = stored["anchor"]
    runs = tuple((first, length) for first, length in stored["runs"])
    return Spot((slice_index, row, column), stored["volume_ml"], runs)


def spots_of(brightened: Volume) -> tuple[Spot, ...]:
    """The spots of a mask by `find_brightened`, the largest first."""
    numbers, _ = ndimage.label(brightened.voxels, np.ones((3, 3, 3)))
    found = [spot_at(box, numbers[box] == number, brightened) for number, box in _boxes(numbers)]
    return tuple(sorted(found, key=lambda spot: (-spot.volume_ml, spot.anchor)))


def _boxes(numbers: NDArray[np.integer]) -> list[tuple[int, tuple[slice, ...]]]:
    return list(enumerate(ndimage.find_objects(numbers), start=1))


def spot_at(box: tuple[slice, ...], inside: NDArray[np.bool_], grid: Volume) -> Spot:
    """The spot that fills `inside` of this box of the grid."""
    indices = np.argwhere(inside) + [side.start for side in box]
    voxels = np.ravel_multi_index(tuple(indices.T), grid.shape)
    return Spot(grid.nearest_to_middle(indices), len(indices) * grid.voxel_volume_ml, _runs(voxels))


def _runs(voxels: NDArray[np.intp]) -> tuple[tuple[int, int], ...]:
    starts = np.flatnonzero(np.diff(voxels, prepend=-2) != 1)
    lengths = np.diff(starts, append=len(voxels))
    return tuple(zip(voxels[starts].tolist(), lengths.tolist(), strict=True))


def changes_of_spots(
    spots: Sequence[Spot], lesion_numbers: NDArray[np.integer], changes: Sequence[Change]
) -> tuple[SpotChange, ...]:
    """Each spot with the lesions in it: `lesion_numbers` lie on the spots' grid, `changes` are those of its lesions.

    Of lesions that changed differently the spot has the change that a reader is shown first.
    """
    flat = lesion_numbers.ravel()
    change_of = {number: one.change for one in changes for number in one.lesions}
    return tuple(_with_lesions(spot, np.unique(flat[spot.voxels]), change_of) for spot in spots)


def _with_lesions(spot: Spot, numbers: NDArray[np.integer], change_of: dict[int, LesionChange]) -> SpotChange:
    lesions = tuple(number for number in numbers.tolist() if number)
    changes = {change_of[number] for number in lesions if number in change_of}
    return SpotChange(spot, lesions, next((kind for kind in SHOWN_ORDER if kind in changes), None))
