"""Two sites with everything that a route can name, and everything that a request might change."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from redis import Redis

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import LONGEST_TOKEN_LIFE, create_site, create_token
from plaqueview.annotations import services as annotations
from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation, DoubleReading, DoubleReadingState, Draft
from plaqueview.core.access import Role
from plaqueview.core.preconditions import Precondition
from plaqueview.inbox.models import Fetch
from plaqueview.inference import services as inference
from plaqueview.inference.models import Rerun
from plaqueview.inference.selection import Selection
from plaqueview.longitudinal import services as longitudinal
from plaqueview.outbox.models import Transfer
from plaqueview.pacs.nodes import NodeSetup, create_node
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Instance, Study
from plaqueview.studies.settling import settle
from plaqueview.studies.uploads import UploadPart, create_upload
from plaqueview.training.models import DatasetSnapshot, TrainingRun
from plaqueview.training.recipe import Recipe
from plaqueview.training.rules import InclusionRules
from plaqueview.training.schedules import Plan, create_schedule
from plaqueview.training.watching import Sample, keep_samples
from plaqueview.webhooks import services as webhooks
from tests.accounts.people import make_user
from tests.inference.scenes import make_model, segmentation
from tests.studies.dicom_files import encoded, incoming, receive_series, series

IDS = (
    "study_id", "series_id", "patient_id", "annotation_id", "draft_id", "comment_id", "double_reading_id",
    "job_id", "rerun_id", "node_id", "transfer_id", "fetch_id", "webhook_id", "delivery_id",
    "snapshot_id", "run_id", "schedule_id", "user_id",
    "study_uid", "series_uid", "instance_uid",
)  # fmt: skip
QUEUES = ("default", "inference")
# A request signs in, and a token notes its last use, also where it is denied.
CHANGES_ANYWAY = {"django_session", "accounts_apitoken"}
BYTEA = 17  # PostgreSQL's number of the type


@dataclass(frozen=True)
class Place:
    """A site, one user per role, and one of each thing that a route can name."""

    site: Site
    users: dict[Role, User]
    study: Study
    parameters: dict[str, str]

    def ids(self) -> set[str]:
        """What must not be seen from another site."""
        return {self.parameters[name] for name in IDS}


def make_place(name: str) -> Place:
    """A study that was received, settled and read by the network, then asked for once more."""
    model = ModelVersion.objects.first() or make_model()
    site = create_site(name=name)
    users = {role: make_user(role, site=site, username=f"{role.value}-of-{name}") for role in Role}
    received = receive_series(series(10, patient_id=f"P-{name}"), site=site)
    study_id = received[0].study_id
    assert study_id is not None
    settle(study_id)
    prior_id = _prior(site, f"P-{name}")
    annotation_id = _read_by_network(study_id, model)
    node_id = _node(users[Role.ADMIN])
    webhook_id = _webhook(users[Role.ADMIN])
    job = inference.request(study_id=study_id, actor=users[Role.NEUROLOGIST])
    study = Study.objects.get(pk=study_id)
    snapshot = _snapshot(site, users[Role.ADMIN])
    parameters = {
        "study_id": study_id,
        "series_id": study.flair_series_id,
        "patient_id": study.patient_id,
        "annotation_id": annotation_id,
        "job_id": job.pk,
        "rerun_id": _rerun(site, model, users[Role.ADMIN]),
        "draft_id": make_draft(annotation_id, users[Role.NEUROLOGIST]).pk,
        "comment_id": _comment(study_id, users[Role.NEUROLOGIST]),
        "prior_id": prior_id,
        "double_reading_id": _double_reading(prior_id, users[Role.NEUROLOGIST], users[Role.ADMIN]),
        "registration_id": longitudinal.request(study_id=study_id, prior_id=prior_id, actor=None).pk,
        "node_id": node_id,
        "transfer_id": _transfer(annotation_id, node_id),
        "fetch_id": _fetch(node_id),
        "webhook_id": webhook_id,
        "delivery_id": webhooks.test_webhook(webhook_id=webhook_id, actor=users[Role.ADMIN]).pk,
        "upload_id": _upload(users[Role.NEUROLOGIST], site),
        "snapshot_id": snapshot.pk,
        "run_id": _run(snapshot),
        "schedule_id": _schedule(users[Role.ADMIN]),
        "user_id": users[Role.NEUROLOGIST].pk,
        "token": _token(users[Role.INTEGRATOR]),
        "model": model.pk,
        "study_uid": study.study_instance_uid,
        "series_uid": study.flair_series.series_instance_uid,
        "instance_uid": Instance.objects.filter(series=study.flair_series).values_list("sop_instance_uid", flat=True)[
            0
        ],
        "frame_list": "1",
        "tag": "7FE00010",
        "number": "1",
    }
    return Place(site, users, study, {name: str(value) for name, value in parameters.items()})


def _prior(site: Site, patient_id: str) -> UUID:
    """An earlier study of the patient, settled and not yet read."""
    received = receive_series(series(10, patient_id=patient_id, StudyDate="20230203"), site=site)
    assert received[0].study_id is not None
    settle(received[0].study_id)
    return received[0].study_id


def _read_by_network(study_id: UUID, model: ModelVersion) -> UUID:
    job = inference.request(study_id=study_id, actor=None)
    claim = inference.claim(job_id=job.pk, worker="scene", model_id=model.pk)
    assert claim is not None
    return inference.complete(claim=claim, segmentation=segmentation()).pk


def _rerun(site: Site, model: ModelVersion, admin: User) -> UUID:
    """One that is over."""
    rerun = Rerun.objects.create(selection=Selection().as_json(), model=model, requested_by=admin)
    rerun.sites.add(site)
    return rerun.pk


def make_draft(annotation_id: UUID, user: User) -> Draft:
    """The study's draft, with the mask of the version."""
    base = Annotation.objects.get(pk=annotation_id)
    return annotations.save_draft(
        study_id=base.study_id,
        precondition=Precondition(is_for_new=True),
        content=annotations.DraftContent(base.pk, labels_of(base).content, statements=[]),
        actor=user,
    )


def _comment(study_id: UUID, user: User) -> UUID:
    return annotations.add_comment(study_id=study_id, remark=annotations.Remark("Look again."), actor=user).pk


def _double_reading(study_id: UUID, adjudicator: User, actor: User) -> UUID:
    """One that is over, so that the study can be read."""
    done = DoubleReadingState.DONE
    return DoubleReading.objects.create(study_id=study_id, adjudicator=adjudicator, requested_by=actor, state=done).pk


def _node(admin: User) -> UUID:
    """A peer that does not answer."""
    setup = NodeSetup(name="Archive", kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=9)
    return create_node(setup=setup, site_id="", actor=admin).pk


def _webhook(admin: User) -> UUID:
    setup = webhooks.WebhookSetup("Engine", "https://example.org/hook", ("study.received",))
    return webhooks.create_webhook(setup=setup, site_id="", actor=admin).webhook.pk


def _transfer(annotation_id: UUID, node_id: UUID) -> UUID:
    """One that is over."""
    now = timezone.now()
    return Transfer.objects.create(
        annotation_id=annotation_id, node_id=node_id, documents=["seg"], state="sent", approved_at=now, sent_at=now
    ).pk


def _fetch(node_id: UUID) -> UUID:
    """One that is over."""
    return Fetch.objects.create(node_id=node_id, study_instance_uid="1.2.3", state="dead").pk


def _snapshot(site: Site, admin: User) -> DatasetSnapshot:
    """One that has failed, for want of an approved version."""
    failed = DatasetSnapshot.objects.create(
        rules=InclusionRules().as_json(), state="failed", reason="Nothing is approved.", requested_by=admin
    )
    failed.sites.add(site)
    return failed


def _run(snapshot: DatasetSnapshot) -> UUID:
    """One that waits, and has shown a slice."""
    run = TrainingRun.objects.create(snapshot=snapshot, recipe=Recipe().as_json())
    keep_samples(run, [Sample(1, "P-1/S-1", 4, b"png", 50, {"expert": [], "active": [], "inactive": []}, None)])
    return run.pk


def _schedule(admin: User) -> UUID:
    plan = Plan("Nightly", "0 2 * * *", 10, None, InclusionRules(), Recipe())
    return create_schedule(plan=plan, site_ids=[], actor=admin).pk


def _upload(user: User, site: Site) -> UUID:
    path = incoming(encoded(series(1)[0]))
    part = UploadPart(name="one.dcm", path=path, size_bytes=path.stat().st_size)
    return create_upload(actor=user, site=site, parts=[part]).pk


def _token(user: User) -> UUID:
    expires_at = timezone.now() + LONGEST_TOKEN_LIFE
    return create_token(user=user, name="bridge", scopes=[], expires_at=expires_at, actor=None).token.pk


def one_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("one.dcm", encoded(series(1)[0]))


def multipart_related(boundary: str, **attributes: str) -> bytes:
    """One new instance, as STOW-RS sends it. Source: PS3.18 10.5.1.1."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return head + encoded(series(1, **attributes)[0]) + f"\r\n--{boundary}--\r\n".encode()


def world() -> dict[str, object]:
    """Every row of every table, every waiting task and every file, to be compared before and after."""
    return {**_rows(), **_tasks(), "files": _files()}


def _rows() -> dict[str, list[str]]:
    columns = _columns()
    if connection.vendor == "postgresql":
        return _rows_at_once(columns)
    with connection.cursor() as cursor:
        rows = {}
        for table in columns:
            cursor.execute(f"SELECT {', '.join(columns[table])} FROM {connection.ops.quote_name(table)}")
            rows[table] = sorted(map(repr, cursor.fetchall()))
        return rows


def _rows_at_once(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """In one query: to ask a server for each table takes longer than the request that is tested."""
    row_of = {table: f"ROW({', '.join(names)})::text" for table, names in columns.items()}
    tables = (f"SELECT '{table}', {row} FROM {connection.ops.quote_name(table)}" for table, row in row_of.items())
    rows: dict[str, list[str]] = {table: [] for table in columns}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(tables))
        for table, row in cursor.fetchall():
            rows[table].append(row)
    return {table: sorted(found) for table, found in rows.items()}


@cache
def _columns() -> Mapping[str, Sequence[str]]:
    """Of every table, as they are asked for: what is said in bytes can be read, as what is said in text."""
    with connection.cursor() as cursor:
        columns = {
            table: [
                f"encode({name}, 'escape')" if column.type_code == BYTEA else name
                for column in connection.introspection.get_table_description(cursor, table)
                for name in [connection.ops.quote_name(column.name)]
            ]
            for table in sorted(set(connection.introspection.table_names()) - CHANGES_ANYWAY)
        }
    return columns | {"accounts_apitoken": ["id", "scopes", "expires_at", "revoked_at"]}


def _tasks() -> dict[str, int]:
    with _broker().pipeline(transaction=False) as asked:
        for queue in QUEUES:
            asked.llen(queue)
        return {f"queue {queue}": int(length) for queue, length in zip(QUEUES, asked.execute(), strict=True)}


@cache
def _broker() -> Redis:
    """A connection for each question would take as long as the request that is tested."""
    return Redis.from_url(settings.CELERY_BROKER_URL)


def _files() -> list[str]:
    return sorted(f"{folder}/{name}" for folder, _, names in os.walk(settings.STORAGE_DIR) for name in names)
