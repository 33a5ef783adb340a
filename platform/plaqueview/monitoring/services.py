"""Every write and read of monitoring, by the module that does it; the worker and the floors above call these."""

from typing import Final

from plaqueview.audit.models import EventKind
from plaqueview.monitoring.cohort import export_cohort, read_cohort
from plaqueview.monitoring.drifting import read_drift
from plaqueview.monitoring.looking import look
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

# What is read or read blinded has no score, and may become unread again.
MAY_BE_UNREAD_SINCE: Final = {
    EventKind.ANNOTATION_CREATED,
    EventKind.DRAFT_DISCARDED,
    EventKind.DOUBLE_READING_MOVED,
}


def tend() -> None:
    """Models in shadow have what they are to read, what dead workers left waits again, and what is new is measured."""
    close_left_periods()
    ask_for_readings()
    tend_readings()
    compare_with_readers()
    look(measure_results, kinds={EventKind.ANNOTATION_CREATED})
    look(measure_edits, kinds={EventKind.ANNOTATION_APPROVED, EventKind.ANNOTATION_IMPORTED})
    look(score_results, kinds=MAY_BE_UNREAD_SINCE)
    hear_shadows()
