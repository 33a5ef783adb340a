"""Every write and read of longitudinal, by the module that does it; the worker and the floors above call these."""

from plaqueview.longitudinal.brightening import Brightening
from plaqueview.longitudinal.changes import Changes, Prior, changes_since, prior_of, read_changes
from plaqueview.longitudinal.endings import Found, complete, fail, put_back
from plaqueview.longitudinal.leases import Claim, claim, renew, requeue_expired
from plaqueview.longitudinal.reading import read_registration, read_registrations, read_registrations_of_study
from plaqueview.longitudinal.requests import cancel, request, request_for_study
from plaqueview.longitudinal.volumes import Pair, load_pair

__all__ = [
    "Brightening",
    "Changes",
    "Claim",
    "Found",
    "Pair",
    "Prior",
    "cancel",
    "changes_since",
    "claim",
    "complete",
    "fail",
    "load_pair",
    "prior_of",
    "put_back",
    "read_changes",
    "read_registration",
    "read_registrations",
    "read_registrations_of_study",
    "renew",
    "request",
    "request_for_study",
    "requeue_expired",
]
