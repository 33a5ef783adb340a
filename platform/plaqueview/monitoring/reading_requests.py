"""What an administrator asks of single readings in shadow: their end, or once more."""

from typing import Final
from uuid import UUID

from django.db import transaction

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.monitoring.models import LIVE_STATES, ReadingState, ShadowReading
from plaqueview.monitoring.readings import end_reading, queue_reading

TRIED_AGAIN: Final = {ReadingState.FAILED, ReadingState.CANCELLED}


@transaction.atomic
def cancel_reading(*, reading_id: UUID, actor: User) -> ShadowReading:
    """The reading is cancelled; a worker that is at it hears of it at its next step, and writes nothing.

    Raises: DeniedError; NotFoundError; ConflictError when it has ended otherwise.
    """
    reading = _locked(reading_id, actor)
    if reading.state == ReadingState.CANCELLED:
        return reading
    if reading.state not in LIVE_STATES:
        raise ConflictError(f"the reading has {reading.state}; only one that waits or runs can be cancelled")
    reading.state, reading.reason = ReadingState.CANCELLED, f"The reading was cancelled by {actor.get_username()}."
    end_reading(reading)
    _record(EventKind.JOB_CANCELLED, reading, actor)
    return reading


@transaction.atomic
def retry_reading(*, reading_id: UUID, actor: User) -> ShadowReading:
    """The reading waits again, after it failed or was cancelled.

    Raises: DeniedError; NotFoundError; ConflictError when it has done neither, or its model no longer reads along.
    """
    reading = _locked(reading_id, actor)
    if reading.state not in TRIED_AGAIN:
        raise ConflictError(f"the reading is {reading.state}; only one that failed or was cancelled is tried again")
    if reading.period.ended_at is not None:
        raise ConflictError("the model no longer reads along; let it do so again first")
    reading.reason, reading.attempts, reading.finished_at = "", 0, None
    queue_reading(reading)
    _record(EventKind.JOB_RETRIED, reading, actor)
    return reading


def _locked(reading_id: UUID, actor: User) -> ShadowReading:
    require(actor, Action.MODEL_MANAGE)
    visible = ShadowReading.objects.visible_to(actor).select_for_update(of=("self",))
    reading = visible.select_related("period", "study").filter(pk=reading_id).first()
    if reading is None:
        raise NotFoundError("no such reading in shadow, or none that you may see")
    return reading


def _record(kind: EventKind, reading: ShadowReading, actor: User) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="shadow_reading",
        object_id=reading.pk,
        site_id=reading.study.site_id,
        details={"study": str(reading.study_id), "model": str(reading.period.model_id)},
    )
