"""Whether a candidate may replace the champion: rules over both models' figures on the same test patients.

Figures of a patient's studies are averaged first; bounds come from a bootstrap over patients, in pairs, so that a
patient who is hard for both counts for neither.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

RESAMPLES: Final = 4000
SEED: Final = 0
LOWER_PERCENTILE: Final = 5.0  # one-sided 95 %

Figure = Callable[["Figures"], float | None]

# Any lesion load, in ml of the truth, below each bound.
LOADS: Final = ((5.0, "load under 5 ml"), (20.0, "load 5 to 20 ml"), (float("inf"), "load over 20 ml"))


@dataclass(frozen=True)
class Figures:
    """One model on one study, any plaque; `active_count` lesions it names active, `seconds` is of the network alone.

    `processor_seconds` is of the network's threads together, None of a verdict from before it was measured.
    `calibration_error` is over the voxels with a probability from 0.1 on, None without one; `class_dice` has the
    classes that the labels name, `found_by_size` the share of the true lesions of each size that was found.
    `peak_memory_bytes` is of a process that reads this study with this model alone, measured on the largest study.
    """

    dice: float
    lesion_f1: float
    active_count: int
    seconds: float
    calibration_error: float | None = None
    class_dice: Mapping[str, float] = field(default_factory=dict)
    found_by_size: Mapping[str, float] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    processor_seconds: float | None = None


@dataclass(frozen=True)
class Trial:
    """Both models on one test study, by pseudonym."""

    patient: str
    study: str
    scanner: str
    true_volume_ml: float
    candidate: Figures
    champion: Figures
    site: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:  # Any: JSON
        """The inverse of `as_json`, also of a trial from before its newer figures."""
        models = {name: Figures(**stored[name]) for name in ("candidate", "champion")}
        return cls(**{**stored, **models})

    @property
    def strata(self) -> tuple[str, ...]:
        load = next(name for bound, name in LOADS if self.true_volume_ml < bound)
        return load, f"scanner {self.scanner or 'unknown'}", *([f"site {self.site}"] if self.site else [])

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return asdict(self)


@dataclass(frozen=True)
class RuleVerdict:
    """What one rule found and needs, as sentences."""

    rule: str
    is_passed: bool
    found: str
    needed: str

    def as_json(self) -> dict[str, str | bool]:
        return asdict(self)


def judge(trials: Sequence[Trial]) -> tuple[RuleVerdict, ...]:
    """Every rule's verdict, in the order in which they are shown; the candidate passes when each is passed."""
    return (
        _enough_patients(trials),
        _good_enough(trials),
        _labels_fit(trials),
        _not_worse(trials, "any-plaque Dice", lambda one: one.dice, settings.GATE_DICE_MARGIN),
        _not_worse(trials, "lesion F1", lambda one: one.lesion_f1, settings.GATE_LESION_F1_MARGIN),
        _no_stratum_worse(trials),
        _calibrated(trials),
        _names_active(trials),
        _fast_enough(trials),
        _small_enough(trials),
    )


def lower_bound(differences: NDArray[np.float64]) -> float:
    """The mean difference that patients drawn anew would exceed in 95 of 100 cases."""
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(len(differences), size=(RESAMPLES, len(differences)))
    return float(np.percentile(differences[drawn].mean(axis=1), LOWER_PERCENTILE))


def pairs_of(trials: Sequence[Trial], figure: Figure) -> NDArray[np.float64]:
    """(patients, 2): candidate's and champion's mean, of the patients who have studies where both are defined."""
    by_patient: dict[str, list[tuple[float, float]]] = {}
    for trial in trials:
        candidate, champion = figure(trial.candidate), figure(trial.champion)
        if candidate is not None and champion is not None:
            by_patient.setdefault(trial.patient, []).append((candidate, champion))
    return np.array([np.mean(pairs, axis=0) for pairs in by_patient.values()]).reshape(-1, 2)


def by_patient(trials: Sequence[Trial], figure: Callable[[Figures], float]) -> Mapping[str, tuple[float, float]]:
    """Candidate's and champion's mean figure of each patient."""
    patients = sorted({trial.patient for trial in trials})
    return {
        patient: (
            float(np.mean([figure(trial.candidate) for trial in trials if trial.patient == patient])),
            float(np.mean([figure(trial.champion) for trial in trials if trial.patient == patient])),
        )
        for patient in patients
    }


def _enough_patients(trials: Sequence[Trial]) -> RuleVerdict:
    found, needed = len({trial.patient for trial in trials}), settings.GATE_MINIMUM_PATIENTS
    return RuleVerdict("test patients", found >= needed, f"{found} patients", f"at least {needed}")


def _good_enough(trials: Sequence[Trial]) -> RuleVerdict:
    mean = _means(trials, lambda one: one.dice)[0]
    lowest = settings.GATE_LOWEST_DICE
    return RuleVerdict(
        "lowest Dice",
        mean >= lowest,
        f"mean any-plaque Dice {mean:.3f}",
        f"at least {lowest:g}",
    )


def _labels_fit(trials: Sequence[Trial]) -> RuleVerdict:
    """A test side on which the champion itself fails tests nothing: its labels are of other images, or of nothing."""
    mean = _means(trials, lambda one: one.dice)[1]
    lowest = settings.GATE_LOWEST_DICE
    return RuleVerdict(
        "labels fit the images", mean >= lowest, f"the champion has Dice {mean:.3f} on them", f"at least {lowest:g}"
    )


def _not_worse(trials: Sequence[Trial], name: str, figure: Callable[[Figures], float], margin: float) -> RuleVerdict:
    pairs = np.array(list(by_patient(trials, figure).values()))
    candidate, champion = pairs.mean(axis=0)
    bound = lower_bound(pairs[:, 0] - pairs[:, 1])
    found = f"{candidate:.3f} against {champion:.3f}; with 95 % confidence the difference is above {bound:+.3f}"
    return RuleVerdict(name, bound >= -margin, found, f"above {-margin:+g}")


def _no_stratum_worse(trials: Sequence[Trial]) -> RuleVerdict:
    margin = settings.GATE_STRATUM_MARGIN
    worst, name = min((difference, name) for name, difference in _differences_by_stratum(trials))
    return RuleVerdict(
        "no stratum worse", worst >= -margin, f"the worst: {name}, mean Dice {worst:+.3f}", f"each above {-margin:+g}"
    )


def _differences_by_stratum(trials: Sequence[Trial]) -> Iterator[tuple[str, float]]:
    for name in sorted({name for trial in trials for name in trial.strata}):
        candidate, champion = _means([trial for trial in trials if name in trial.strata], lambda one: one.dice)
        yield name, candidate - champion


def _calibrated(trials: Sequence[Trial]) -> RuleVerdict:
    """Readers see probabilities, and the order of what teaches most rests on them."""
    pairs, margin = pairs_of(trials, lambda one: one.calibration_error), settings.GATE_CALIBRATION_MARGIN
    needed = f"at most {margin:g} above the champion's"
    if not len(pairs):
        return RuleVerdict("calibration", False, "on no study do both models point at anything", needed)
    candidate, champion = pairs.mean(axis=0)
    found = f"calibration error {candidate:.3f} against {champion:.3f}"
    return RuleVerdict("calibration", bool(candidate - champion <= margin), found, needed)


def _names_active(trials: Sequence[Trial]) -> RuleVerdict:
    """A network that learned from lesions without a class forgets the rarer one; no figure of any plaque shows it."""
    candidate = sum(trial.candidate.active_count for trial in trials)
    champion = sum(trial.champion.active_count for trial in trials)
    share = settings.GATE_ACTIVE_SHARE
    return RuleVerdict(
        "class active kept",
        candidate >= share * champion,
        f"names {candidate} lesions active, the champion {champion}",
        f"at least {share:g} of the champion's",
    )


def _fast_enough(trials: Sequence[Trial]) -> RuleVerdict:
    """Of the processors, and not on the wall: whoever else works on the machine would decide, and not the network."""
    slowest = settings.GATE_SLOWEST
    needed = f"at most {slowest:g} times"
    ratios = [
        trial.candidate.processor_seconds / trial.champion.processor_seconds
        for trial in trials
        if trial.candidate.processor_seconds and trial.champion.processor_seconds
    ]
    if not ratios:
        return RuleVerdict("speed", False, "it was not measured", needed)
    ratio = float(np.median(ratios))
    found = f"{ratio:.2f} times the champion's processor time, median of {len(ratios)} studies, both on each in turn"
    return RuleVerdict("speed", ratio <= slowest, found, needed)


def _small_enough(trials: Sequence[Trial]) -> RuleVerdict:
    """A model that outgrows the machine ends the worker that reads, and every study with it."""
    most = settings.GATE_MOST_MEMORY
    needed = f"at most {most:g} times the champion's"
    pairs = pairs_of(trials, lambda one: one.peak_memory_bytes)
    if not len(pairs):
        return RuleVerdict("memory", False, "it was not measured", needed)
    candidate, champion = pairs.max(axis=0)
    found = f"{candidate / 1e6:.0f} MB at most against {champion / 1e6:.0f} MB, each alone on the largest study"
    return RuleVerdict("memory", bool(candidate <= most * champion), found, needed)


def _means(trials: Sequence[Trial], figure: Callable[[Figures], float]) -> tuple[float, float]:
    """Over patients: the candidate's, the champion's."""
    candidate, champion = np.array(list(by_patient(trials, figure).values())).mean(axis=0)
    return float(candidate), float(champion)
