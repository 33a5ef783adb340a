"""Nodes whose studies arrive without their patient: nothing of the original is kept, and a study stays one study."""

import shutil
import subprocess

import pytest
from django.apps import apps
from django.conf import settings
from pydicom import dcmread
from pydicom.uid import MRImageStorage, SecondaryCaptureImageStorage
from pynetdicom import AE, build_context

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.storage import stored_path
from plaqueview.pacs.failures import COERCED, SOP_CLASS_NOT_SUPPORTED, SUCCESS
from plaqueview.pacs.listener import ANYONE
from plaqueview.studies.models import Deidentification, Instance, Study
from tests.accounts.people import make_user, token_client
from tests.pacs.peers import PATH, needs_dcmtk
from tests.pacs.test_listener import Inside, listener
from tests.pacs.test_nodes import DIMSE, WEB, Administration
from tests.pacs.test_stow import body_of, post
from tests.studies.dicom_files import encoded, ljubljana, series

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["listener"]

WHO = {
    "PatientName": "Kovac^Ana", "PatientBirthDate": "19830714", "InstitutionName": "Clinic of Somewhere",
    "StudyDescription": "head of Ana", "AccessionNumber": "ACC-77", "StudyDate": "20240203", "PatientComments": "tall",
}  # fmt: skip
STUDY_UID, FRAME_UID = "1.2.840.7777.1", "1.2.840.7777.2"
WORDS = [
    "Kovac",
    "19830714",
    "1983-07-14",
    "Somewhere",
    "head of",
    "ACC-77",
    "20240203",
    "2024-02-03",
    "MRN-4711",
    STUDY_UID,
]


def scanned(count: int = 3, **attributes) -> list:
    who = {**WHO, "FrameOfReferenceUID": FRAME_UID, "BurnedInAnnotation": "NO", **attributes}
    return series(count, study_uid=STUDY_UID, patient_id="MRN-4711", **who)


@pytest.fixture
def administration() -> Administration:
    return Administration(token_client(make_user(Role.ADMIN, site=ljubljana())))


@pytest.fixture
def anybody(settings, tmp_path) -> None:
    """Any caller is let in, and nothing else lies in the store."""
    settings.DICOM_CALLING_AE_TITLES, settings.STORAGE_DIR = [ANYONE], tmp_path / "store"


def send(running: Inside, datasets, *, calling: str) -> list[int]:
    entity = AE(ae_title=calling)
    contexts = [build_context(one) for one in (MRImageStorage, SecondaryCaptureImageStorage)]
    association = entity.associate("127.0.0.1", running.port, contexts=contexts, ae_title="PLAQUEVIEW")
    statuses = [association.send_c_store(dataset).Status for dataset in datasets]
    association.release()
    return statuses


def words_kept() -> list[str]:
    """Those of the patient's words that stand in any file or any row."""
    files = [path.read_bytes() for path in settings.STORAGE_DIR.rglob("*") if path.is_file()]
    rows = "".join(str(list(model._base_manager.values())) for model in apps.get_models())
    return [word for word in WORDS if word in rows or any(word.encode() in content for content in files)]


def test_nothing_of_the_patient_is_kept_and_a_study_sent_twice_is_one_study(administration, anybody, listener, caplog):
    administration.made(DIMSE, ae_title="RESEARCH", deidentifies=True)
    datasets = scanned()
    capture = scanned(1, SOPClassUID=SecondaryCaptureImageStorage)[0]
    burned_in = scanned(1, BurnedInAnnotation="YES")[0]
    odd = scanned(1, AcquisitionDate="Kovac")[0]
    odd.PatientID = "MRN-4711 "
    caplog.clear()

    statuses = send(listener, [*datasets, capture, burned_in], calling="RESEARCH")
    again = send(listener, datasets, calling="RESEARCH")
    send(listener, [odd], calling="RESEARCH")

    assert statuses == [COERCED] * 3 + [SOP_CLASS_NOT_SUPPORTED] * 2
    assert again == [COERCED] * 3
    study = Study.objects.get()
    kept = [dcmread(stored_path(one.storage_key)) for one in Instance.objects.order_by("instance_number")]
    assert {one.SOPInstanceUID for one in kept}.isdisjoint(one.SOPInstanceUID for one in datasets)
    assert (study.patient.patient_id, study.patient.name) == (kept[0].PatientID,) * 2
    assert study.patient.patient_id.startswith("P-")
    assert len({one.FrameOfReferenceUID for one in kept}) == 1
    assert {one.PixelData for one in kept} >= {one.PixelData for one in datasets}
    assert words_kept() == []
    assert [word for word in [*WORDS, *(one.SOPInstanceUID for one in datasets)] if word in caplog.text] == []


def test_another_caller_of_the_same_study_is_kept_as_it_is(administration, anybody, listener):
    administration.made(DIMSE, ae_title="RESEARCH", deidentifies=True, is_active=False)
    administration.made(DIMSE, ae_title="SCANNER", name="Scanner")

    assert send(listener, scanned(1), calling="RESEARCH") == [COERCED]
    assert send(listener, scanned(1), calling="SCANNER") == [SUCCESS]

    ours, theirs = Study.objects.order_by("received_at")
    assert (ours.accession_number, theirs.accession_number) == ("", "ACC-77")
    assert not Deidentification.objects.filter(study=theirs).exists()


def test_the_study_says_what_was_withheld_and_the_audit_by_whose_rule(administration, anybody, listener):
    node = administration.made(DIMSE, ae_title="RESEARCH", deidentifies=True)
    send(listener, [*scanned(2), *scanned(1, BurnedInAnnotation="")], calling="RESEARCH")
    study = Study.objects.get()

    told = administration.client.get(f"/api/v1/studies/{study.pk}").json()["deidentification"]

    counts = {(one["attribute"], one["outcome"]): one["count"] for one in told["attributes"]}
    assert (told["node"], told["instances"], told["silent_instances"]) == (node, 3, 1)
    assert counts["PatientComments", "removed"] == counts["SOPInstanceUID", "renamed"] == 3
    assert counts["PatientBirthDate", "emptied"] == counts["InstitutionName", "replaced"] == 3
    received = AuditEvent.objects.filter(kind=EventKind.STUDY_RECEIVED).first()
    assert received.details["deidentified_node"] == node
    assert AuditEvent.objects.get(kind=EventKind.NODE_CREATED).details["deidentifies"] is True


def test_what_an_account_of_such_a_node_stores_comes_without_its_patient_too(administration, anybody):
    sender = make_user(Role.INTEGRATOR, site=ljubljana())
    administration.made(WEB, deidentifies=True, sender=sender.username)
    datasets = scanned(2)
    body = body_of(*map(encoded, datasets), b"<html>", encoded(scanned(1, BurnedInAnnotation="YES")[0]))

    answer = post(token_client(sender), body)
    other = post(token_client(sender), body_of(encoded(datasets[0])), "studies/1.2.3")
    same = post(token_client(sender), body_of(encoded(datasets[0])), f"studies/{STUDY_UID}")

    assert (answer.status_code, other.status_code, same.status_code) == (202, 409, 200)
    stored = answer.json()["00081199"]["Value"]
    assert [one["00081155"]["Value"][0] for one in stored] == [one.SOPInstanceUID for one in datasets]
    assert [one["00081196"]["Value"] for one in stored] == [[COERCED]] * 2
    assert [one for one in stored if "00081190" in one] == []
    assert "00081190" not in answer.json()
    assert Study.objects.get().instance_count == 2
    assert words_kept() == []


def test_a_node_is_known_when_it_sends_and_is_asked_for_nobody_by_name(administration):
    stranger = make_user(Role.INTEGRATOR, site=create_site(name="Elsewhere"))
    refused = [
        administration.post({**WEB, "deidentifies": True}),
        administration.post({**WEB, "deidentifies": True, "sender": stranger.username}),
        administration.post({**DIMSE, "sender": stranger.username}),
        administration.post({**DIMSE, "deidentifies": True, "prior_count": 2}),
    ]
    node = administration.made(DIMSE, deidentifies=True)
    fetch = administration.post({"node": node, "study_instance_uid": STUDY_UID}, "fetches")

    assert [(one.status_code, one.json()["errors"][0]["field"]) for one in refused] == [
        (422, "sender"), (422, "sender"), (422, "sender"), (422, "prior_count"),
    ]  # fmt: skip
    assert fetch.status_code == 409
    assert "a fetch would name one" in fetch.json()["detail"]


@pytest.mark.peers
@needs_dcmtk
def test_storescu_takes_the_warning_for_success(administration, anybody, listener, tmp_path):
    administration.made(DIMSE, ae_title="RESEARCH", deidentifies=True)
    folder = tmp_path / "scanner"
    folder.mkdir()
    for index, dataset in enumerate(scanned()):
        (folder / f"{index}.dcm").write_bytes(encoded(dataset))
    command = [shutil.which("storescu", path=PATH), "-aet", "RESEARCH", "-aec", "PLAQUEVIEW", "+sd", "127.0.0.1"]

    done = subprocess.run([*command, str(listener.port), str(folder)], check=False)

    assert done.returncode == 0
    assert Study.objects.get().instance_count == 3
