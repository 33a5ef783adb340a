"""What one reading of a volume changes in another: by voxel, by lesion, and in the classes of the lesions of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from plaqueview.imaging.agreement import AgreementError, are_active, dice, lesion_f1, matched
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.volume import Volume


@dataclass(frozen=True)
class Comparison:
    """How `after` differs from `before`.

    `dice` and `lesion_f1` mean what `imaging.agreement` says. Of the `matched` pairs of lesions that share a voxel,
    `class_changed` have another class in `after`. `added` lesions of `after` share no voxel with any of `before`,
    `removed` ones of `before` none with any of `after`.
    """

    dice: float
    lesion_f1: float
    matched: int
    class_changed: int
    added: int
    removed: int

    @property
    def class_agreement(self) -> float | None:
        """The share of the matched pairs that have one class; None without a pair."""
        return 1.0 - self.class_changed / self.matched if self.matched else None

    def as_json(self) -> dict[str, Any]:  # Any: numbers, or null
        return {**asdict(self), "class_agreement": self.class_agreement}


def compare(before: Volume, after: Volume, *, rule: CountingRule) -> Comparison:
    """What `after` changes in `before`, two label volumes (0, 1 inactive, 2 active) on one grid.

    Raises: AgreementError when the grids differ; LesionError when a label is none of 0, 1, 2.
    """
    if before.shape != after.shape or not np.allclose(before.affine, after.affine):
        raise AgreementError(f"the masks lie on grids of shape {before.shape} and {after.shape}, need one grid")
    old, new = (measure_lesions(labels, None, rule=rule) for labels in (before, after))
    pairs = matched(old, new)
    changed = are_active(old, pairs[:, 0]) != are_active(new, pairs[:, 1])
    return Comparison(
        dice=dice(before.voxels > 0, after.voxels > 0),
        lesion_f1=lesion_f1(pairs, len(old.lesions), len(new.lesions)),
        matched=len(pairs),
        class_changed=int(np.count_nonzero(changed)),
        added=len(new.lesions) - len(np.unique(pairs[:, 1])),
        removed=len(old.lesions) - len(np.unique(pairs[:, 0])),
    )


def sentence_of(rule: CountingRule) -> str:
    """What the figures mean, printed beside them."""
    return (
        "Dice over voxels of any plaque, 1 when neither marked any; lesions match when they share a voxel, each pair "
        "counts once; F1 from the shares of the lesions that match; class agreement is the share of the pairs with one "
        f"class. Lesions: {rule.sentence}"
    )
