"""How well a prediction agrees with the truth: by voxel and by lesion.

Averaging is the caller's and is stated in its name: a `Confusion` pools the voxels it was given; `mean_of` averages
figures of several confusions. Empty cases: a figure whose denominator is zero is 1 where prediction and truth agree on
every voxel, else 0; the same holds for MCC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FULL_CONNECTIVITY = np.ones((3, 3, 3), dtype=bool)


class MetricError(ValueError):
    """Truth and prediction cannot be compared."""


@dataclass(frozen=True)
class Confusion:
    """Voxel counts of one comparison of two masks."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @classmethod
    def of(cls, prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Confusion:
        """Raises: MetricError when the shapes differ."""
        if prediction.shape != truth.shape:
            raise MetricError(f"prediction has shape {prediction.shape}, the truth has {truth.shape}")
        positives = int(np.count_nonzero(prediction & truth))
        predicted, true = int(np.count_nonzero(prediction)), int(np.count_nonzero(truth))
        negatives = truth.size - predicted - true + positives
        return cls(positives, predicted - positives, true - positives, negatives)

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.true_negatives + other.true_negatives,
        )

    @property
    def _is_agreed(self) -> bool:
        return self.false_positives == self.false_negatives == 0

    def _ratio(self, numerator: int, denominator: int) -> float:
        return numerator / denominator if denominator else float(self._is_agreed)

    @property
    def iou(self) -> float:
        return self._ratio(self.true_positives, self.true_positives + self.false_positives + self.false_negatives)

    @property
    def dice(self) -> float:
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        return self._ratio(2 * self.true_positives, total)

    @property
    def precision(self) -> float:
        return self._ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        return self._ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; of one comparison it equals Dice, of averages it does not."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0

    @property
    def mcc(self) -> float:
        """Matthews correlation coefficient, in -1..1."""
        positives, false_positives = self.true_positives, self.false_positives
        false_negatives, negatives = self.false_negatives, self.true_negatives
        product = (
            float(positives + false_positives)
            * float(positives + false_negatives)
            * float(negatives + false_positives)
            * float(negatives + false_negatives)
        )
        if product == 0.0:
            return float(self._is_agreed)
        return float(float(positives * negatives - false_positives * false_negatives) / np.sqrt(product))

    def figures(self) -> dict[str, float]:
        """The six metrics of the source paper's table."""
        names = ("iou", "dice", "precision", "recall", "f1", "mcc")
        return {name: float(getattr(self, name)) for name in names}


def mean_of(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The unweighted mean of every figure.

    Raises: MetricError when there are none.
    """
    if not figures:
        raise MetricError("no figures to average, need at least 1")
    return {name: float(np.mean([row[name] for row in figures])) for name in figures[0]}


@dataclass(frozen=True)
class LesionDetection:
    """How many lesions were found: a lesion counts as found when one voxel of the other mask touches it."""

    true_lesions: int
    found_lesions: int
    predicted_lesions: int
    false_lesions: int

    @classmethod
    def of(cls, prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> LesionDetection:
        """Of two (slices, rows, columns) masks, by 26-connected components.

        Raises: MetricError when the shapes differ.
        """
        if prediction.shape != truth.shape:
            raise MetricError(f"prediction has shape {prediction.shape}, the truth has {truth.shape}")
        true_lesions, found = _touched(truth, prediction)
        predicted_lesions, confirmed = _touched(prediction, truth)
        return cls(true_lesions, found, predicted_lesions, predicted_lesions - confirmed)

    @property
    def true_positive_rate(self) -> float:
        """LTPR: found share of the true lesions; 1 where there are none."""
        return self.found_lesions / self.true_lesions if self.true_lesions else 1.0

    @property
    def false_positive_rate(self) -> float:
        """LFPR: share of the predicted lesions that touch no true one; 0 where none is predicted."""
        return self.false_lesions / self.predicted_lesions if self.predicted_lesions else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the found share and the confirmed share; 1 where there is nothing to find or to confirm."""
        if self.true_lesions == self.predicted_lesions == 0:
            return 1.0
        confirmed_share = 1.0 - self.false_positive_rate if self.predicted_lesions else 0.0
        found_share = self.true_positive_rate if self.true_lesions else 0.0
        total = confirmed_share + found_share
        return 2.0 * confirmed_share * found_share / total if total else 0.0

    def figures(self) -> dict[str, float]:
        return {"lesion_f1": self.f1, "ltpr": self.true_positive_rate, "lfpr": self.false_positive_rate}


def _touched(lesions: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int]:
    """How many components a mask has, and how many of them the other mask touches."""
    components, count = ndimage.label(lesions, FULL_CONNECTIVITY)
    touched = np.unique(components[other & lesions])
    return int(count), len(touched)
