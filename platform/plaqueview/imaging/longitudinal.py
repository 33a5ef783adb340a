"""What became of each lesion between two visits: lesions matched after registration, and how their volume changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from plaqueview.imaging.volume import Volume

Pairs = dict[tuple[int, int], float]


class LesionChange(StrEnum):
    NEW = "new"
    ENLARGING = "enlarging"
    STABLE = "stable"
    SHRINKING = "shrinking"
    RESOLVED = "resolved"


# The order in which a reader is shown them: activity first.
SHOWN_ORDER = tuple(LesionChange(name) for name in ("new", "enlarging", "shrinking", "resolved", "stable"))


class LongitudinalError(ValueError):
    """The lesions or the matrix cannot be compared."""


@dataclass(frozen=True)
class ChangeRule:
    """When lesions of two visits are the same, and when they have changed; printed beside every comparison.

    The shares of growth are those by which the area of one lesion does not differ when it is measured again: 45.2 % for
    lesions under 0.67 cm² and 24.2 % for larger ones; a sphere of `small_lesion_ml` is as wide as a disc of 0.67 cm².
    Source: Arch Neurol 1992;49:261-263. The share of overlap is that of the MSSEG challenge. Source: Commowick et al.,
    Sci Rep 2018;8:13650. The smallest change is the smallest lesion, a sphere of 3 mm diameter (`CountingRule`).
    """

    least_overlap: float = 0.10
    nearness_mm: float = 1.0
    small_lesion_ml: float = 0.41
    small_lesion_change: float = 0.45
    large_lesion_change: float = 0.24
    smallest_change_mm3: float = 14.1

    @property
    def sentence(self) -> str:
        return (
            f"lesions are the same when they share at least {self.least_overlap:.0%} of the smaller one after rigid "
            f"registration, or, where one shares so much with none, when they come within {self.nearness_mm:g} mm; "
            f"enlarging or shrinking when the volumes differ by at least {self.small_lesion_change:.0%} of the "
            f"smaller ({self.large_lesion_change:.0%} from {self.small_lesion_ml:g} ml), by at least "
            f"{self.smallest_change_mm3:g} mm³ and by more than half a layer of surface voxels; "
            "what lies outside the other visit's slices is not compared"
        )

    def change_of(self, prior_ml: float, current_ml: float, *, layer_ml: float) -> LesionChange:
        """What the two volumes of one group mean; `layer_ml` is what half a layer of surface voxels holds.

        Exchanging the visits exchanges enlarging and shrinking.
        """
        smaller_ml, difference_ml = min(prior_ml, current_ml), abs(current_ml - prior_ml)
        is_small = smaller_ml < self.small_lesion_ml
        share = self.small_lesion_change if is_small else self.large_lesion_change
        if difference_ml < max(share * smaller_ml, self.smallest_change_mm3 / 1000.0) or difference_ml <= layer_ml:
            return LesionChange.STABLE
        return LesionChange.ENLARGING if current_ml > prior_ml else LesionChange.SHRINKING


# What a change says of the class, and what it does not.
SUGGESTION = (
    "New or enlarging against the prior is evidence for the class active. It is a suggestion: no class changes, and "
    "none counts as confirmed, until a reader says so."
)


@dataclass(frozen=True)
class Change:
    """Lesions of both visits that belong together, by number, and what became of them.

    `anchor` is (slice, row, column) in the current grid: a voxel of the largest lesion near its middle, or, where
    nothing is left, the voxel nearest to where that middle would be.
    """

    change: LesionChange
    lesions: tuple[int, ...]
    prior_lesions: tuple[int, ...]
    volume_ml: float
    prior_volume_ml: float
    anchor: tuple[int, int, int]

    @property
    def suggests_active(self) -> bool:
        return self.change in (LesionChange.NEW, LesionChange.ENLARGING)


@dataclass(frozen=True)
class Comparison:
    """The changes, activity first, then by falling volume; lesions outside the other visit's slices stand apart."""

    rule: ChangeRule
    changes: tuple[Change, ...]
    not_compared: tuple[int, ...]
    prior_not_compared: tuple[int, ...]

    def counts(self) -> dict[LesionChange, int]:
        return {kind: sum(one.change is kind for one in self.changes) for kind in LesionChange}

    def volumes_ml(self) -> dict[LesionChange, float]:
        """Of the lesions of this visit."""
        return {kind: sum((one.volume_ml for one in self._of(kind)), 0.0) for kind in LesionChange}

    def prior_volumes_ml(self) -> dict[LesionChange, float]:
        """Of the lesions of the prior."""
        return {kind: sum((one.prior_volume_ml for one in self._of(kind)), 0.0) for kind in LesionChange}

    def _of(self, kind: LesionChange) -> list[Change]:
        return [one for one in self.changes if one.change is kind]


def compare_lesions(
    current: Volume, prior: Volume, current_to_prior: NDArray[np.float64], *, rule: ChangeRule
) -> Comparison:
    """The lesions of two visits, matched many to many.

    The voxels of both are lesion numbers, 0 where there is none (`LesionTable.lesion_numbers`), each visit on its own
    grid; `current_to_prior` is 4x4 and takes LPS mm of the current visit to LPS mm of the prior. Lesions that are
    linked, directly or through others, are one group; its volumes are sums, each measured on its own grid.

    Raises: LongitudinalError when the matrix is not an invertible 4x4.
    """
    if current_to_prior.shape != (4, 4) or abs(np.linalg.det(current_to_prior[:3, :3])) < 1e-9:
        raise LongitudinalError(f"matrix has shape {current_to_prior.shape} or is singular, need an invertible 4x4")
    here = _Visit(current, prior, current_to_prior)
    there = _Visit(prior, current, np.linalg.inv(current_to_prior).astype(np.float64))
    links = _links(here, there, rule)
    groups = _groups(here, there, links)
    linked_here, linked_there = {a for a, _ in links}, {b for _, b in links}
    outside = tuple(number for number in here.numbers if number not in linked_here and here.is_outside(number))
    outside_there = tuple(number for number in there.numbers if number not in linked_there and there.is_outside(number))
    left_out = {((number,), ()) for number in outside} | {((), (number,)) for number in outside_there}
    changes = [_change(here, there, group, rule) for group in groups if group not in left_out]
    changes.sort(key=lambda one: (SHOWN_ORDER.index(one.change), -max(one.volume_ml, one.prior_volume_ml)))
    return Comparison(rule, tuple(changes), outside, outside_there)


class _Visit:
    """The lesions of one visit, and where they lie in the other's grid."""

    def __init__(self, lesions: Volume, other: Volume, matrix: NDArray[np.float64]) -> None:
        self.lesions, self.other, self.matrix = lesions, other, matrix
        self.indices = np.argwhere(lesions.voxels)
        self.number_of_voxel = lesions.voxels[tuple(self.indices.T)].astype(np.intp)
        self.numbers: list[int] = np.unique(self.number_of_voxel).tolist()
        highest = self.numbers[-1] if self.numbers else 0
        self.volumes_ml = np.bincount(self.number_of_voxel, minlength=highest + 1) * lesions.voxel_volume_ml

    @cached_property
    def positions_there(self) -> NDArray[np.float64]:
        """(n, 3) LPS mm of each lesion voxel at the other visit."""
        positions: NDArray[np.float64] = self.lesions.positions_mm(self.indices) @ self.matrix[:3, :3].T
        return positions + self.matrix[:3, 3]

    def touched(self, shift_mm: NDArray[np.float64] | None = None) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The other visit's lesion number at each voxel, moved by `shift_mm`, and whether it lies in that grid."""
        positions = self.positions_there if shift_mm is None else self.positions_there + shift_mm
        inverse = np.linalg.inv(self.other.affine)
        indices = np.rint(positions @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.intp)
        is_inside = ((indices >= 0) & (indices < np.array(self.other.shape))).all(axis=1)
        found = np.zeros(len(indices), np.intp)
        found[is_inside] = self.other.voxels[tuple(indices[is_inside].T)]
        return found, is_inside

    def overlaps_ml(self, shift_mm: NDArray[np.float64] | None = None) -> Pairs:
        """By (own number, other's number): the volume of own voxels that fall on the other's lesion."""
        found, _ = self.touched(shift_mm)
        pairs, counts = np.unique(np.stack([self.number_of_voxel, found])[:, found > 0], axis=1, return_counts=True)
        voxel_ml = self.lesions.voxel_volume_ml
        return {(int(own), int(other)): float(n) * voxel_ml for (own, other), n in zip(pairs.T, counts, strict=True)}

    @cached_property
    def _shares_inside(self) -> NDArray[np.float64]:
        _, is_inside = self.touched()
        return np.bincount(self.number_of_voxel, is_inside) / np.maximum(np.bincount(self.number_of_voxel), 1)

    def is_outside(self, number: int) -> bool:
        """More than half of the lesion lies where the other visit has no voxels."""
        return bool(self._shares_inside[number] < 0.5)

    @cached_property
    def layers_ml(self) -> NDArray[np.float64]:
        """By lesion number: half the volume of the voxels that have a neighbour, of six, that is not the lesion's."""
        lowest, highest = self.indices.min(axis=0), self.indices.max(axis=0) + 1
        box = np.pad(self.lesions.voxels[tuple(slice(*side) for side in zip(lowest, highest, strict=True))], 1)
        cross = ndimage.generate_binary_structure(3, 1)
        is_surface = ndimage.minimum_filter(box, footprint=cross) != ndimage.maximum_filter(box, footprint=cross)
        own = is_surface[tuple((self.indices - lowest + 1).T)]
        counts = np.bincount(self.number_of_voxel, own)
        layers_ml: NDArray[np.float64] = (counts * self.lesions.voxel_volume_ml / 2.0).astype(np.float64)
        return layers_ml

    def middle_voxel(self, number: int) -> tuple[int, int, int]:
        """The voxel of the lesion that is nearest to its centroid."""
        return self.lesions.nearest_to_middle(self.indices[self.number_of_voxel == number])


def _links(here: _Visit, there: _Visit, rule: ChangeRule) -> set[tuple[int, int]]:
    """(current number, prior number) of lesions that are the same by the rule."""
    overlaps_ml = _merged(here.overlaps_ml(), there.overlaps_ml())
    links = {
        (a, b)
        for (a, b), shared_ml in overlaps_ml.items()
        if shared_ml >= rule.least_overlap * min(here.volumes_ml[a], there.volumes_ml[b])
    }
    return links | _nearest(here, there, links, rule)


def _merged(forward: Pairs, backward: Pairs) -> Pairs:
    """The larger of the two measures of each pair: a coarse grid may step over a small lesion of the other."""
    turned = {(b, a): shared_ml for (a, b), shared_ml in backward.items()}
    return {pair: max(forward.get(pair, 0.0), turned.get(pair, 0.0)) for pair in forward.keys() | turned.keys()}


def _nearest(here: _Visit, there: _Visit, links: set[tuple[int, int]], rule: ChangeRule) -> set[tuple[int, int]]:
    """For each lesion without a link, one to the lesion that it most nearly touches within the rule's distance."""
    steps = rule.nearness_mm * np.vstack([np.zeros(3), np.eye(3), -np.eye(3)])
    near: Pairs = {}
    for step in steps:
        for pair, shared_ml in _merged(here.overlaps_ml(step), there.overlaps_ml(step)).items():
            near[pair] = near.get(pair, 0.0) + shared_ml
    linked_here, linked_there = {a for a, _ in links}, {b for _, b in links}
    found = {_strongest(near, [pair for pair in near if pair[0] == a]) for a in here.numbers if a not in linked_here}
    found |= {_strongest(near, [pair for pair in near if pair[1] == b]) for b in there.numbers if b not in linked_there}
    return {pair for pair in found if pair is not None}


def _strongest(near: Pairs, pairs: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    return max(sorted(pairs), key=lambda pair: near[pair], default=None)


def _groups(here: _Visit, there: _Visit, links: set[tuple[int, int]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Lesions of both visits that hang together by links; each lesion is in exactly one group."""
    nodes = [(True, number) for number in here.numbers] + [(False, number) for number in there.numbers]
    place = {node: index for index, node in enumerate(nodes)}
    graph = sparse.lil_matrix((len(nodes), len(nodes)), dtype=np.int8)
    for a, b in links:
        graph[place[True, a], place[False, b]] = 1
    count, group_of_node = csgraph.connected_components(graph, directed=False)
    members: list[tuple[list[int], list[int]]] = [([], []) for _ in range(count)]
    for (is_here, number), group in zip(nodes, group_of_node, strict=True):
        members[group][0 if is_here else 1].append(number)
    return [(tuple(own), tuple(other)) for own, other in members]


def _change(here: _Visit, there: _Visit, group: tuple[tuple[int, ...], tuple[int, ...]], rule: ChangeRule) -> Change:
    lesions, prior_lesions = group
    volume_ml = float(here.volumes_ml[list(lesions)].sum())
    prior_volume_ml = float(there.volumes_ml[list(prior_lesions)].sum())
    return Change(
        change=_kind(here, there, group, rule),
        lesions=lesions,
        prior_lesions=prior_lesions,
        volume_ml=volume_ml,
        prior_volume_ml=prior_volume_ml,
        anchor=_anchor(here, there, group),
    )


def _kind(
    here: _Visit, there: _Visit, group: tuple[tuple[int, ...], tuple[int, ...]], rule: ChangeRule
) -> LesionChange:
    lesions, prior_lesions = list(group[0]), list(group[1])
    if not prior_lesions:
        return LesionChange.NEW
    if not lesions:
        return LesionChange.RESOLVED
    layer_ml = float(here.layers_ml[lesions].sum() + there.layers_ml[prior_lesions].sum()) / 2.0
    current_ml, prior_ml = here.volumes_ml[lesions].sum(), there.volumes_ml[prior_lesions].sum()
    return rule.change_of(float(prior_ml), float(current_ml), layer_ml=layer_ml)


def _anchor(here: _Visit, there: _Visit, group: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[int, int, int]:
    lesions, prior_lesions = group
    if lesions:
        return here.middle_voxel(max(lesions, key=lambda number: float(here.volumes_ml[number])))
    largest = max(prior_lesions, key=lambda number: float(there.volumes_ml[number]))
    place = there.lesions.positions_mm(np.array([there.middle_voxel(largest)])) @ there.matrix[:3, :3].T
    inverse = np.linalg.inv(here.lesions.affine)
    index = (place + there.matrix[:3, 3]) @ inverse[:3, :3].T + inverse[:3, 3]
    found = np.clip(np.rint(index[0]).astype(np.intp), 0, np.array(here.lesions.shape) - 1)
    slice_index, row, column = found.tolist()
    return slice_index, row, column
