"""What labelling a study would teach the network: how sure it is, who contradicts it, and what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.comparison import Comparison
from plaqueview.imaging.lesion_sizes import SizeClass
from plaqueview.imaging.lesions import CountingRule

# Between these probabilities the network hesitates; below, it says that there is nothing.
LEAST_PROBABILITY: Final = 0.1
MOST_PROBABILITY: Final = 0.9

# Headers round: spacings closer than this, as a share, are the same.
LEAST_DISTANCE: Final = 0.01

# A size class is rare below this share of the lesions in training.
RARE_SHARE: Final = 0.1

MEASURES: Final[Mapping[str, str]] = {"slice_mm": "Slices {} mm apart", "pixel_mm": "Pixels of {} mm"}

TEACHING_RULE: Final = (
    "1 less the product of (1 less each part), each 0 to 1. Uncertainty: of the volume that the network points at, "
    f"with a probability from {LEAST_PROBABILITY:g} on, the share up to {MOST_PROBABILITY:g}. Disagreement: 1 less the "
    "mean of Dice and lesion F1 with a model in shadow. Unlikeness: how far the spacings are from the nearest that the "
    "model was trained on, as a share of the larger. Rarity: the share of the lesions whose size class made up under "
    f"{RARE_SHARE:.0%} of those in training, less where it made up some. What is not known adds nothing. AI-predicted "
    "(FLAIR only)."
)


class PartName(StrEnum):
    UNCERTAINTY = "uncertainty"
    DISAGREEMENT = "disagreement"
    UNLIKENESS = "unlikeness"
    RARITY = "rarity"


@dataclass(frozen=True)
class Part:
    """One reason to label a study: `value` is 0 (teaches nothing) to 1, `text` a sentence with its figures."""

    name: PartName
    value: float
    text: str

    def as_json(self) -> dict[str, str | float]:
        return {"name": self.name.value, "value": round(self.value, 4), "text": self.text}


@dataclass(frozen=True)
class TrainedOn:
    """What a network has learned from: the spacings that it has met, ascending, and its lesions by size class."""

    spacings_mm: Mapping[str, Sequence[float]]
    sizes: Mapping[SizeClass, int]

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> TrainedOn | None:  # Any: JSON
        """From the facts of a model version; None where they say nothing of it."""
        if (found := facts.get("trained_on")) is None:
            return None
        sizes = {SizeClass(name): int(count) for name, count in found["sizes"].items()}
        return cls({name: tuple(found["spacings_mm"][name]) for name in MEASURES}, sizes)

    def joined(self, other: TrainedOn | None) -> TrainedOn:
        """Of a network that learned from both, one after the other."""
        if other is None:
            return self
        spacings = {name: sorted({*self.spacings_mm[name], *other.spacings_mm[name]}) for name in MEASURES}
        return TrainedOn(spacings, {size: self.sizes.get(size, 0) + other.sizes.get(size, 0) for size in SizeClass})

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "spacings_mm": {name: list(values) for name, values in self.spacings_mm.items()},
            "sizes": {size.value: count for size, count in self.sizes.items()},
        }


def score_of(parts: Sequence[Part]) -> float:
    """0 to 1, by `TEACHING_RULE`: at least its largest part, and more with each other one."""
    return 1.0 - prod(1.0 - part.value for part in parts)


def uncertainty(probability: NDArray[np.float32], marked: NDArray[np.bool_], *, voxel_ml: float) -> Part:
    """About how much of what the network points at it hesitates, in and around its marks.

    `probability` of a plaque of either class is (slices, rows, columns), 0 to 1. The volume of a smallest lesion is
    added to what it points at, so that a study with nothing but one doubtful voxel is not the most uncertain of all.
    """
    pointed = marked | (probability >= LEAST_PROBABILITY)
    hesitant = (probability >= LEAST_PROBABILITY) & (probability <= MOST_PROBABILITY)
    pointed_ml, hesitant_ml = (float(np.count_nonzero(one)) * voxel_ml for one in (pointed, hesitant))
    smallest_ml = CountingRule().minimum_volume_mm3 / 1000.0
    return Part(
        PartName.UNCERTAINTY,
        hesitant_ml / (pointed_ml + smallest_ml),
        f"The network hesitates about {hesitant_ml:.1f} of the {pointed_ml:.1f} ml that it points at.",
    )


def disagreement(found: Comparison, *, shadow: str) -> Part:
    """How far the model in shadow is from the result that readers see; `shadow` is its version."""
    return Part(
        PartName.DISAGREEMENT,
        1.0 - (found.dice + found.lesion_f1) / 2.0,
        f"Model {shadow} in shadow: Dice {found.dice:.2f}, lesion F1 {found.lesion_f1:.2f}; "
        f"{found.added} lesions more, {found.removed} less, {found.class_changed} of another class.",
    )


def unlikeness(spacing_mm: Sequence[float], trained_on: TrainedOn) -> Part | None:
    """How far the spacing of (slices, rows, columns) is from what the model has met; None when it has met it."""
    slice_mm, *in_plane = spacing_mm
    found = {"slice_mm": slice_mm, "pixel_mm": sum(in_plane) / len(in_plane)}
    nearest = [(*_nearest(found[name], met), name) for name, met in trained_on.spacings_mm.items() if met]
    value, met_mm, name = max(nearest, default=(0.0, 0.0, ""))
    if value < LEAST_DISTANCE:
        return None
    words = MEASURES[name].format(f"{found[name]:.3g}")
    return Part(PartName.UNLIKENESS, value, f"{words}; the nearest that the model was trained on: {met_mm:.3g} mm.")


def rarity(sizes: Mapping[SizeClass, int], trained_on: TrainedOn) -> Part | None:
    """How many of the study's lesions are of a size that training had few of; None where none is, or none is known."""
    learned, lesions = sum(trained_on.sizes.values()), sum(sizes.values())
    if not learned or not lesions:
        return None
    shares = {size: trained_on.sizes.get(size, 0) / learned for size in sizes}
    worth = {size: max(0.0, 1.0 - shares[size] / RARE_SHARE) * count for size, count in sizes.items()}
    size = max(worth, key=lambda one: worth[one])
    if not worth[size]:
        return None
    return Part(
        PartName.RARITY,
        sum(worth.values()) / lesions,
        f"{sizes[size]} of {lesions} lesions are {size}, as were {shares[size]:.0%} of those that the model was "
        "trained on.",
    )


def _nearest(found_mm: float, met: Sequence[float]) -> tuple[float, float]:
    """Of the lengths that were met the nearest, after how far it is: 0 when equal, towards 1 at many times it."""
    return min((1.0 - min(found_mm, met_mm) / max(found_mm, met_mm), met_mm) for met_mm in met)
