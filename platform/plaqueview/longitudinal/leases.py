"""Who may work on a registration: one worker, as long as it renews its lease.

The same rules as for an inference (docs/decisions/0004-jobs-by-lease.md).
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.core import clock
from plaqueview.core.leases import ClaimLostError, extend, held, lapsed_at, take, unclaimed
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue
from plaqueview.inference.leases import lease
from plaqueview.longitudinal import journal
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.longitudinal.requests import REGISTER_TASK, end, queue

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The right to work on a registration; `token` is a secret between the worker and the database."""

    registration_id: UUID
    token: UUID
    fixed_series_id: UUID
    moving_series_id: UUID


@transaction.atomic
def claim(*, registration_id: UUID, worker: str) -> Claim | None:
    """The registration is this worker's; None when it has ended, or another worker holds it."""
    now = clock.now()
    free = Registration.objects.claimable(now).filter(pk=registration_id, attempts__lt=settings.JOB_MAX_ATTEMPTS)
    fresh = {"started_at": now, "worker": worker, "reason": ""}
    token = take(free, now=now, running=RegistrationState.RUNNING, length=lease(), **fresh)
    if token is None:
        return None
    registration = Registration.objects.select_related("study").get(pk=registration_id)
    journal.publish(registration)
    return Claim(registration.pk, token, registration.fixed_series_id, registration.moving_series_id)


def renew(claim: Claim) -> None:
    """The lease runs anew.

    Raises: ClaimLostError.
    """
    if not extend(Registration.objects.filter(pk=claim.registration_id), claim.token, lease()):
        raise ClaimLostError(f"registration {claim.registration_id} is no longer this worker's")


def held_registration(claim: Claim) -> Registration:
    """The registration, locked, while the claim holds.

    Raises: ClaimLostError.
    """
    rows = Registration.objects.select_related("study")
    return held(rows, claim.registration_id, claim.token, name="registration")


def requeue_expired() -> int:
    """Registrations of dead workers wait again, or have failed when too many workers died; returns how many wait."""
    expired = Registration.objects.filter(lapsed_at(clock.now(), RegistrationState.RUNNING))
    requeued = sum(_requeue(registration_id) for registration_id in list(expired.values_list("pk", flat=True)))
    _send_unclaimed()
    return requeued


@transaction.atomic
def _requeue(registration_id: UUID) -> bool:
    locked = Registration.objects.select_for_update(of=("self",)).select_related("study")
    expired = locked.filter(lapsed_at(clock.now(), RegistrationState.RUNNING))
    registration = expired.filter(pk=registration_id).first()
    if registration is None:
        return False
    logger.warning("registration %s: the lease of worker %s lapsed", registration.pk, registration.worker)
    if registration.attempts < settings.JOB_MAX_ATTEMPTS:
        queue(registration)
        return True
    registration.reason = f"The worker died {registration.attempts} times while it registered these studies."
    end(registration, RegistrationState.FAILED, actor=None)
    return False


@transaction.atomic
def _send_unclaimed() -> None:
    """A queued registration whose message was lost is announced again, after as long as an inference is."""
    rows = Registration.objects.all()
    for registration_id in unclaimed(rows, queued=RegistrationState.QUEUED, running=RegistrationState.RUNNING):
        enqueue(REGISTER_TASK, str(registration_id), queue=INFERENCE_QUEUE)
