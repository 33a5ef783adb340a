"""How far two readers of one volume agree: by voxel, by lesion, and on the classes of the lesions both have marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.lesions import CountingRule, LesionTable, measure_lesions
from plaqueview.imaging.volume import Volume


class AgreementError(ValueError):
    """The two masks cannot be compared."""


@dataclass(frozen=True)
class Agreement:
    """Every figure is symmetric in the two readers, and 1 or undefined where they agree in full.

    Dice is 2|A∩B| / (|A|+|B|) over voxels, of plaque of either class and of each class; 1 when neither reader marked
    any. `lesion_f1` is the harmonic mean of the shares of each reader's lesions that share a voxel with a lesion of the
    other; 1 when neither has a lesion. `class_kappa` is Cohen's kappa, -1 to 1, over the `lesions_matched` pairs of
    lesions that share a voxel; None where chance alone would agree: without a pair, or when both say one same class.

    Source: Dice, Ecology 1945; Cohen, Educational and Psychological Measurement 1960.
    """

    dice: float
    dice_active: float
    dice_inactive: float
    lesion_f1: float
    class_kappa: float | None
    lesions_matched: int
    rule: str


def measure_agreement(first: Volume, second: Volume, *, rule: CountingRule) -> Agreement:
    """The agreement of two label volumes (0, 1 inactive, 2 active) on one grid.

    Raises: AgreementError when the grids differ; LesionError when a label is none of 0, 1, 2.
    """
    if first.shape != second.shape or not np.allclose(first.affine, second.affine):
        raise AgreementError(f"the masks lie on grids of shape {first.shape} and {second.shape}, need one grid")
    tables = [measure_lesions(labels, None, rule=rule) for labels in (first, second)]
    pairs = matched(tables[0], tables[1])
    return Agreement(
        dice=dice(first.voxels > 0, second.voxels > 0),
        dice_active=dice_of_class(LesionClass.ACTIVE, first, second),
        dice_inactive=dice_of_class(LesionClass.INACTIVE, first, second),
        lesion_f1=lesion_f1(pairs, len(tables[0].lesions), len(tables[1].lesions)),
        class_kappa=_kappa(are_active(tables[0], pairs[:, 0]), are_active(tables[1], pairs[:, 1])),
        lesions_matched=len(pairs),
        rule=sentence_of(rule),
    )


def sentence_of(rule: CountingRule) -> str:
    """What the figures mean, printed beside them."""
    return (
        "Dice over voxels, 1 when neither reader marked any; lesions match when they share a voxel, each pair counts "
        "once; F1 from the share of each reader's lesions that match; Cohen's kappa of the classes over the pairs. "
        f"Lesions: {rule.sentence}"
    )


def dice_of_class(kind: LesionClass, first: Volume, second: Volume) -> float:
    label = LABEL_OF_CLASS[kind]
    return dice(first.voxels == label, second.voxels == label)


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """2|A∩B| / (|A|+|B|); 1 when both are empty."""
    marked = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * int(np.count_nonzero(first & second)) / marked if marked else 1.0


def matched(first: LesionTable, second: LesionTable) -> NDArray[np.int64]:
    """(n, 2): the numbers of the lesions that share a voxel, each pair once."""
    both = (first.lesion_numbers > 0) & (second.lesion_numbers > 0)
    numbers = np.stack([first.lesion_numbers[both], second.lesion_numbers[both]], axis=1)
    pairs: NDArray[np.int64] = np.unique(numbers.astype(np.int64), axis=0)
    return pairs


def lesion_f1(pairs: NDArray[np.int64], first_count: int, second_count: int) -> float:
    """Of `matched` pairs and the numbers of lesions; 1 when there are none."""
    if first_count == second_count == 0:
        return 1.0
    if len(pairs) == 0:
        return 0.0
    shares = [len(np.unique(pairs[:, reader])) / count for reader, count in enumerate((first_count, second_count))]
    return 2.0 * shares[0] * shares[1] / sum(shares)


def are_active(table: LesionTable, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether the lesion of each number is active; numbers run from 1 in the order of the table."""
    is_active = np.array([lesion.lesion_class is LesionClass.ACTIVE for lesion in table.lesions], np.bool_)
    chosen: NDArray[np.bool_] = is_active[numbers - 1]
    return chosen


def _kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    if len(first) == 0:
        return None
    observed = float((first == second).mean())
    shares = float(first.mean()), float(second.mean())
    expected = shares[0] * shares[1] + (1.0 - shares[0]) * (1.0 - shares[1])
    return (observed - expected) / (1.0 - expected) if expected < 1.0 else None
