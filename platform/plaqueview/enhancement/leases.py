"""Who may work on it: one worker, as long as it renews its lease.

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
from plaqueview.enhancement import journal
from plaqueview.enhancement.models import Enhancement, EnhancementState
from plaqueview.enhancement.requests import FIND_TASK, end, queue
from plaqueview.inference.leases import lease

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The right to look for what enhances; `token` is a secret between the worker and the database."""

    enhancement_id: UUID
    token: UUID
    flair_series_id: UUID
    before_series_id: UUID
    after_series_id: UUID


@transaction.atomic
def claim(*, enhancement_id: UUID, worker: str) -> Claim | None:
    """It is this worker's; None when it has ended, or another worker holds it."""
    now = clock.now()
    free = Enhancement.objects.claimable(now).filter(pk=enhancement_id, attempts__lt=settings.JOB_MAX_ATTEMPTS)
    fresh = {"started_at": now, "worker": worker, "reason": ""}
    token = take(free, now=now, running=EnhancementState.RUNNING, length=lease(), **fresh)
    if token is None:
        return None
    row = Enhancement.objects.select_related("study").get(pk=enhancement_id)
    journal.publish(row)
    return Claim(row.pk, token, row.flair_series_id, row.before_series_id, row.after_series_id)


def renew(claim: Claim) -> None:
    """The lease runs anew.

    Raises: ClaimLostError.
    """
    if not extend(Enhancement.objects.filter(pk=claim.enhancement_id), claim.token, lease()):
        raise ClaimLostError(f"enhancement {claim.enhancement_id} is no longer this worker's")


def held_enhancement(claim: Claim) -> Enhancement:
    """The row, locked, while the claim holds.

    Raises: ClaimLostError.
    """
    rows = Enhancement.objects.select_related("study")
    return held(rows, claim.enhancement_id, claim.token, name="enhancement")


def requeue_expired() -> None:
    """What dead workers held waits again, or has failed when too many died; what nobody came for is sent again."""
    expired = Enhancement.objects.filter(lapsed_at(clock.now(), EnhancementState.RUNNING))
    for enhancement_id in list(expired.values_list("pk", flat=True)):
        _requeue(enhancement_id)
    _send_unclaimed()


@transaction.atomic
def _requeue(enhancement_id: UUID) -> None:
    locked = Enhancement.objects.select_for_update(of=("self",)).select_related("study")
    enhancement = locked.filter(lapsed_at(clock.now(), EnhancementState.RUNNING), pk=enhancement_id).first()
    if enhancement is None:
        return
    logger.warning("enhancement %s: the lease of worker %s lapsed", enhancement.pk, enhancement.worker)
    if enhancement.attempts < settings.JOB_MAX_ATTEMPTS:
        queue(enhancement)
        return
    enhancement.reason = f"The worker died {enhancement.attempts} times while it compared the T1s."
    end(enhancement, EnhancementState.FAILED)


@transaction.atomic
def _send_unclaimed() -> None:
    rows = Enhancement.objects.all()
    for enhancement_id in unclaimed(rows, queued=EnhancementState.QUEUED, running=EnhancementState.RUNNING):
        enqueue(FIND_TASK, str(enhancement_id), queue=INFERENCE_QUEUE)
