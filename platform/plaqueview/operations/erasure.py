"""A patient is erased: every row that tells of them and every byte (docs/decisions/0041-erasure.md).

The database is asked what refers to whom, so that the rows of a new app go without being known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import Sum

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, ReauthenticationError
from plaqueview.core.idempotent_answers import forget_answers
from plaqueview.core.letting_go import let_go
from plaqueview.core.stored_keys import key_columns, rows_with
from plaqueview.inbox.models import Fetch
from plaqueview.patients.models import Patient
from plaqueview.patients.services import locked_patient, obstacle_of_hold
from plaqueview.studies.models import Instance, Study, UploadFile
from plaqueview.studies.services import forget_names_beside, obstacles_of_uploads
from plaqueview.training.models import SnapshotStudy
from plaqueview.training.services import obstacles_to_withdrawal, withdraw

Rows = Mapping[type[models.Model], set[Any]]  # Any: primary keys of whatever type


@dataclass(frozen=True)
class Erasure:
    """What goes, or has gone: rows by what they are, the bytes of received instances, snapshots that are used no more.

    `obstacles` say what has to end first; with any of them nothing goes.
    """

    rows: dict[str, int]
    size_bytes: int
    snapshots: tuple[UUID, ...]
    obstacles: tuple[str, ...]


def preview(*, patient_id: UUID, actor: User) -> Erasure:
    """What `erase` would do.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.PATIENT_ERASE)
    with transaction.atomic():
        patient = locked_patient(patient_id, actor)
        return _described(patient, rows_below(patient))


@transaction.atomic
def erase(*, patient_id: UUID, reason: str, is_reauthenticated: bool, actor: User | None) -> Erasure:
    """Nothing here tells of the patient any more, but the event that says so by our own id; bytes follow within hours.

    Snapshots that contained the patient are withdrawn; models that learned from them stay. `actor` None is the
    department's own rule of retention.

    Raises: DeniedError; NotFoundError; InvalidError without a reason; ReauthenticationError; ConflictError that names
    what has to end first.
    """
    if actor is not None:
        require(actor, Action.PATIENT_ERASE)
    patient = locked_patient(patient_id, actor)
    if not reason.strip():
        raise InvalidError("say why the patient is erased", fields={"reason": "say why the patient is erased"})
    if not is_reauthenticated:
        raise ReauthenticationError("give your password again; only who has just done so can erase a patient")
    rows = rows_below(patient)
    erasure = _described(patient, rows)
    if erasure.obstacles:
        raise ConflictError(f"nothing is erased: {'; '.join(erasure.obstacles)}")
    keys = _stored_keys(rows)
    withdraw(erasure.snapshots)
    uploads = forget_names_beside(rows.get(UploadFile, ()))
    forget_answers(uploads.union(*rows.values()))
    for model, found in rows.items():
        for some in rows_with(model, found):
            some._raw_delete("default")  # noqa: SLF001  # references are looked at when the transaction ends: any order
    _record(patient, erasure, reason, actor)
    let_go(keys)
    return erasure


def rows_below(patient: Patient) -> Rows:
    """The patient and every row of any app that refers to them, or to a row that does, and so on.

    A fetch of which nothing came refers to no study, and names it all the same.
    """
    found: dict[type[models.Model], set[Any]] = {Patient: {patient.pk}}
    if fetches := _fetches_by_name(patient):
        found[Fetch] = fetches
    waiting = [(model, set(keys)) for model, keys in found.items()]
    while waiting:
        model, keys = waiting.pop()
        for child, column in _references_to(model):
            referring = {key for some in rows_with(child, keys, column) for key in some.values_list("pk", flat=True)}
            new = referring - found.get(child, set())
            if new:
                found.setdefault(child, set()).update(new)
                waiting.append((child, new))
    return found


def _fetches_by_name(patient: Patient) -> set[UUID]:
    named = patient.studies.values("study_instance_uid")
    fetches = Fetch.objects.filter(study=None, node__site=patient.site_id, study_instance_uid__in=named)
    return set(fetches.values_list("pk", flat=True))


def _references_to(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    for relation in _options(model).get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            yield relation.related_model, relation.field.name


def _options(model: type[models.Model]) -> Any:  # Any: django-stubs has Options per model
    return model._meta  # noqa: SLF001  # Django's public name


def _described(patient: Patient, rows: Rows) -> Erasure:
    sizes = [some.aggregate(total=Sum("size_bytes"))["total"] for some in rows_with(Instance, rows.get(Instance, ()))]
    members = rows_with(SnapshotStudy, rows.get(SnapshotStudy, ()))
    snapshots = tuple(sorted({snapshot for some in members for snapshot in some.values_list("snapshot", flat=True)}))
    obstacles = (
        obstacle_of_hold(patient),
        *_work_under_way(rows),
        *obstacles_of_uploads(rows.get(UploadFile, ())),
        *obstacles_to_withdrawal(snapshots, patient.site_id),
    )
    return Erasure(
        rows=dict(sorted((str(_options(model).verbose_name), len(found)) for model, found in rows.items())),
        size_bytes=sum(sizes),
        snapshots=snapshots,
        obstacles=tuple(filter(None, obstacles)),
    )


def _work_under_way(rows: Rows) -> Iterator[str]:
    """A worker with a lease on one of the rows would write its result to nowhere."""
    for model, found in rows.items():
        if any(field.name == "lease_expires_at" for field in _options(model).concrete_fields):
            leased = (some.filter(lease_expires_at__gt=clock.now()) for some in rows_with(model, found))
            if any(some.exists() for some in leased):
                yield f"workers are at {_options(model).verbose_name_plural}; wait for them or cancel them"


def _stored_keys(rows: Rows) -> set[str]:
    """Whoever is about to write another key into one of the rows comes before this or finds the row gone.

    The studies are locked first, as by everybody who locks what hangs on them.
    """
    for some in rows_with(Study, rows.get(Study, ())):
        list(some.select_for_update().values_list("pk"))
    keys: set[str] = set()
    for model, found in rows.items():
        for column in key_columns(model):
            for some in rows_with(model, found):
                # Of a row that is left out for what it says now, nobody waits for what it is about to say.
                keys.update(some.select_for_update().values_list(column, flat=True))
    return keys - {""}


def _record(patient: Patient, erasure: Erasure, reason: str, actor: User | None) -> None:
    details = {"reason": reason.strip(), **asdict(erasure), "snapshots": [str(one) for one in erasure.snapshots]}
    details.pop("obstacles")
    record(
        EventKind.PATIENT_ERASED,
        actor=actor,
        object_type="patient",
        object_id=patient.pk,
        site_id=patient.site_id,
        details=details,
    )
