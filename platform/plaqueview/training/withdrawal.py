"""Snapshots that lose a patient: what was learned from them stays, they themselves are used no more."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from plaqueview.training.journal import publish_snapshot
from plaqueview.training.models import (
    LIVE_STATES,
    DatasetSnapshot,
    Evaluation,
    EvaluationState,
    RunSample,
    SnapshotState,
    TrainingRun,
)

WHY = "a patient in it was erased"


def obstacles_to_withdrawal(snapshot_ids: Sequence[UUID], site_id: UUID) -> Iterator[str]:
    """What has to end before these snapshots can lose a patient of the site."""
    if TrainingRun.objects.filter(snapshot__in=snapshot_ids, state__in=LIVE_STATES).exists():
        yield "a training run uses a snapshot with the patient; wait for it or cancel it"
    judged = [EvaluationState.QUEUED, EvaluationState.RUNNING]
    if Evaluation.objects.filter(snapshot__in=snapshot_ids, state__in=judged).exists():
        yield "an evaluation uses a snapshot with the patient; wait for it or cancel it"
    if DatasetSnapshot.objects.filter(state=SnapshotState.BUILDING, sites=site_id).exists():
        yield "a snapshot of the site is being built; wait for it"


def withdraw(snapshot_ids: Sequence[UUID]) -> None:
    """The snapshots say why they are not used any more; those that failed keep their own reason.

    What their runs show of single slices goes, whoever's it is.
    """
    RunSample.objects.filter(run__snapshot__in=snapshot_ids).delete()
    for snapshot in DatasetSnapshot.objects.filter(pk__in=snapshot_ids, state=SnapshotState.READY):
        snapshot.state, snapshot.reason = SnapshotState.WITHDRAWN, WHY
        snapshot.save(update_fields=["state", "reason", "modified"])
        publish_snapshot(snapshot)
