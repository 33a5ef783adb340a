"""Asking what enhances in a study: by the system when lesions and T1s are there, and again by a user."""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue
from plaqueview.enhancement import journal
from plaqueview.enhancement.models import Enhancement, EnhancementState
from plaqueview.studies import services as studies
from plaqueview.studies.models import Series, Study

FIND_TASK: Final = "enhancement.find"
NOT_READ: Final = "nothing has read the study yet, so that nobody knows where its brain is"
EARLIER_RELEASE: Final = "the series of the study were chosen by an earlier release, which looked for no T1s to compare"

EVENT_OF_END: Final = {
    EnhancementState.SUCCEEDED: EventKind.ENHANCEMENT_SUCCEEDED,
    EnhancementState.FAILED: EventKind.ENHANCEMENT_FAILED,
}


@transaction.atomic
def request(*, study_id: UUID, actor: User) -> Enhancement:
    """The FLAIR and the T1s of the study, as they are now, have a search that has succeeded or is on its way.

    Raises: DeniedError; NotFoundError; ConflictError, which says why nothing can be looked for.
    """
    require(actor, Action.INFERENCE_REQUEST)
    study = Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    if reason := reason_against(study):
        raise ConflictError(f"uptake of contrast agent is not looked for: {reason}")
    return _requested(study, actor)


@transaction.atomic
def request_for_study(study_id: UUID) -> None:
    """A study that was read, and in which two T1s go together, has its search."""
    study = Study.objects.select_for_update().filter(pk=study_id).first()
    if study is not None and not reason_against(study):
        _requested(study, None)


def reason_against(study: Study) -> str:
    """Why nothing is looked for in the study; empty where nothing is in the way."""
    if study.flair_series_id is None or study.current_annotation_id is None:
        return NOT_READ
    pair = study.series_choice.get("t1_pair")
    if pair is None:
        return EARLIER_RELEASE
    return "" if pair["before"] else str(pair["reason"])


def end(enhancement: Enhancement, state: EnhancementState) -> None:
    """It has ended; the event and the audit say so."""
    enhancement.state, enhancement.finished_at = state, timezone.now()
    enhancement.lease_token = enhancement.lease_expires_at = None
    enhancement.save()
    journal.record(EVENT_OF_END[state], enhancement, actor=None)
    journal.publish(enhancement)


def queue(enhancement: Enhancement) -> None:
    """It waits for a worker, and the workers are told after the commit."""
    lay_by(enhancement)
    enqueue(FIND_TASK, str(enhancement.pk), queue=INFERENCE_QUEUE)


def lay_by(enhancement: Enhancement) -> None:
    """It waits for a worker; the clock tells the workers in a while."""
    enhancement.state = EnhancementState.QUEUED
    enhancement.lease_token = enhancement.lease_expires_at = None
    enhancement.save()
    journal.publish(enhancement)


def _requested(study: Study, actor: User | None) -> Enhancement:
    """Asked again it is the same one; a failed one is tried again for a user, for the system it is not."""
    pair = study.series_choice["t1_pair"]
    before, after = (Series.objects.get(pk=pair[name], study=study) for name in ("before", "after"))
    enhancement, is_new = Enhancement.objects.select_related("study").get_or_create(
        study=study,
        flair_series_id=study.flair_series_id,
        before_series=before,
        after_series=after,
        flair_sha256=study.flair_sha256,
        before_sha256=studies.fingerprint_of(before),
        after_sha256=studies.fingerprint_of(after),
        defaults={"requested_by": actor},
    )
    if is_new or (actor is not None and enhancement.state == EnhancementState.FAILED):
        enhancement.reason, enhancement.attempts, enhancement.finished_at = "", 0, None
        queue(enhancement)
        journal.record(EventKind.ENHANCEMENT_REQUESTED, enhancement, actor=actor)
    return enhancement
