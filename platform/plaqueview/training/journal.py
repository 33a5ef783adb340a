"""What the rest of the house hears of snapshots and runs: the audit, and who looks on."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import TRAINING, Event, announce
from plaqueview.training.models import DatasetSnapshot, TrainingRun

Details = Mapping[str, str | int | float | bool | None]


def publish_snapshot(snapshot: DatasetSnapshot) -> None:
    """Who looks at training hears how the snapshot stands, after the commit."""
    event = {"type": "snapshot.changed", "snapshot": str(snapshot.pk), "state": str(snapshot.state)}
    tell(event, site_ids_of(snapshot))


def record_snapshot(
    kind: EventKind, snapshot: DatasetSnapshot, *, actor: User | None, details: Details | None = None
) -> None:
    """The audit knows what happened to the snapshot, and who did it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="snapshot",
        object_id=snapshot.pk,
        site_id=only_site_of(snapshot),
        details={"sha256": snapshot.sha256, **(details or {})},
    )


def site_ids_of(snapshot: DatasetSnapshot) -> list[UUID]:
    return list(snapshot.sites.order_by("pk").values_list("pk", flat=True))


def only_site_of(snapshot: DatasetSnapshot) -> UUID | None:
    """The snapshot's site; None where it has several, and the event is of none of them alone."""
    site_ids = site_ids_of(snapshot)
    return site_ids[0] if len(site_ids) == 1 else None


def tell(event: Event, site_ids: Iterable[UUID]) -> None:
    for site_id in site_ids:
        announce(event, topics=(TRAINING,), site_id=site_id)


def publish_run(run: TrainingRun) -> None:
    """Who looks at training hears how the run stands, after the commit."""
    event: Event = {
        "type": "run.progress",
        "run": str(run.pk),
        "state": str(run.state),
        "stage": str(run.stage),
        "step": run.step,
        "steps": int(run.recipe["steps"]),
    }
    tell(event, site_ids_of(run.snapshot))


def record_run(kind: EventKind, run: TrainingRun, *, actor: User | None) -> None:
    """The audit knows what happened to the run, and who did it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="run",
        object_id=run.pk,
        site_id=only_site_of(run.snapshot),
        details={"snapshot": str(run.snapshot_id), "step": run.step, "model": str(run.model_id or "")},
    )
