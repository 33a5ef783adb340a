"""Many studies read again by the champion: chosen by a filter, in the background, one job a study."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.queue import enqueue
from plaqueview.inference import transitions
from plaqueview.inference.models import InferenceJob, JobState, Rerun, RerunStudy
from plaqueview.inference.requests import request_again
from plaqueview.inference.selection import Divided, Selection, divide
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Study

logger = logging.getLogger(__name__)

SPREAD_TASK: Final = "inference.spread_rerun"
STUDIES_AT_ONCE: Final = 200

CANCELLED: Final = "the re-run was cancelled"


@dataclass(frozen=True)
class Outlook:
    """What a re-run of the selection would do: `left_out` is the number of studies by the reason."""

    model: ModelVersion
    study_count: int
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Standing:
    """How many studies of a re-run are where."""

    waiting: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    refused: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def foresee(*, selection: Selection, actor: User) -> Outlook:
    """What a re-run would do; nothing is asked for.

    Raises: DeniedError; InvalidError when a site or the model is unknown; ConflictError without a champion.
    """
    require(actor, Action.MODEL_MANAGE)
    champion = _champion()
    divided = divide(selection, champion, actor)
    return Outlook(champion, divided.chosen.count(), divided.left_out)


@transaction.atomic
def request_rerun(*, selection: Selection, actor: User) -> Rerun:
    """The studies wait to be read again by the champion, behind every other; their results stay until then.

    Raises: DeniedError; InvalidError when a site or the model is unknown; ConflictError without a champion or a study.
    """
    require(actor, Action.MODEL_MANAGE)
    champion = _champion()
    divided = divide(selection, champion, actor)
    study_ids = list(divided.chosen.order_by("-study_date", "pk").values_list("pk", flat=True))
    if not study_ids:
        raise ConflictError(_why_none(divided))
    rerun = Rerun.objects.create(
        selection=selection.as_json(), left_out=dict(divided.left_out), model=champion, requested_by=actor
    )
    rerun.sites.set(divided.sites)
    RerunStudy.objects.bulk_create([RerunStudy(rerun=rerun, study_id=one) for one in study_ids], batch_size=500)
    _record(EventKind.RERUN_REQUESTED, rerun, actor, {"studies": len(study_ids), "champion": str(champion.pk)})
    enqueue(SPREAD_TASK, str(rerun.pk))
    return rerun


def spread(rerun_id: UUID) -> None:
    """Up to `STUDIES_AT_ONCE` more studies of the re-run have their job, or a note that says why not.

    Two workers that do this at once give each study one job.
    """
    waiting = RerunStudy.objects.filter(rerun=rerun_id, job=None, note="")
    for row_id in list(waiting.values_list("pk", flat=True)[:STUDIES_AT_ONCE]):
        _give_job(row_id)
    with transaction.atomic():
        if waiting.exists() and Rerun.objects.filter(pk=rerun_id).update(modified=timezone.now()):
            enqueue(SPREAD_TASK, str(rerun_id))


@transaction.atomic
def spread_again(*, older_than_s: float) -> None:
    """Re-runs whose message was lost are taken up again."""
    lost = Rerun.objects.filter(
        modified__lt=timezone.now() - timedelta(seconds=older_than_s), studies__job=None, studies__note=""
    )
    for rerun_id in lost.distinct().values_list("pk", flat=True):
        Rerun.objects.filter(pk=rerun_id).update(modified=timezone.now())
        enqueue(SPREAD_TASK, str(rerun_id))


def cancel_rerun(*, rerun_id: UUID, actor: User) -> Rerun:
    """What has not begun of the re-run does not begin; a study that a worker is at is read to the end.

    Raises: DeniedError; NotFoundError.
    """
    require(actor, Action.MODEL_MANAGE)
    with transaction.atomic():
        rerun = visible_rerun(rerun_id, actor)
        if rerun.cancelled_at is None:
            rerun.cancelled_at = timezone.now()
            rerun.save(update_fields=["cancelled_at", "modified"])
            _record(EventKind.RERUN_CANCELLED, rerun, actor, {})
        RerunStudy.objects.filter(rerun=rerun, job=None, note="").update(note=CANCELLED)
    queued = InferenceJob.objects.filter(reruns__rerun=rerun, state=JobState.QUEUED, is_background=True)
    for job_id, study_id in list(queued.values_list("pk", "study_id")):
        _cancel_job(job_id, study_id, actor)
    return rerun


@transaction.atomic
def read_reruns(*, actor: User) -> QuerySet[Rerun]:
    """The re-runs that the actor may see, newest first; the reading is on record.

    Raises: DeniedError.
    """
    require(actor, Action.MODEL_MANAGE)
    audit.record_once(EventKind.RERUN_READ, actor=actor, object_type="rerun", object_id="", site_id=None)
    found = Rerun.objects.visible_to(actor).select_related("requested_by", "model").prefetch_related("sites")
    return found.order_by("-created")


def read_rerun(*, rerun_id: UUID, actor: User) -> Rerun:
    """Raises: DeniedError; NotFoundError."""
    require(actor, Action.MODEL_MANAGE)
    rerun = visible_rerun(rerun_id, actor)
    audit.record_once(EventKind.RERUN_READ, actor=actor, object_type="rerun", object_id=rerun.pk, site_id=None)
    return rerun


def visible_rerun(rerun_id: UUID, actor: User) -> Rerun:
    """Raises: NotFoundError when there is none that the actor may see."""
    found = Rerun.objects.visible_to(actor).select_related("requested_by", "model").filter(pk=rerun_id).first()
    if found is None:
        raise NotFoundError("no such re-run, or none that you may see")
    return found


def standing_of(rerun: Rerun) -> Standing:
    """How many of its studies are where now."""
    counts = {state.value: Count("pk", filter=Q(job__state=state)) for state in JobState}
    return Standing(
        **RerunStudy.objects.filter(rerun=rerun).aggregate(
            waiting=Count("pk", filter=Q(job=None, note="")), refused=Count("pk", filter=~Q(note="")), **counts
        )
    )


def _champion() -> ModelVersion:
    champion = registry.champion()
    if champion is None:
        raise ConflictError("there is no champion; a worker of the queue inference registers its own at its start")
    return champion


def _why_none(divided: Divided) -> str:
    why = "; ".join(f"{count}: {reason}" for reason, count in divided.left_out.items())
    return "no study is left to be read again" + (f" ({why})" if why else "")


@transaction.atomic
def _give_job(row_id: int) -> None:
    row = RerunStudy.objects.select_for_update(of=("self",)).select_related("rerun__requested_by").get(pk=row_id)
    if row.job_id is not None or row.note:
        return
    try:
        row.job = request_again(study_id=row.study_id, actor=row.rerun.requested_by)
    except (ConflictError, NotFoundError) as refusal:
        row.note = refusal.detail[:500]
    row.save()


@transaction.atomic
def _cancel_job(job_id: UUID, study_id: UUID, actor: User) -> None:
    Study.objects.select_for_update().get(pk=study_id)
    job = InferenceJob.objects.locked().get(pk=job_id)
    if job.state == JobState.QUEUED and job.is_background:
        transitions.end(job, JobState.CANCELLED, reason="The re-run was cancelled.", actor=actor)


def _record(kind: EventKind, rerun: Rerun, actor: User, details: Mapping[str, str | int]) -> None:
    site_ids = list(rerun.sites.values_list("pk", flat=True))
    audit.record(
        kind,
        actor=actor,
        object_type="rerun",
        object_id=rerun.pk,
        site_id=site_ids[0] if len(site_ids) == 1 else None,
        details={key: value for key, value in {**rerun.selection, **details}.items() if value is not None},
    )
