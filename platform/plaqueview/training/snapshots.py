"""What an administrator asks of snapshots: one more, a look, a comparison."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import Site, User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.queue import enqueue
from plaqueview.training import journal
from plaqueview.training.models import DatasetSnapshot, SnapshotState, SnapshotStudy
from plaqueview.training.rules import InclusionRules

BUILD_TASK: Final = "training.build_snapshot"


@transaction.atomic
def request_snapshot(*, rules: InclusionRules, site_ids: Collection[UUID], actor: User) -> DatasetSnapshot:
    """A snapshot of the approved versions at the sites, all of the actor's where none is named, waits to be built.

    Raises: DeniedError; InvalidError when a site is none of the actor's.
    """
    require(actor, Action.TRAINING_MANAGE)
    return start_snapshot(rules=rules, sites=sites_of_actor(site_ids, actor), actor=actor)


def sites_of_actor(site_ids: Collection[UUID], actor: User) -> Collection[Site]:
    """These sites, all of the actor's where none is named. Raises: InvalidError when one is none of the actor's."""
    sites = Site.objects.filter(pk__in=actor.site_ids())
    if site_ids:
        sites = sites.filter(pk__in=site_ids)
        if sites.count() < len(set(site_ids)):
            raise InvalidError("a site is unknown, or none that you may see", fields={"sites": "need sites of yours"})
    return list(sites)


def start_snapshot(*, rules: InclusionRules, sites: Collection[Site], actor: User | None) -> DatasetSnapshot:
    """A snapshot of the sites waits to be built; `actor` None is a schedule. Called in a transaction by who may."""
    snapshot = DatasetSnapshot.objects.create(rules=rules.as_json(), requested_by=actor)
    snapshot.sites.set(sites)
    journal.record_snapshot(EventKind.SNAPSHOT_REQUESTED, snapshot, actor=actor)
    journal.publish_snapshot(snapshot)
    enqueue(BUILD_TASK, str(snapshot.pk))
    return snapshot


@transaction.atomic
def read_snapshots(*, actor: User) -> QuerySet[DatasetSnapshot]:
    """The snapshots that the actor may see, newest first; the reading is on record.

    Raises: DeniedError.
    """
    require(actor, Action.TRAINING_READ)
    audit.record_once(
        EventKind.SNAPSHOT_READ, actor=actor, object_type="", object_id="", site_id=None, details={"part": "list"}
    )
    found = DatasetSnapshot.objects.visible_to(actor).select_related("requested_by").prefetch_related("sites")
    return found.order_by("-created")


@transaction.atomic
def read_snapshot(*, snapshot_id: UUID, actor: User, part: str = "snapshot") -> DatasetSnapshot:
    """The snapshot; that the actor read this part of it is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.TRAINING_READ)
    snapshot = visible_snapshot(snapshot_id, actor)
    kind = EventKind.SNAPSHOT_EXPORTED if part == "export" else EventKind.SNAPSHOT_READ
    journal.record_snapshot(kind, snapshot, actor=actor, details={"part": part})
    return snapshot


def visible_snapshot(snapshot_id: UUID, actor: User) -> DatasetSnapshot:
    """Raises: NotFoundError when there is none that the actor may see."""
    snapshot = DatasetSnapshot.objects.visible_to(actor).select_related("requested_by").filter(pk=snapshot_id).first()
    if snapshot is None:
        raise NotFoundError("no such snapshot, or none that you may see")
    return snapshot


def require_ready(snapshot: DatasetSnapshot) -> None:
    """Raises: ConflictError."""
    if snapshot.state != SnapshotState.READY:
        raise ConflictError(f"the snapshot is {snapshot.state}; only one that is ready can be used")


@dataclass(frozen=True)
class SnapshotDifference:
    """By pseudonym, which studies only the newer one has, only the older one, and both with other labels or images."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[str, ...]
    unchanged_count: int


def compare_snapshots(*, snapshot_id: UUID, other_id: UUID, actor: User) -> SnapshotDifference:
    """What the snapshot has that the other has not, and the other way round.

    Raises: DeniedError, NotFoundError; ConflictError when one is not ready.
    """
    newer, older = (read_snapshot(snapshot_id=one, actor=actor, part="difference") for one in (snapshot_id, other_id))
    for snapshot in (newer, older):
        require_ready(snapshot)
    new, old = _files_by_study(newer), _files_by_study(older)
    both = new.keys() & old.keys()
    return SnapshotDifference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        relabelled=tuple(sorted(study for study in both if new[study] != old[study])),
        unchanged_count=sum(new[study] == old[study] for study in both),
    )


def _files_by_study(snapshot: DatasetSnapshot) -> Mapping[str, tuple[str, str]]:
    """The voxels, however they are stored, and the labels, whose file has the geometry of both."""
    rows = SnapshotStudy.objects.filter(snapshot=snapshot, exclusion="")
    return {f"{row.patient}/{row.study}": (row.image_sha256, row.labels_key) for row in rows}
