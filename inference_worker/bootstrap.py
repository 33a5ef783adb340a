"""How far a mean over patients may be trusted: patients, not voxels or slices, are drawn again with replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from inference_worker.metrics import Confusion, MetricError

Values = Sequence[float | None]


@dataclass(frozen=True)
class Interval:
    """A figure of several patients. `standard_deviation` is of the patients (n - 1), None where it has no meaning.

    `low` and `high` bound the 95 % confidence interval; None for fewer than 2 patients.
    """

    mean: float | None
    standard_deviation: float | None
    low: float | None
    high: float | None
    patients: int

    def record(self) -> dict[str, float | int | None]:
        return asdict(self)


@dataclass(frozen=True)
class PairedDifference:
    """One model's mean minus that of another on the same patients; `share_better` is of the resamples."""

    mean_difference: float
    low: float | None
    high: float | None
    share_better: float
    patients: int

    def record(self) -> dict[str, float | int | None]:
        return asdict(self)


@dataclass(frozen=True)
class Bootstrap:
    """Percentile intervals of 95 %; the same seed draws the same patients for every figure and every model."""

    seed: int = 0
    resamples: int = 10_000

    @property
    def sentence(self) -> str:
        return (
            f"95 % confidence by percentile bootstrap: {self.resamples} resamples of the patients with replacement, "
            f"seed {self.seed}; the spread is the standard deviation over patients"
        )

    def draws(self, count: int) -> NDArray[np.intp]:
        """(resamples, count) indices of patients."""
        return np.random.default_rng([self.seed, count]).integers(count, size=(self.resamples, count))

    def interval(self, values: Values) -> Interval:
        """Of one value a patient; patients without one (None) take no part."""
        known = np.array([value for value in values if value is not None], np.float64)
        if len(known) < 2:
            return Interval(float(known[0]) if len(known) else None, None, None, None, len(known))
        low, high = bounds(known[self.draws(len(known))].mean(axis=1))
        return Interval(float(known.mean()), float(known.std(ddof=1)), low, high, len(known))

    def pooled(self, confusions: Sequence[Confusion]) -> dict[str, Interval]:
        """Every figure of the pooled voxels of all patients, by name; there is no spread, it is one figure."""
        figures = sum(confusions, Confusion(0, 0, 0, 0)).figures()
        if len(confusions) < 2:
            return {name: Interval(value, None, None, None, len(confusions)) for name, value in figures.items()}
        counts = np.array([list(asdict(each).values()) for each in confusions], np.int64)
        resampled = [Confusion(*row).figures() for row in counts[self.draws(len(counts))].sum(axis=1).tolist()]
        limits = {name: bounds(np.array([row[name] for row in resampled])) for name in figures}
        return {name: Interval(value, None, *limits[name], len(confusions)) for name, value in figures.items()}

    def difference(self, values: Mapping[str, float | None], against: Mapping[str, float | None]) -> PairedDifference:
        """Of the patients that both name with a value.

        Raises: MetricError when they name different patients, or none has both values.
        """
        if values.keys() != against.keys():
            raise MetricError(f"patients {sorted(values.keys() ^ against.keys())} are in one of two paired models only")
        pairs = [(values[name], against[name]) for name in values]
        gains = np.array([first - second for first, second in pairs if first is not None and second is not None])
        if not len(gains):
            raise MetricError("no patient has a value of both models, need at least 1")
        means = gains[self.draws(len(gains))].mean(axis=1)
        low, high = bounds(means) if len(gains) > 1 else (None, None)
        return PairedDifference(float(gains.mean()), low, high, float((means > 0).mean()), len(gains))


def bounds(means: NDArray[np.float64]) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile."""
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def mean_by_patient(rows: Sequence[tuple[str, float | None]]) -> dict[str, float | None]:
    """One value a patient: the mean of its studies' values, None where none of them has one."""
    by_patient: dict[str, list[float]] = {patient: [] for patient, _ in rows}
    for patient, value in rows:
        if value is not None:
            by_patient[patient].append(value)
    return {patient: float(np.mean(known)) if known else None for patient, known in by_patient.items()}
