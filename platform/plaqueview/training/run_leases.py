"""Who may work on a run: one worker, as long as it renews its lease (docs/decisions/0004-jobs-by-lease.md)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from plaqueview.core import clock
from plaqueview.core.errors import ConflictError
from plaqueview.core.leases import ClaimLostError, lapsed_at, take, unclaimed
from plaqueview.core.queue import TRAINING_QUEUE, enqueue
from plaqueview.core.storage import stored_path
from plaqueview.training import journal, watching
from plaqueview.training.building import lease
from plaqueview.training.models import RunPoint, RunStage, RunState, SnapshotStudy, TrainingRun
from plaqueview.training.queueing import is_idle
from plaqueview.training.recipe import Recipe
from plaqueview.training.runs import TRAIN_TASK, end_run, queue_run

logger = logging.getLogger(__name__)


class RunCancelledError(ConflictError):
    """A user cancelled the run that this worker runs."""

    code = "run_cancelled"


@dataclass(frozen=True)
class RunClaim:
    """The right to work on a run; `token` is a secret between the worker and the database."""

    run_id: UUID
    token: UUID
    step: int
    seconds: float


@dataclass(frozen=True)
class OrderedStudy:
    """A study of the snapshot, by pseudonym, and where its two files lie."""

    patient: str
    study: str
    side: str
    scanner: str
    flair: Path
    labels: Path
    site: str


@dataclass(frozen=True)
class Order:
    """What a worker is to do; `start_key` is the safetensors file to start from, empty for the one that ships."""

    recipe: Recipe
    studies: tuple[OrderedStudy, ...]
    folder: Path
    starts_from_model: bool
    start_key: str
    start_sha256: str


@dataclass(frozen=True)
class Point:
    """One step that was taken, and when."""

    step: int
    loss: float
    validation_dice: float | None
    at: datetime


@dataclass(frozen=True)
class Standing:
    """How far a worker is; `seconds` is the time learned over all attempts. `points`, `lines` and `samples`
    are those since the last time.
    """

    stage: RunStage
    seconds: float = 0.0
    seconds_per_step: float | None = None
    points: Sequence[Point] = ()
    lines: Sequence[watching.Line] = ()
    samples: Sequence[watching.Sample] = ()
    resources: watching.Resources | None = None

    @property
    def has_news(self) -> bool:
        return bool(self.points or self.lines or self.samples)


@transaction.atomic
def claim_run(*, run_id: UUID, worker: str, device: str, processes: int = 1) -> RunClaim | None:
    """The run is this worker's, who learns it with so many processes; None when it has ended, or another holds it."""
    now = clock.now()
    token = take(
        TrainingRun.objects.claimable(now).filter(pk=run_id, attempts__lt=settings.JOB_MAX_ATTEMPTS),
        now=now,
        running=RunState.RUNNING,
        length=lease(),
        stage=RunStage.LOADING,
        started_at=now,
        worker=worker,
        device=device,
        processes=processes,
    )
    if token is None:
        return None
    run = TrainingRun.objects.with_references().get(pk=run_id)
    shared = f", {processes} processes" if processes > 1 else ""
    watching.note(run, f"taken by {worker} on {device}{shared}")
    journal.publish_run(run)
    return RunClaim(run.pk, token, run.step, run.seconds)


def order_of(claim: RunClaim) -> Order:
    """What the claimed run asks of its worker."""
    run = TrainingRun.objects.with_references().get(pk=claim.run_id)
    rows = rows_to_read(run.snapshot_id)
    start = run.start_model
    return Order(
        recipe=Recipe.from_json(run.recipe),
        studies=tuple(ordered(row) for row in rows),
        folder=Path(settings.STORAGE_DIR) / "runs" / str(run.pk),
        starts_from_model=start is not None,
        start_key=start.safetensors_key if start else "",
        start_sha256=start.sha256 if start else "",
    )


@transaction.atomic
def renew_run(claim: RunClaim, standing: Standing) -> None:
    """The lease runs anew, what the worker tells is kept, and listeners hear of what is new.

    Raises: RunCancelledError, ClaimLostError.
    """
    run = held_run(claim)
    is_news = standing.has_news or run.stage != standing.stage
    run.stage, run.lease_expires_at = standing.stage, clock.now() + lease()
    if standing.points:
        _take(run, standing)
    if standing.resources is not None:
        run.resources = standing.resources.as_json()
    run.save()
    watching.keep_lines(run, standing.lines)
    watching.keep_samples(run, standing.samples)
    if is_news:
        journal.publish_run(run)


def held_run(claim: RunClaim) -> TrainingRun:
    """The run, locked, while the claim holds.

    Raises: RunCancelledError, ClaimLostError.
    """
    run = TrainingRun.objects.select_for_update(of=("self",)).with_references().get(pk=claim.run_id)
    if run.state == RunState.CANCELLED:
        raise RunCancelledError(run.reason)
    if run.lease_token != claim.token:
        raise ClaimLostError(f"run {run.pk} is {run.state}, and the claim has lapsed")
    return run


@transaction.atomic
def end_log(claim: RunClaim, lines: Sequence[watching.Line]) -> None:
    """The last lines of a worker are kept, also of one that holds the run no longer."""
    watching.keep_lines(TrainingRun.objects.get(pk=claim.run_id), lines)


def tend_runs() -> None:
    """Runs of dead workers wait again, or have failed when too many died of them without getting further."""
    expired = TrainingRun.objects.filter(lapsed_at(clock.now(), RunState.RUNNING))
    for run_id in list(expired.values_list("pk", flat=True)):
        _requeue(run_id)
    _send_unclaimed()


def rows_to_read(snapshot_id: UUID) -> QuerySet[SnapshotStudy]:
    """The studies that the snapshot takes in, each with its site."""
    rows = SnapshotStudy.objects.filter(snapshot=snapshot_id, exclusion="")
    return rows.select_related("annotation__study__site")


def ordered(row: SnapshotStudy) -> OrderedStudy:
    """What the snapshot has of a study, by pseudonym, and where its files lie."""
    paths = stored_path(row.flair_key), stored_path(row.labels_key)
    return OrderedStudy(row.patient, row.study, row.side, row.scanner, *paths, row.annotation.study.site.name)


def _take(run: TrainingRun, standing: Standing) -> None:
    """A step that stores the state clears the count of those who died on the way to it."""
    last = standing.points[-1]
    run.step, run.loss, run.seconds = last.step, last.loss, standing.seconds
    run.seconds_per_step = standing.seconds_per_step
    for point in standing.points:
        if point.validation_dice is not None:
            run.attempts = 1
            if run.best_dice is None or point.validation_dice > run.best_dice:
                run.best_dice, run.best_step = point.validation_dice, point.step
    RunPoint.objects.bulk_create(
        [
            RunPoint(run=run, step=p.step, loss=p.loss, validation_dice=p.validation_dice, at=p.at)
            for p in standing.points
        ],
        update_conflicts=True,
        unique_fields=["run", "step"],
        update_fields=["loss", "validation_dice", "at"],
    )


@transaction.atomic
def _requeue(run_id: UUID) -> None:
    locked = TrainingRun.objects.select_for_update(of=("self",)).with_references()
    run = locked.filter(lapsed_at(clock.now(), RunState.RUNNING), pk=run_id).first()
    if run is None:
        return
    logger.warning("run %s: the lease of worker %s lapsed at step %s", run.pk, run.worker, run.step)
    watching.note(run, f"worker {run.worker} was not heard of any more at step {run.step}", level="warning")
    if run.attempts >= settings.JOB_MAX_ATTEMPTS:
        reason = f"The worker died {run.attempts} times without getting further than step {run.step}."
        end_run(run, RunState.FAILED, reason=reason, actor=None)
    else:
        queue_run(run)


@transaction.atomic
def _send_unclaimed() -> None:
    if not is_idle():
        return
    for run_id in unclaimed(TrainingRun.objects.all(), queued=RunState.QUEUED, running=RunState.RUNNING):
        enqueue(TRAIN_TASK, str(run_id), queue=TRAINING_QUEUE)
