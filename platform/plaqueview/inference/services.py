"""Every write of inference, by the module that does it; the worker and the floors above call these and no others."""

from plaqueview.core.leases import ClaimLostError
from plaqueview.inference.endings import ask_for_regions_again, complete, fail, put_back
from plaqueview.inference.leases import Claim, JobCancelledError, claim, renew, requeue_expired
from plaqueview.inference.reading import read_job, read_jobs, read_jobs_of_study, rows_of_jobs
from plaqueview.inference.requests import cancel, request, request_again, retry
from plaqueview.inference.reruns import (
    cancel_rerun,
    foresee,
    read_rerun,
    read_reruns,
    request_rerun,
    spread,
    spread_again,
    standing_of,
)
from plaqueview.inference.selection import Selection

__all__ = [
    "Claim",
    "ClaimLostError",
    "JobCancelledError",
    "Selection",
    "ask_for_regions_again",
    "cancel",
    "cancel_rerun",
    "claim",
    "complete",
    "fail",
    "foresee",
    "put_back",
    "read_job",
    "read_jobs",
    "read_jobs_of_study",
    "read_rerun",
    "read_reruns",
    "renew",
    "request",
    "request_again",
    "request_rerun",
    "requeue_expired",
    "retry",
    "rows_of_jobs",
    "spread",
    "spread_again",
    "standing_of",
]
