"""How the network's probabilities are read: stored with the weights, since figures hold for both together only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import steps_within

Number = TypeVar("Number", np.float32, np.uint8)


@dataclass(frozen=True)
class ReadingRule:
    """A voxel is a plaque from `plaque_threshold` of P(inactive) + P(active) on.

    Where two or more neighbours fit into `slab_mm`, the network sees each slice as the mean of those around it, as a
    scanner with thicker slices shows it; 0 reads the slices as they are. Networks learn mostly from slices of 5 mm and
    more, in which a plaque stands out of noise that hides it in a thin one. With `is_mirrored` the network sees
    everything with left and right exchanged as well, and both answers are averaged; without it, as it was first, the
    answers to a thin slice and to its slab are.
    """

    plaque_threshold: float = 0.25
    slab_mm: float = 5.0
    is_mirrored: bool = True

    @classmethod
    def of_weights(cls, identity: Mapping[str, Any]) -> ReadingRule:  # Any: JSON
        """The rule in what weights say of themselves; those that name none were measured with the first one."""
        return cls(**{"is_mirrored": False} | identity["reading"]) if "reading" in identity else FIRST_RULE

    def views(self, slices: NDArray[Number], slice_mm: float) -> Sequence[NDArray[Number] | NDArray[np.float32]]:
        """What the network sees of (n, rows, columns) slices that are so far apart: as many slices, once or twice."""
        reach = slab_reach(self.slab_mm, slice_mm)
        seen = slab_means(slices, reach) if reach else slices
        if self.is_mirrored:
            return [seen, seen[..., ::-1]]
        return [slices, seen] if reach else [seen]

    def answer(self, answers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """What the network says of the slices, by its answers to the views, whose last axis are the columns."""
        if len(answers) == 1:
            return answers[0]
        first, second = answers
        return np.asarray((first + (second[..., ::-1] if self.is_mirrored else second)) / np.float32(2.0))


FIRST_RULE = ReadingRule(plaque_threshold=0.5, slab_mm=0.0, is_mirrored=False)
# By recipe: the source paper shows its network each slice once.
RULE_OF_RECIPE: Mapping[str, ReadingRule] = {"plaqueview": ReadingRule(), "paper": FIRST_RULE}


def slab_reach(slab_mm: float, slice_mm: float) -> int:
    """Neighbours on either side that a slab takes in, of slices that are so far apart."""
    return steps_within(slab_mm, slice_mm) // 2


def slab_slice(slices: NDArray[Number], index: int, reach: int) -> slice:
    """The slices of the slab around one, fewer at the ends of the stack."""
    return slice(max(0, index - reach), min(len(slices), index + reach + 1))


def slab_means(slices: NDArray[Number], reach: int) -> NDArray[np.float32]:
    """Each of (n, rows, columns) slices as the mean of the slab around it."""
    return np.stack([slices[slab_slice(slices, k, reach)].mean(axis=0, dtype=np.float32) for k in range(len(slices))])
