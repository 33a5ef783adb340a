"""Every write and read of enhancement, by the module that does it; the worker and the floors above call these."""

from plaqueview.enhancement.endings import Found, complete, fail, put_back
from plaqueview.enhancement.leases import Claim, claim, renew, requeue_expired
from plaqueview.enhancement.places import EnhancingPlaces
from plaqueview.enhancement.requests import request, request_for_study
from plaqueview.enhancement.uptakes import Uptakes, read_uptakes, uptakes_until
from plaqueview.enhancement.volumes import Visit, load_visit

__all__ = [
    "Claim",
    "EnhancingPlaces",
    "Found",
    "Uptakes",
    "Visit",
    "claim",
    "complete",
    "fail",
    "load_visit",
    "put_back",
    "read_uptakes",
    "renew",
    "request",
    "request_for_study",
    "requeue_expired",
    "uptakes_until",
]
