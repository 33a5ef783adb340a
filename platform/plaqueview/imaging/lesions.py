"""Lesions: the connected components of a label volume, with their class and their measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.lesion_axes import in_plane_axis_mm, longest_axis_mm
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.lesion_sizes import SizeClass, size_of
from plaqueview.imaging.volume import Volume

# Neighbours that count as connected, as the largest number of axes a step may change.
STEP_OF_CONNECTIVITY: Mapping[int, int] = {6: 1, 18: 2, 26: 3}

# The most lesions that `lesion_numbers` (uint16, 0 = none) can name.
LARGEST_LESION_NUMBER = 65_535


class LesionError(ValueError):
    """The labels or the probabilities cannot be measured."""


@dataclass(frozen=True)
class CountingRule:
    """What counts as one lesion; printed beside every count.

    `minimum_volume_mm3` defaults to a sphere of 3 mm diameter, the smallest lesion that the MAGNIMS and McDonald
    criteria accept. Source: Thompson et al., Lancet Neurol 2018 (McDonald 2017); Filippi et al., Brain 2019.

    Raises: LesionError when the connectivity is not 6, 18 or 26 or the minimum is negative.
    """

    connectivity: int = 26
    minimum_volume_mm3: float = 14.1

    def __post_init__(self) -> None:
        if self.connectivity not in STEP_OF_CONNECTIVITY:
            raise LesionError(f"connectivity is {self.connectivity}, need one of {sorted(STEP_OF_CONNECTIVITY)}")
        if not 0.0 <= self.minimum_volume_mm3 < float("inf"):
            raise LesionError(f"minimum volume is {self.minimum_volume_mm3} mm³, need a finite number of at least 0")

    @property
    def sentence(self) -> str:
        return (
            f"{self.connectivity}-connected components of at least {self.minimum_volume_mm3:g} mm³; "
            "active when at least half of the voxels are labelled active"
        )


@dataclass(frozen=True)
class LesionMeasures:
    """One lesion.

    `number` runs from 1 by falling volume. `longest_axis_mm` is the largest distance in space between the centres of
    two of its voxels, and never less than the larger in-plane voxel spacing, which is thus the length of a single
    voxel; `in_plane_axis_mm` is the same between two voxels of one slice. `centroid_mm` is (x, y, z) in LPS,
    `centroid_index` (slice, row, column), both unweighted means over voxels. `slice_indices`
    ascend. `mean_probability` is of being a plaque of either class, 0 to 1; None without probabilities.
    """

    number: int
    lesion_class: LesionClass
    voxel_count: int
    volume_ml: float
    longest_axis_mm: float
    in_plane_axis_mm: float
    centroid_mm: tuple[float, float, float]
    centroid_index: tuple[float, float, float]
    slice_indices: tuple[int, ...]
    mean_probability: float | None

    @property
    def size(self) -> SizeClass:
        return size_of(self.in_plane_axis_mm)


@dataclass(frozen=True, eq=False)
class LesionTable:
    """The lesions of one volume, by falling volume.

    `lesion_numbers` is (slices, rows, columns) uint16: the number of the lesion at each voxel, 0 where there is none.
    """

    rule: CountingRule
    lesions: tuple[LesionMeasures, ...]
    lesion_numbers: NDArray[np.uint16]

    def counts(self) -> dict[LesionClass, int]:
        return {kind: len(self._of(kind)) for kind in LesionClass}

    def volumes_ml(self) -> dict[LesionClass, float]:
        return {kind: sum((lesion.volume_ml for lesion in self._of(kind)), 0.0) for kind in LesionClass}

    def counts_by_size(self) -> dict[SizeClass, dict[LesionClass, int]]:
        """By `lesion_sizes.SIZE_RULE`."""
        return {
            size: {kind: sum(lesion.size is size for lesion in self._of(kind)) for kind in LesionClass}
            for size in SizeClass
        }

    def counts_by_slice(self) -> dict[LesionClass, tuple[int, ...]]:
        """How many lesions touch each slice; a lesion on three slices counts on all three."""
        slice_count = self.lesion_numbers.shape[0]
        return {kind: _lesions_by_slice(self._of(kind), slice_count) for kind in LesionClass}

    def class_labels(self) -> NDArray[np.uint8]:
        """(slices, rows, columns) uint8 labels in which every voxel of a lesion carries the lesion's class."""
        label_of_number = [0, *(LABEL_OF_CLASS[lesion.lesion_class] for lesion in self.lesions)]
        labels: NDArray[np.uint8] = np.array(label_of_number, np.uint8)[self.lesion_numbers]
        return labels

    def _of(self, kind: LesionClass) -> list[LesionMeasures]:
        return [lesion for lesion in self.lesions if lesion.lesion_class is kind]


@dataclass(frozen=True)
class _Components:
    """Foreground voxels grouped by lesion: rows `starts[i]` to `starts[i + 1]` belong to lesion i + 1."""

    starts: NDArray[np.intp]
    indices: NDArray[np.intp]  # (n, 3) slice, row, column

    @property
    def count(self) -> int:
        return len(self.starts) - 1

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) or (n, k) values by voxel as their (lesions,) or (lesions, k) means."""
        sizes = np.diff(self.starts).reshape(-1, *[1] * (values.ndim - 1))
        means: NDArray[np.float64] = np.add.reduceat(values, self.starts[:-1], axis=0) / sizes
        return means

    def voxels_of(self, lesion: int) -> NDArray[np.intp]:
        return self.indices[self.starts[lesion] : self.starts[lesion + 1]]


def measure_lesions(
    labels: Volume, plaque_probability: NDArray[np.float32] | None, *, rule: CountingRule
) -> LesionTable:
    """The lesions of the labels, as the rule counts them.

    A component joins voxels of both classes; its class is that of the majority, and active on a tie. Components under
    the minimum volume are not lesions. Equal volumes are ordered by their first voxel in C order. `labels` holds 0, 1
    and 2; `plaque_probability` is (slices, rows, columns), 0 to 1, on the same grid.

    Raises: LesionError when a label is none of 0, 1, 2, the shapes differ, a probability inside a lesion is outside
    0 to 1, or there are more than 65,535 lesions.
    """
    _check_labels(labels)
    components = _components(labels, rule)
    lesion_numbers = np.zeros(labels.shape, np.uint16)
    at = tuple(components.indices.T)
    lesion_numbers[at] = np.repeat(np.arange(components.count) + 1, np.diff(components.starts))
    if components.count == 0:
        return LesionTable(rule, (), lesion_numbers)
    probabilities = _mean_probabilities(components, plaque_probability, labels.shape)
    is_active = (labels.voxels[at] == LABEL_OF_CLASS[LesionClass.ACTIVE]).astype(np.float64)
    classes = [LesionClass.ACTIVE if share >= 0.5 else LesionClass.INACTIVE for share in components.means(is_active)]
    return LesionTable(rule, _measures(labels, components, classes, probabilities), lesion_numbers)


def _check_labels(labels: Volume) -> None:
    if labels.voxels.dtype.kind not in "bui":
        raise LesionError(f"labels have dtype {labels.voxels.dtype}, need integers")
    if labels.voxels.size and not 0 <= int(labels.voxels.min()) <= int(labels.voxels.max()) <= 2:
        found = f"{labels.voxels.min()} to {labels.voxels.max()}"
        raise LesionError(f"labels run from {found}, need 0 (background), 1 (inactive), 2 (active)")


def _components(labels: Volume, rule: CountingRule) -> _Components:
    """Labels only the box that holds the foreground: lesions fill a small part of a head."""
    indices = np.argwhere(labels.voxels)
    if len(indices) == 0:
        return _Components(np.zeros(1, np.intp), indices)
    lowest, highest = indices.min(axis=0), indices.max(axis=0) + 1
    box = labels.voxels[tuple(slice(*side) for side in zip(lowest, highest, strict=True))]
    structure = ndimage.generate_binary_structure(3, STEP_OF_CONNECTIVITY[rule.connectivity])
    components, _ = ndimage.label(box, structure)
    component_of = components[tuple((indices - lowest).T)] - 1
    return _ordered(indices, component_of, labels.voxel_volume_ml * 1000.0, rule)


def _ordered(
    indices: NDArray[np.intp], component_of: NDArray[np.int32], voxel_volume_mm3: float, rule: CountingRule
) -> _Components:
    """The components that the rule keeps, largest first; `component_of` numbers them from 0 in C order."""
    sizes = np.bincount(component_of)
    smallest = rule.minimum_volume_mm3 * (1.0 - 1e-9)  # the rounding of a product decides no lesion
    kept = np.flatnonzero(sizes * voxel_volume_mm3 >= smallest)
    kept = kept[np.argsort(-sizes[kept], kind="stable")]
    if len(kept) > LARGEST_LESION_NUMBER:
        raise LesionError(f"{len(kept)} lesions found, at most {LARGEST_LESION_NUMBER} can be numbered")
    rank = np.full(len(sizes), len(kept))
    rank[kept] = np.arange(len(kept))
    rank_of_voxel = rank[component_of]
    order = np.argsort(rank_of_voxel, kind="stable")[: int(sizes[kept].sum())]
    return _Components(np.concatenate([[0], np.cumsum(sizes[kept])]).astype(np.intp), indices[order])


def _mean_probabilities(
    components: _Components, plaque_probability: NDArray[np.float32] | None, shape: tuple[int, int, int]
) -> list[float | None]:
    if plaque_probability is None:
        return [None] * components.count
    if plaque_probability.shape != shape:
        raise LesionError(f"plaque probability has shape {plaque_probability.shape}, the labels have {shape}")
    values = plaque_probability[tuple(components.indices.T)].astype(np.float64)
    if not ((values >= 0.0) & (values <= 1.0 + 1e-6)).all():
        raise LesionError("plaque probability inside a lesion is outside 0 to 1 or not a number")
    return [min(float(mean), 1.0) for mean in components.means(values)]


def _measures(
    labels: Volume, components: _Components, classes: list[LesionClass], probabilities: list[float | None]
) -> tuple[LesionMeasures, ...]:
    centroids = components.means(components.indices.astype(np.float64))
    positions = labels.positions_mm(centroids)
    return tuple(
        LesionMeasures(
            number=lesion + 1,
            lesion_class=classes[lesion],
            voxel_count=len(components.voxels_of(lesion)),
            volume_ml=len(components.voxels_of(lesion)) * labels.voxel_volume_ml,
            longest_axis_mm=longest_axis_mm(components.voxels_of(lesion), labels),
            in_plane_axis_mm=in_plane_axis_mm(components.voxels_of(lesion), labels),
            centroid_mm=_triple(positions[lesion]),
            centroid_index=_triple(centroids[lesion]),
            slice_indices=tuple(np.unique(components.voxels_of(lesion)[:, 0]).tolist()),
            mean_probability=probabilities[lesion],
        )
        for lesion in range(components.count)
    )


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third


def _lesions_by_slice(lesions: list[LesionMeasures], slice_count: int) -> tuple[int, ...]:
    touched = [index for lesion in lesions for index in lesion.slice_indices]
    return tuple(np.bincount(touched, minlength=slice_count).tolist()) if touched else (0,) * slice_count
