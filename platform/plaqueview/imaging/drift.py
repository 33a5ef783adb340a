"""Whether the studies of late are like those before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

# A difference that is both large and hardly chance. PSI is not asked: with 30 studies in ten bins its expectation
# between two halves of one scanner is already above the customary 0.25.
LARGEST_DISTANCE: Final = 0.3
SMALLEST_P: Final = 0.001
FEWEST_STUDIES: Final = 20


@dataclass(frozen=True)
class Drift:
    """`distance` is Kolmogorov's and Smirnov's, 0 to 1, between two samples; `p_value` how often chance is as far."""

    distance: float
    p_value: float

    @property
    def is_alert(self) -> bool:
        return self.distance >= LARGEST_DISTANCE and self.p_value < SMALLEST_P


def compare_samples(reference: Sequence[float], current: Sequence[float]) -> Drift | None:
    """How far two samples are apart; None while one of them has too few studies to say anything.

    Source: Hodges, Arkiv för Matematik 1958, as scipy has it.
    """
    if min(len(reference), len(current)) < FEWEST_STUDIES:
        return None
    from scipy.stats import ks_2samp  # noqa: PLC0415 (0.6 s that every start would wait)

    found = ks_2samp(np.asarray(reference), np.asarray(current), method="asymp")
    return Drift(float(found.statistic), float(found.pvalue))


def rule_of_drift(*, current_days: int, reference_days: int) -> str:
    """What an alert means, printed beside it."""
    return (
        f"Studies, each as first read, of the last {current_days} days against those of the {reference_days} days "
        "before, by scanner and site: an alert when the Kolmogorov-Smirnov distance is at least "
        f"{LARGEST_DISTANCE:g} with p < {SMALLEST_P:g}; nothing is said with fewer than {FEWEST_STUDIES} studies "
        "in either."
    )
