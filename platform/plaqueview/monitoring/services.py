"""Every write and read of monitoring, by the module that does it; the worker and the floors above call these."""

from plaqueview.monitoring.cohort import export_cohort, read_cohort
from plaqueview.monitoring.drifting import read_drift
from plaqueview.monitoring.measuring import measure_edits, measure_results
from plaqueview.monitoring.reading_requests import cancel_reading, retry_reading
from plaqueview.monitoring.readings import (
    ReadingClaim,
    ask_for_readings,
    claim_reading,
    compare_with_readers,
    complete_reading,
    fail_reading,
    model_of,
    renew_reading,
    tend_readings,
)
from plaqueview.monitoring.shadows import (
    Means,
    Standing,
    close_left_periods,
    end_shadow,
    read_readings,
    read_shadow,
    start_shadow,
)
from plaqueview.monitoring.teaching import hear_shadows, score_results

__all__ = [
    "Means",
    "ReadingClaim",
    "Standing",
    "cancel_reading",
    "claim_reading",
    "complete_reading",
    "end_shadow",
    "export_cohort",
    "fail_reading",
    "model_of",
    "read_cohort",
    "read_drift",
    "read_readings",
    "read_shadow",
    "renew_reading",
    "retry_reading",
    "start_shadow",
    "tend",
]


def tend() -> None:
    """Models in shadow have what they are to read, what dead workers left waits again, and what is new is measured."""
    close_left_periods()
    ask_for_readings()
    tend_readings()
    compare_with_readers()
    measure_results()
    measure_edits()
    score_results()
    hear_shadows()
