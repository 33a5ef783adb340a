"""What an administrator asks of runs: a look ahead, one more, its end, a look."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.queue import TRAINING_QUEUE, enqueue
from plaqueview.registry.services import champion
from plaqueview.training import journal, watching
from plaqueview.training.models import (
    LIVE_STATES,
    DatasetSnapshot,
    RunPoint,
    RunSample,
    RunStage,
    RunState,
    TrainingRun,
)
from plaqueview.training.preflight import Preflight, inspect
from plaqueview.training.recipe import Recipe, Start
from plaqueview.training.snapshots import require_ready, visible_snapshot

TRAIN_TASK: Final = "training.train"


def preflight(*, snapshot_id: UUID, recipe: Recipe, actor: User) -> Preflight:
    """What a run would meet; nothing is asked for.

    Raises: DeniedError, NotFoundError; ConflictError when the snapshot is not ready.
    """
    require(actor, Action.TRAINING_MANAGE)
    snapshot = visible_snapshot(snapshot_id, actor)
    require_ready(snapshot)
    return inspect(snapshot, recipe)


@transaction.atomic
def request_run(*, snapshot_id: UUID, recipe: Recipe, actor: User) -> TrainingRun:
    """A run of the recipe on the snapshot waits for a worker.

    Raises: DeniedError, NotFoundError; ConflictError when the snapshot is not ready, or the run could not succeed.
    """
    found = preflight(snapshot_id=snapshot_id, recipe=recipe, actor=actor)
    if not found.can_run:
        raise ConflictError("the run cannot succeed: " + "; ".join(found.problems))
    return start_run(visible_snapshot(snapshot_id, actor), recipe, found, actor=actor)


def start_run(snapshot: DatasetSnapshot, recipe: Recipe, found: Preflight, *, actor: User | None) -> TrainingRun:
    """A run waits for a worker; `actor` None is a schedule. Called in a transaction by who has looked ahead."""
    run = TrainingRun(
        snapshot=snapshot,
        recipe=recipe.as_json(),
        requested_by=actor,
        start_model=champion() if recipe.start is Start.CHAMPION else None,
        warnings=list(found.warnings),
    )
    queue_run(run)
    journal.record_run(EventKind.RUN_REQUESTED, run, actor=actor)
    return run


@transaction.atomic
def cancel_run(*, run_id: UUID, actor: User) -> TrainingRun:
    """The run is cancelled; a worker that runs it hears of it at its next step, and keeps its best weights.

    Raises: DeniedError, NotFoundError; ConflictError when the run has ended otherwise.
    """
    require(actor, Action.TRAINING_MANAGE)
    visible_run(run_id, actor)
    run = TrainingRun.objects.select_for_update(of=("self",)).with_references().get(pk=run_id)
    if run.state == RunState.CANCELLED:
        return run
    if run.state not in LIVE_STATES:
        raise ConflictError(f"the run has {run.state}; only a queued or running run can be cancelled")
    end_run(run, RunState.CANCELLED, reason=f"The run was cancelled by {actor.get_username()}.", actor=actor)
    return run


@transaction.atomic
def read_runs(*, actor: User) -> QuerySet[TrainingRun]:
    """The runs that the actor may see, newest first; the reading is on record.

    Raises: DeniedError.
    """
    require(actor, Action.TRAINING_READ)
    audit.record_once(
        EventKind.RUN_READ, actor=actor, object_type="", object_id="", site_id=None, details={"part": "list"}
    )
    return TrainingRun.objects.visible_to(actor).with_references().order_by("-created")


def read_run(*, run_id: UUID, actor: User) -> TrainingRun:
    """The run; that it was read is on record once in a while, for its page asks again and again.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.TRAINING_READ)
    run = visible_run(run_id, actor)
    site_id = journal.only_site_of(run.snapshot)
    audit.record_once(EventKind.RUN_READ, actor=actor, object_type="run", object_id=run.pk, site_id=site_id)
    return run


def read_points(*, run_id: UUID, after: int, every: int = 1, actor: User) -> QuerySet[RunPoint]:
    """The steps of the run after this one: the multiples of `every`, and each that validated.

    Raises: DeniedError, NotFoundError.
    """
    run = read_run(run_id=run_id, actor=actor)
    wanted = Q(beside=0) | Q(validation_dice__isnull=False)
    return RunPoint.objects.alias(beside=F("step") % every).filter(wanted, run=run, step__gt=after).order_by("step")


def read_samples(*, run_id: UUID, actor: User) -> QuerySet[RunSample]:
    """Slices of the run's validation side, without their pixels, as the network draws on them now.

    Raises: DeniedError, NotFoundError.
    """
    return RunSample.objects.filter(run=read_run(run_id=run_id, actor=actor)).defer("slice_png").order_by("number")


def read_sample_slice(*, run_id: UUID, number: int, actor: User) -> bytes:
    """The slice of the sample, as PNG.

    Raises: DeniedError, NotFoundError.
    """
    sample = RunSample.objects.filter(run=read_run(run_id=run_id, actor=actor), number=number).first()
    if sample is None:
        raise NotFoundError(f"the run has no sample {number}")
    return bytes(sample.slice_png)


def read_log(*, run_id: UUID, actor: User) -> Iterator[str]:
    """The lines that are kept of the run's log, the oldest first.

    Raises: DeniedError, NotFoundError.
    """
    return watching.text_of(read_run(run_id=run_id, actor=actor))


def visible_run(run_id: UUID, actor: User) -> TrainingRun:
    """Raises: NotFoundError when there is none that the actor may see."""
    run = TrainingRun.objects.visible_to(actor).with_references().filter(pk=run_id).first()
    if run is None:
        raise NotFoundError("no such run, or none that you may see")
    return run


def queue_run(run: TrainingRun) -> None:
    """The run waits for a worker, and the workers are told after the commit; what it has learned stays."""
    run.state, run.stage = RunState.QUEUED, RunStage.QUEUED
    run.lease_token = run.lease_expires_at = None
    run.save()
    watching.note(run, "waits for a worker")
    journal.publish_run(run)
    enqueue(TRAIN_TASK, str(run.pk), queue=TRAINING_QUEUE)


EVENT_OF_END: Final = {
    RunState.SUCCEEDED: EventKind.RUN_SUCCEEDED,
    RunState.FAILED: EventKind.RUN_FAILED,
    RunState.CANCELLED: EventKind.RUN_CANCELLED,
}


def end_run(run: TrainingRun, state: RunState, *, reason: str, actor: User | None) -> None:
    """The run has ended, for good, in one of the three named ways."""
    run.state, run.reason, run.finished_at = state, reason, timezone.now()
    run.lease_token = run.lease_expires_at = None
    run.save()
    watching.note(run, f"{state}: {reason}" if reason else state, level="error" if state == RunState.FAILED else "info")
    journal.record_run(EVENT_OF_END[state], run, actor=actor)
    journal.publish_run(run)
