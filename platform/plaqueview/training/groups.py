"""How both models do in each group of the test side, and how far a mean over so few patients may be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plaqueview.training.gate import RESAMPLES, SEED, Figure, Figures, Trial, pairs_of

GROUP_RULE: Final = (
    "mean over the patients of the test side, of a patient's studies first, of those for whom the figure is defined; "
    f"in brackets 95 % confidence by percentile bootstrap, {RESAMPLES} resamples of patients, none of fewer than two"
)

EVERYBODY: Final = "all"
# Of fewer, a mean tells of a person, to whoever knows that one or the other of them. The usual least number of a cell.
SMALLEST_GROUP: Final = 3


@dataclass(frozen=True)
class Interval:
    """A mean over patients; `low` and `high` bound its 95 % confidence interval, None of one patient."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + ("" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})")


@dataclass(frozen=True)
class GroupFigure:
    """One figure of both models over the patients of one group."""

    group: str
    figure: str
    patients: int
    candidate: Interval
    champion: Interval

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return asdict(self)


def groups_of(trials: Sequence[Trial]) -> tuple[GroupFigure, ...]:
    """Any plaque of all patients; then by load, scanner and site, by class, and by the size of lesions."""
    return tuple(_groups(trials))


def told_to_everybody(groups: Sequence[GroupFigure]) -> tuple[GroupFigure, ...]:
    """What a card says: it goes to who may see none of the patients, and with the model to another department.

    All patients of the test side are no group; the gate asks how many they are.
    """
    return tuple(one for one in groups if one.group == EVERYBODY or one.patients >= SMALLEST_GROUP)


def _groups(trials: Sequence[Trial]) -> Iterator[GroupFigure]:
    yield from _group(EVERYBODY, "any-plaque Dice", trials, lambda one: one.dice)
    yield from _group(EVERYBODY, "lesion F1", trials, lambda one: one.lesion_f1)
    yield from _group(EVERYBODY, "calibration error", trials, lambda one: one.calibration_error)
    for stratum in sorted({name for trial in trials for name in trial.strata}):
        within = [trial for trial in trials if stratum in trial.strata]
        yield from _group(stratum, "any-plaque Dice", within, lambda one: one.dice)
    for name in dict.fromkeys(name for trial in trials for name in trial.candidate.class_dice):
        yield from _group(f"class {name}", "Dice", trials, partial(_class_dice, name))
    for name in dict.fromkeys(name for trial in trials for name in trial.candidate.found_by_size):
        yield from _group(f"{name} lesions", "share found", trials, partial(_found, name))


def _class_dice(name: str, figures: Figures) -> float | None:
    return figures.class_dice.get(name)


def _found(name: str, figures: Figures) -> float | None:
    return figures.found_by_size.get(name)


def _group(group: str, name: str, trials: Sequence[Trial], figure: Figure) -> Iterator[GroupFigure]:
    """Nothing where the figure is defined for nobody."""
    pairs = pairs_of(trials, figure)
    if len(pairs):
        yield GroupFigure(group, name, len(pairs), _interval(pairs[:, 0]), _interval(pairs[:, 1]))


def _interval(values: NDArray[np.float64]) -> Interval:
    if len(values) < 2:
        return Interval(float(values[0]), None, None)
    drawn = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return Interval(float(values.mean()), float(low), float(high))
