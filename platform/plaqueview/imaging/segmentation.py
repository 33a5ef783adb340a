"""What a network says of one volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.lesions import LesionTable
from plaqueview.imaging.volume import Volume


class SegmentationError(ValueError):
    """The parts of a segmentation do not lie on one grid."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Labels, probabilities and lesions on the grid of the source volume; every array is (slices, rows, columns).

    `labels` holds uint8 0, 1 (inactive), 2 (active), without components under the counting rule's minimum, and every
    voxel of a lesion carries the lesion's class. `plaque_probability` is P(inactive) + P(active), `active_probability`
    is P(active), both 0 to 1. `seconds` is the time of each step by name, `processor_seconds` the processors' time of
    all threads of the process; `warnings` are sentences for the reader. `computation` says in which precision the
    network ran, and on what; it is empty where that is not known.

    Raises: SegmentationError when an array has another shape or dtype.
    """

    labels: Volume
    brain_mask: NDArray[np.bool_]
    plaque_probability: NDArray[np.float32]
    active_probability: NDArray[np.float32]
    lesions: LesionTable
    seconds: Mapping[str, float]
    warnings: tuple[str, ...]
    processor_seconds: Mapping[str, float] = field(default_factory=dict)
    computation: str = ""

    def __post_init__(self) -> None:
        self._check("labels", self.labels.voxels.dtype, self.labels.shape, np.uint8)
        for name, array, dtype in (
            ("brain mask", self.brain_mask, np.bool_),
            ("plaque probability", self.plaque_probability, np.float32),
            ("active probability", self.active_probability, np.float32),
            ("lesion numbers", self.lesions.lesion_numbers, np.uint16),
        ):
            self._check(name, array.dtype, array.shape, dtype)

    def _check(self, name: str, dtype: np.dtype, shape: tuple[int, ...], wanted: type[np.generic]) -> None:
        if shape != self.labels.shape or dtype != wanted:
            raise SegmentationError(f"{name}: found {dtype} {shape}, need {np.dtype(wanted)} {self.labels.shape}")
