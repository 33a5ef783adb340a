"""Finding stored instances for DICOMweb: by UIDs, within the caller's sites, with the event that says so."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import CharField, F, QuerySet, UUIDField

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record_once
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.prepared import PreparedTuples, Slot
from plaqueview.studies.models import Instance


class StoredInstance(NamedTuple):
    """What is served of an instance. A series is 60 of them, and objects of the model would take half of its time."""

    site_id: UUID
    study_id: UUID
    series_id: UUID
    transfer_syntax_uid: str
    number_of_frames: int
    rows: int | None
    columns: int | None
    frame_bytes: int | None
    storage_key: str
    sha256: str
    size_bytes: int
    pixel_offset: int | None
    pixel_bytes: int | None
    headers_key: str


PLACES: Final = {
    "study_uid": "study__study_instance_uid",
    "series_uid": "series__series_instance_uid",
    "instance_uid": "sop_instance_uid",
}


def retrieve(
    *, actor: User, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
) -> list[StoredInstance]:
    """The instances below these UIDs in the order of their numbers; at least one.

    Reading is recorded by series, as a viewer asks for one frame after the other; by study where a whole one is read.

    Raises: DeniedError; NotFoundError; ConflictError when several of the actor's sites keep the study.
    """
    require(actor, Action.DICOMWEB_READ)
    uids = {"study_uid": study_uid, "series_uid": series_uid, "instance_uid": instance_uid}
    given = {name: uid for name, uid in uids.items() if uid is not None}
    instances = BELOW[frozenset(given)].rows(actor=actor.pk, **given)
    if not instances:
        raise NotFoundError("no such study, series or instance, or none that you may see")
    if len({instance.site_id for instance in instances}) > 1:
        raise ConflictError(f"study {study_uid} is kept at several of your sites; use an account of one site")
    _record(actor, instances[0], is_study=series_uid is None)
    return instances


def _below(*names: str) -> "QuerySet[Instance]":
    """What is asked for by these UIDs, of the actor that each call names."""
    actor = User(pk=Slot("actor", UUIDField()))  # type: ignore[misc]  # for a query that is filled in
    found = Instance.objects.visible_to(actor)
    found = found.filter(**{PLACES[name]: Slot(name, CharField()) for name in names})
    if "series_uid" not in names:
        # It always is: so that the study is found by its site and UID, and not by looking through all of that index.
        found = found.filter(study__site=F("site"))
    order = () if "instance_uid" in names else ("series_id", "instance_number", "sop_instance_uid")
    return _annotated(found.order_by(*order))


def _annotated(instances: "QuerySet[Instance]") -> "QuerySet[Instance]":
    """With what a `StoredInstance` has beside columns of its own."""
    return instances.annotate(frame_bytes=F("attributes__frame_bytes"), headers_key=F("series__headers_key"))


def instances_of(series_id: UUID) -> list[StoredInstance]:
    """All of a series, for what the system does by itself."""
    found = Instance.objects.filter(series=series_id).order_by("instance_number", "sop_instance_uid")
    return [StoredInstance._make(row) for row in _annotated(found).values_list(*StoredInstance._fields)]


BELOW: Final = {
    frozenset(names): PreparedTuples(StoredInstance, partial(_below, *names))
    for names in (("study_uid",), ("study_uid", "series_uid"), ("study_uid", "series_uid", "instance_uid"))
}


def etag_of(instances: Sequence[StoredInstance], *words: object) -> str:
    """Names the bytes of all the instances, and what is asked of them."""
    digest = hashlib.sha256("\n".join([*(one.sha256 for one in instances), *map(str, words)]).encode())
    return f'"{digest.hexdigest()}"'


def _record(actor: User, instance: StoredInstance, *, is_study: bool) -> None:
    if is_study:
        kind, object_type, object_id = EventKind.STUDY_READ, "study", instance.study_id
    else:
        kind, object_type, object_id = EventKind.SERIES_READ, "series", instance.series_id
    record_once(kind, actor=actor, object_type=object_type, object_id=object_id, site_id=instance.site_id)
