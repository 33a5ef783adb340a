"""Of an erased patient nothing is left here but the event that says so; who is held is not erased."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone
from redis import Redis

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.audit.services import verify_chain
from plaqueview.core import aside
from plaqueview.core.access import Role
from plaqueview.core.aside import settle_set_aside
from plaqueview.core.errors import ConflictError, UnavailableError
from plaqueview.core.models import IdempotentRequest, UnnamedBytes
from plaqueview.core.storage import store_bytes
from plaqueview.core.stored_keys import kept_among
from plaqueview.inbox.models import Fetch
from plaqueview.inference.models import InferenceJob
from plaqueview.operations import erasure
from plaqueview.pacs.kept_headers import keep_of_study
from plaqueview.patients.models import Patient
from plaqueview.patients.services import hold
from plaqueview.studies.models import Instance, Series, Upload, UploadState
from plaqueview.studies.services import forget_removed, keep_headers, process_upload
from plaqueview.studies.settling import settle
from plaqueview.training.models import DatasetSnapshot, RunSample, SnapshotStudy, TrainingRun
from tests.accounts.people import PASSWORD, browser, csrf
from tests.api.scene import make_place, world
from tests.studies.dicom_files import encoded, series, zipped

pytestmark = pytest.mark.django_db

WHY = {"reason": "The patient asked for it."}


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    """Nothing lies in it but these places'."""
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def place(empty_broker):
    """A patient of whom everything was made, in a dataset as well."""
    made = make_place("Ljubljana")
    snapshot = DatasetSnapshot.objects.create(rules={}, state="ready", sha256="5" * 64)
    snapshot.sites.add(made.site)
    SnapshotStudy.objects.create(
        snapshot=snapshot,
        annotation_id=made.parameters["annotation_id"],
        patient="patient-1",
        study="study-1",
        side="train",
        flair_key=store_bytes([b"flair"], kind="nifti").key,
        labels_key=store_bytes([b"labels"], kind="nifti").key,
    )
    return made


@pytest.fixture
def admin(place):
    """In a browser, with the password given a moment ago."""
    client = browser(place.users[Role.ADMIN])
    give_password(client)
    return client


def give_password(client) -> None:
    answer = client.post(
        "/_allauth/browser/v1/auth/reauthenticate",
        {"password": PASSWORD},
        content_type="application/json",
        headers=csrf(client),
    )
    assert answer.status_code == 200


def erase(client, place):
    address = f"/api/v1/patients/{place.parameters['patient_id']}/erasure"
    return client.post(address, WHY, content_type="application/json", headers=csrf(client))


def own_words(place) -> set[str]:
    """What tells of the patient: identifiers, and the ids of all that was made of them."""
    patient_id = f"P-{place.site.name}"
    of_patient = (
        "study_id",
        "series_id",
        "annotation_id",
        "job_id",
        "draft_id",
        "comment_id",
        "prior_id",
        "transfer_id",
    )
    return {patient_id, *(place.parameters[name] for name in ("study_uid", "series_uid", "instance_uid", *of_patient))}


def tables_with(words: set[str]) -> set[str]:
    plain = words | {word.replace("-", "") for word in words}
    rows = {name: rows for name, rows in world().items() if isinstance(rows, list) and name != "files"}
    return {name for name, found in rows.items() if any(word in row for row in found for word in plain)}


def files() -> set[str]:
    root = Path(django_settings.STORAGE_DIR)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(("incoming/", "uploads/"))}


def texts_in_redis() -> bytes:
    redis = Redis.from_url(django_settings.REDIS_URL)
    return b"".join(redis.get(key) or b"" for key in redis.scan_iter(_type="string"))


def test_nothing_but_the_event_is_left(admin, place, django_capture_on_commit_callbacks):
    other = make_place("Maribor")
    of_other = {word: tables_with({word}) for word in own_words(other)}
    shown = admin.get(f"/dicom-web/studies/{place.parameters['study_uid']}/metadata")
    assert f"P-{place.site.name}".encode() in shown.content
    settle(place.study.pk)
    keep_of_study(place.study.pk)
    assert {name.partition("/")[0] for name in files()} >= {"dicom", "headers", "nifti"}
    size_bytes = sum(Instance.objects.filter(study__patient=place.study.patient).values_list("size_bytes", flat=True))

    with django_capture_on_commit_callbacks(execute=True):
        answer = erase(admin, place)
    settle_set_aside(wanted_among=kept_among, older_than_s=0.0)

    assert answer.status_code == 200
    erased = answer.json()
    assert (erased["rows"]["study"], erased["rows"]["instance"], erased["size_bytes"]) == (2, 20, size_bytes)
    assert tables_with(own_words(place)) == {"audit_auditevent"}
    assert tables_with({f"P-{place.site.name}", place.parameters["study_uid"]}) == set()
    assert f"P-{place.site.name}".encode() not in texts_in_redis()
    assert files() == kept_among(files())
    assert not any(name.startswith("headers/") for name in files())
    assert {word: tables_with({word}) for word in own_words(other)} == of_other
    event = AuditEvent.objects.get(kind=EventKind.PATIENT_ERASED)
    assert (event.object_id, event.actor_name) == (place.parameters["patient_id"], place.users[Role.ADMIN].username)
    assert event.details["rows"] == erased["rows"]
    assert verify_chain().problems == ()


def test_bytes_that_could_not_be_set_aside_go_with_the_next_hour(
    admin, place, monkeypatch, django_capture_on_commit_callbacks
):
    before = files()
    with monkeypatch.context() as away:
        away.setattr(aside, "_set_aside", refusing_bucket)
        with django_capture_on_commit_callbacks(execute=True):
            answer = erase(admin, place)
        assert (answer.status_code, files()) == (200, before)
        with pytest.raises(UnavailableError, match="SlowDown"):
            forget_removed()

    forget_removed()
    settle_set_aside(wanted_among=kept_among, older_than_s=0.0)

    assert (files(), UnnamedBytes.objects.count()) == (kept_among(before), 0)
    assert files() < before


def refusing_bucket(_key: str) -> None:
    raise UnavailableError("the storage bucket refuses: SlowDown")


def test_fetches_that_name_the_patients_study_go_though_nothing_came_of_them(admin, place):
    other = make_place("Maribor")
    wanted = place.parameters["study_uid"]
    Fetch.objects.create(node_id=place.parameters["node_id"], study_instance_uid=wanted, state="dead")
    elsewhere = Fetch.objects.create(node_id=other.parameters["node_id"], study_instance_uid=wanted, state="dead")

    answer = erase(admin, place)

    assert (answer.status_code, answer.json()["rows"]["fetch"]) == (200, 1)
    assert list(Fetch.objects.filter(study_instance_uid=wanted)) == [elsewhere]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_headers_that_a_worker_is_about_to_keep_go_too(place):
    series, locked, release = place.study.flair_series, threading.Event(), threading.Event()

    def keep() -> None:
        with transaction.atomic():
            Series.objects.select_for_update().get(pk=series.pk)
            locked.set()
            assert release.wait(20)
            keep_headers(series_id=series.pk, content=b"names the patient", storage_keys=[])
        connection.close()

    def erase_by_rule() -> None:
        why = {"reason": "Retention", "is_reauthenticated": True, "actor": None}
        erasure.erase(patient_id=place.study.patient_id, **why)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        kept = pool.submit(keep)
        assert locked.wait(20)
        erased = pool.submit(erase_by_rule)
        time.sleep(1.0)
        is_waiting = not erased.done()
        release.set()
        for one in (kept, erased):
            one.result(timeout=30)

    assert is_waiting
    assert not Series.objects.filter(pk=series.pk).exists()
    assert not any(name.startswith("headers/") for name in files())


@pytest.fixture
def sent(admin, place):
    """An archive that is called like the patient, with a report beside their image, and another patient's file."""
    named = zipped({"IM0": encoded(series(1, patient_id="N")[0]), "NOVAK_ANA/report.pdf": b"%PDF-1.7"})
    files = [
        SimpleUploadedFile("NOVAK_ANA_19800131.zip", named),
        SimpleUploadedFile("other.dcm", encoded(series(1, patient_id="O")[0])),
    ]
    headers = csrf(admin) | {"Idempotency-Key": "sent once"}
    answer = admin.post("/api/v1/uploads", {"file": files}, headers=headers)
    assert (answer.status_code, answer.json()["files"][0]["name"]) == (202, "NOVAK_ANA_19800131.zip")
    return Upload.objects.get(pk=answer.json()["id"])


def test_what_the_sender_called_the_files_goes_too_and_what_was_answered(sent, admin):
    process_upload(sent.pk)
    patient = Patient.objects.get(patient_id="N")

    erasure.erase(patient_id=patient.pk, reason="The patient asked for it.", is_reauthenticated=True, actor=None)

    lines = sent.files.order_by("outcome", "name").values_list("outcome", "name")
    assert list(lines) == [("accepted", "other.dcm"), ("rejected", "(erased)"), ("unpacked", "(erased)")]
    kept = IdempotentRequest.objects.get()
    assert (kept.status, kept.location, kept.body) == (202, f"/api/v1/uploads/{sent.pk}", None)


def test_who_is_being_taken_in_is_not_erased_meanwhile(sent):
    process_upload(sent.pk)
    Upload.objects.filter(pk=sent.pk).update(state=UploadState.PROCESSING)
    patient = Patient.objects.get(patient_id="N")

    with pytest.raises(ConflictError) as refused:
        erasure.erase(patient_id=patient.pk, reason="The patient asked for it.", is_reauthenticated=True, actor=None)

    why = "nothing is erased: an upload with files of the patient is being taken in; wait for it"
    assert refused.value.detail == why
    assert sent.files.filter(name="NOVAK_ANA_19800131.zip").count() == 1


def test_a_dataset_with_the_patient_is_used_no_more(admin, place):
    snapshot = DatasetSnapshot.objects.get(state="ready")
    run = TrainingRun.objects.create(snapshot=snapshot, recipe={}, state="cancelled", finished_at=timezone.now())
    RunSample.objects.create(run=run, number=1, study="study-1", slice_number=3, slice_png=b"p", step=1, outlines={})

    erased = erase(admin, place).json()

    assert erased["snapshots"] == [str(snapshot.pk)]
    snapshot.refresh_from_db()
    assert (snapshot.state, snapshot.reason) == ("withdrawn", "a patient in it was erased")
    assert run.samples.count() == 0


def test_what_has_to_end_first_is_named_and_nothing_goes(admin, place):
    snapshot = DatasetSnapshot.objects.get(state="ready")
    TrainingRun.objects.create(snapshot=snapshot, recipe={})
    hold(patient_id=place.study.patient_id, reason="A claim is pending.", actor=place.users[Role.ADMIN])
    InferenceJob.objects.filter(pk=place.parameters["job_id"]).update(
        state="running", lease_token=place.study.pk, lease_expires_at=timezone.now() + timedelta(minutes=1)
    )
    before = world()

    preview = admin.get(f"/api/v1/patients/{place.parameters['patient_id']}/erasure").json()
    answer = erase(admin, place)

    obstacles = [
        "the patient is held (A claim is pending.); release the hold first",
        "workers are at inference jobs; wait for them or cancel them",
        "a training run uses a snapshot with the patient; wait for it or cancel it",
    ]
    assert preview["obstacles"] == obstacles
    assert (answer.status_code, answer.json()["detail"]) == (409, f"nothing is erased: {'; '.join(obstacles)}")
    assert world() == before


@pytest.mark.parametrize("has_password", [True, False])
def test_without_the_password_nothing_goes(place, has_password):
    owner = place.users[Role.ADMIN]
    client = browser(owner)
    if not has_password:  # nor anything else to show who they are
        owner.set_unusable_password()
        owner.save()
        client.force_login(owner)

    answer = erase(client, place)

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")
    assert Patient.objects.filter(pk=place.study.patient_id).exists()


def test_who_is_held_keeps_even_what_came_by_mistake(admin, place):
    address = f"/api/v1/patients/{place.parameters['patient_id']}/hold"
    held = admin.put(address, {"reason": "A claim."}, content_type="application/json", headers=csrf(admin))
    refused = admin.delete(f"/dicom-web/studies/{place.parameters['study_uid']}", headers=csrf(admin))
    shown = admin.get(f"/api/v1/patients/{place.parameters['patient_id']}").json()["hold_reason"]
    released = admin.delete(address, headers=csrf(admin))

    assert (held.json(), shown, released.json()) == ({"hold_reason": "A claim."}, "A claim.", {"hold_reason": ""})
    assert "the patient is held (A claim.)" in refused.json()["detail"]
    kinds = list(
        AuditEvent.objects.filter(kind__startswith="patient.").order_by("sequence").values_list("kind", flat=True)
    )
    assert kinds == ["patient.held", "patient.read", "patient.released"]


def test_a_rule_erases_without_a_person(place):
    erased = erasure.erase(patient_id=place.study.patient_id, reason="Retention", is_reauthenticated=True, actor=None)

    assert erased.rows["patient"] == 1
    assert AuditEvent.objects.get(kind=EventKind.PATIENT_ERASED).actor_name == "system"
