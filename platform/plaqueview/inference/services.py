"""Every write of inference, by the module that does it; the worker and the floors above call these and no others."""

from plaqueview.core.leases import ClaimLostError
from plaqueview.inference.endings import ask_for_regions_again, complete, fail
from plaqueview.inference.leases import Claim, JobCancelledError, claim, renew, requeue_expired
from plaqueview.inference.reading import read_job, read_jobs, read_jobs_of_study
from plaqueview.inference.requests import cancel, request, retry

__all__ = [
    "Claim",
    "ClaimLostError",
    "JobCancelledError",
    "ask_for_regions_again",
    "cancel",
    "claim",
    "complete",
    "fail",
    "read_job",
    "read_jobs",
    "read_jobs_of_study",
    "renew",
    "request",
    "requeue_expired",
    "retry",
]
