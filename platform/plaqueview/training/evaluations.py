"""A candidate without a verdict of today, as one that came by file, is tried on our own frozen test side."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.leases import ClaimLostError, extend, held, lapsed_at, take, unclaimed
from plaqueview.core.queue import TRAINING_QUEUE, enqueue
from plaqueview.registry import journal as registry_journal
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.registry.services import champion
from plaqueview.training import journal
from plaqueview.training.building import lease
from plaqueview.training.gate import Trial
from plaqueview.training.models import DatasetSnapshot, Evaluation, EvaluationState, Side, SnapshotState
from plaqueview.training.queueing import is_idle
from plaqueview.training.run_leases import OrderedStudy, ordered, rows_to_read
from plaqueview.training.verdicts import keep_verdict, verdict_on

logger = logging.getLogger(__name__)

EVALUATE_TASK: Final = "training.evaluate"
LIVE: Final = [EvaluationState.QUEUED, EvaluationState.RUNNING]


@dataclass(frozen=True)
class EvaluationClaim:
    """The right to try a model; `token` is a secret between the worker and the database."""

    evaluation_id: UUID
    token: UUID
    model_id: UUID


@dataclass(frozen=True)
class EvaluationOrder:
    """What a worker is to try, and the folder that is its own meanwhile."""

    model: ModelVersion
    studies: tuple[OrderedStudy, ...]
    folder: Path


@transaction.atomic
def request_evaluation(*, model_id: UUID, actor: User) -> Evaluation:
    """The candidate waits to be tried beside the champion on the test side of the newest snapshot that is ready.

    Nobody chooses the snapshot, so that none is chosen by its verdict. One that waits already is the answer.

    Raises: DeniedError; NotFoundError; ConflictError when the model is no candidate or has no weights here, no snapshot
    is ready, or the gate has judged it on that one against today's champion.
    """
    require(actor, Action.MODEL_MANAGE)
    model = ModelVersion.objects.select_for_update().filter(pk=model_id).first()
    if model is None:
        raise NotFoundError("no such model")
    live = Evaluation.objects.filter(model=model, state__in=LIVE).select_related("snapshot", "requested_by").first()
    if live is not None:
        return live
    snapshot = _snapshot_for(model, actor)
    evaluation = Evaluation.objects.create(model=model, snapshot=snapshot, requested_by=actor)
    _record(EventKind.MODEL_EVALUATION_REQUESTED, evaluation, actor)
    _send(evaluation)
    return evaluation


@transaction.atomic
def cancel_evaluation(*, evaluation_id: UUID, actor: User) -> Evaluation:
    """The evaluation is cancelled; a worker that is at it hears of it after the study it is at, and writes nothing.

    Raises: DeniedError; NotFoundError; ConflictError when it has ended otherwise.
    """
    require(actor, Action.MODEL_MANAGE)
    visible = Evaluation.objects.visible_to(actor).select_for_update(of=("self",))
    found = visible.select_related("model", "snapshot", "requested_by")
    evaluation = found.filter(pk=evaluation_id).first()
    if evaluation is None:
        raise NotFoundError("no such evaluation, or none that you may see")
    if evaluation.state == EvaluationState.CANCELLED:
        return evaluation
    if evaluation.state not in LIVE:
        raise ConflictError(f"the evaluation has {evaluation.state}; only one that waits or runs can be cancelled")
    evaluation.reason = f"The evaluation was cancelled by {actor.get_username()}."
    _end(evaluation, EvaluationState.CANCELLED, actor)
    return evaluation


@transaction.atomic
def read_evaluations(*, actor: User, model_id: UUID | None = None) -> QuerySet[Evaluation]:
    """When models were tried, or this one, newest first, of the snapshots that the actor may see.

    Raises: DeniedError; NotFoundError.
    """
    require(actor, Action.TRAINING_READ)
    found = Evaluation.objects.visible_to(actor).select_related("model", "requested_by", "verdict")
    if model_id is None:
        return found.order_by("-created")
    if not ModelVersion.objects.filter(pk=model_id).exists():
        raise NotFoundError("no such model")
    return found.filter(model=model_id).order_by("-created")


@transaction.atomic
def claim_evaluation(*, evaluation_id: UUID, worker: str) -> EvaluationClaim | None:
    """The evaluation is this worker's; None when it has ended, or another worker holds it."""
    now = clock.now()
    claimable = Evaluation.objects.claimable(now)
    free = claimable.filter(pk=evaluation_id, attempts__lt=settings.JOB_MAX_ATTEMPTS)
    token = take(free, now=now, running=EvaluationState.RUNNING, length=lease(), worker=worker)
    if token is None:
        return None
    evaluation = Evaluation.objects.select_related("model").get(pk=evaluation_id)
    registry_journal.publish_model(evaluation.model)
    return EvaluationClaim(evaluation.pk, token, evaluation.model_id)


def order_of_evaluation(claim: EvaluationClaim) -> EvaluationOrder:
    """What the claimed evaluation asks of its worker."""
    evaluation = Evaluation.objects.select_related("model").get(pk=claim.evaluation_id)
    rows = rows_to_read(evaluation.snapshot_id).filter(side=Side.TEST)
    folder = Path(settings.STORAGE_DIR) / "runs" / str(evaluation.pk)
    return EvaluationOrder(evaluation.model, tuple(ordered(row) for row in rows), folder)


def renew_evaluation(claim: EvaluationClaim) -> None:
    """The lease runs anew. Raises: ClaimLostError."""
    if not extend(Evaluation.objects.filter(pk=claim.evaluation_id), claim.token, lease()):
        raise ClaimLostError(f"evaluation {claim.evaluation_id} is no longer this worker's")


@transaction.atomic
def complete_evaluation(
    claim: EvaluationClaim, trials: Sequence[Trial], *, champion_id: UUID, left_out: Sequence[str]
) -> None:
    """The gate has judged the model, as it judges one that was trained here. Raises: ClaimLostError."""
    evaluation = _held(claim)
    against = ModelVersion.objects.get(pk=champion_id)
    evaluation.verdict = keep_verdict(evaluation.model, against, trials, snapshot=evaluation.snapshot)
    evaluation.warnings = list(left_out)
    _end(evaluation, EvaluationState.SUCCEEDED)


@transaction.atomic
def fail_evaluation(claim: EvaluationClaim, *, reason: str) -> None:
    """The evaluation has failed, with the reason that a user reads. Raises: ClaimLostError."""
    evaluation = _held(claim)
    evaluation.reason = reason
    _end(evaluation, EvaluationState.FAILED)


@transaction.atomic
def tend_evaluations() -> None:
    """Evaluations of dead workers wait again, or have failed; those whose message was lost are announced again."""
    for evaluation in Evaluation.objects.select_for_update(of=("self",)).filter(
        lapsed_at(clock.now(), EvaluationState.RUNNING)
    ):
        if evaluation.attempts >= settings.JOB_MAX_ATTEMPTS:
            evaluation.reason = f"The worker died {evaluation.attempts} times while it tried this model."
            _end(evaluation, EvaluationState.FAILED)
        else:
            evaluation.state, evaluation.lease_token, evaluation.lease_expires_at = EvaluationState.QUEUED, None, None
            evaluation.save()
            _send(evaluation)
    rows = Evaluation.objects.all() if is_idle() else Evaluation.objects.none()
    for evaluation_id in unclaimed(rows, queued=EvaluationState.QUEUED, running=EvaluationState.RUNNING):
        enqueue(EVALUATE_TASK, str(evaluation_id), queue=TRAINING_QUEUE)


def _snapshot_for(model: ModelVersion, actor: User) -> DatasetSnapshot:
    if model.stage not in {Stage.CANDIDATE, Stage.SHADOW}:
        raise ConflictError(f"the model is {model.stage}; only a candidate, also one that reads along, is evaluated")
    if not model.onnx_key:
        raise ConflictError(
            "the files of this model come with another version of the software; nothing here can run it"
        )
    ready = DatasetSnapshot.objects.visible_to(actor).filter(state=SnapshotState.READY).order_by("-created").first()
    if ready is None:
        raise ConflictError("no snapshot is ready, so there is no test side; freeze one first")
    verdict, today = verdict_on(model.pk), champion()
    if verdict is not None and (verdict.champion_id, verdict.snapshot_id) == (today and today.pk, ready.pk):
        raise ConflictError("the gate has judged the model on the newest snapshot against today's champion")
    return ready


def _held(claim: EvaluationClaim) -> Evaluation:
    rows = Evaluation.objects.select_related("model", "snapshot")
    return held(rows, claim.evaluation_id, claim.token, name="evaluation")


def _end(evaluation: Evaluation, state: EvaluationState, actor: User | None = None) -> None:
    evaluation.state, evaluation.finished_at = state, clock.now()
    evaluation.lease_token = evaluation.lease_expires_at = None
    evaluation.save()
    kind = EventKind.JOB_CANCELLED if state == EvaluationState.CANCELLED else EventKind.MODEL_EVALUATED
    _record(kind, evaluation, actor)
    registry_journal.publish_model(evaluation.model)


def _send(evaluation: Evaluation) -> None:
    enqueue(EVALUATE_TASK, str(evaluation.pk), queue=TRAINING_QUEUE)
    registry_journal.publish_model(evaluation.model)


def _record(kind: EventKind, evaluation: Evaluation, actor: User | None) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="model",
        object_id=evaluation.model_id,
        site_id=journal.only_site_of(evaluation.snapshot),
        details={"evaluation": str(evaluation.pk), "snapshot": str(evaluation.snapshot_id), "state": evaluation.state},
    )
