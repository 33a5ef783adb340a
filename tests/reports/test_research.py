"""A study leaves for research: nothing in it names the patient, everything in it still belongs together."""

import json
import re
import shutil
import zipfile
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.imaging.deidentify import Pseudonyms, deidentify
from tests.accounts.people import make_user, token_client
from tests.imaging.documents import dciodvfy_errors
from tests.inference.scenes import segmentation
from tests.reports.scenes import FRAME_OF_REFERENCE_UID, STUDY_UID, make_office, slices
from tests.reports.test_documents import voxels_in
from tests.studies.dicom_files import receive_series

pytestmark = pytest.mark.django_db

NAME, NUMBER, PLACE = "Kovač^Ana", "P1", "Clinic of Somewhere"
SCANNED = {
    "SpecificCharacterSet": "ISO_IR 192", "PatientName": NAME, "PatientBirthDate": "19800131", "PatientSex": "F",
    "InstitutionName": PLACE, "StudyDescription": f"MR of {NAME}", "AccessionNumber": "ACC-77",
    "ReferringPhysicianName": "Novak^Jan", "Manufacturer": "Scanners", "PositionReferenceIndicator": "",
    "AcquisitionDate": "20240203", "PatientComments": "lives in Somewhere", "BurnedInAnnotation": "NO",
}  # fmt: skip


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def asked(office, study_id=None):
    admin = make_user(Role.ADMIN, site=office.desk.study.site)
    return token_client(admin).get(f"/api/v1/studies/{study_id or office.desk.study.pk}/deidentified.zip")


def exported(office, study_id=None) -> dict[str, bytes]:
    answer = asked(office, study_id)
    assert answer.status_code == 200, answer.json()
    return opened(b"".join(answer.streaming_content))


def texts_in(dataset: Dataset) -> str:
    plain = [one for one in dataset.iterall() if one.VR != "SQ" and one.keyword != "PixelData"]
    return " ".join(str(one.value) for one in plain)


def test_nothing_in_it_names_anybody_and_everything_still_belongs_together(tmp_path):
    office = make_office(**SCANNED)
    version = office.confirmed()
    office.approve(version)
    reader = version.author
    files = exported(office)

    objects = {name: dcmread(BytesIO(content)) for name, content in files.items() if name.endswith(".dcm")}
    images = {name: one for name, one in objects.items() if name.startswith("images/")}
    assert len(images) == len(slices())
    everything = " ".join(map(texts_in, objects.values())) + files["report.json"].decode()
    named = [NAME, "Kova", PLACE, "ACC-77", "Novak", "Somewhere", reader.username, str(version.pk)]
    assert [word for word in named if word in everything] == []
    # The digits of a UID are any.
    assert re.findall(r"(?<![\d.])(?:1980|202402)", everything) == []
    assert [uid for uid in (STUDY_UID, FRAME_OF_REFERENCE_UID) if uid in everything] == []
    assert {(one.PatientID, str(one.PatientName)) for one in objects.values()} == {(images_patient(images),) * 2}
    assert len({one.StudyInstanceUID for one in objects.values()}) == 1
    assert len({one.FrameOfReferenceUID for one in [*images.values(), objects["seg.dcm"]]}) == 1
    uids = [images[name].SOPInstanceUID for name in sorted(images)]
    assert references_of(objects["seg.dcm"]) == set(uids)
    assert references_of(objects["sr.dcm"]) <= {*uids, objects["seg.dcm"].SOPInstanceUID}
    np.testing.assert_array_equal(voxels_in(files["seg.dcm"], uids), segmentation().labels.voxels)
    assert objects["seg.dcm"].PatientIdentityRemoved == "YES"
    assert [one.CodeValue for one in objects["sr.dcm"].DeidentificationMethodCodeSequence] == ["113100", "113104"]
    if shutil.which("dciodvfy"):
        for name in ("seg.dcm", "sr.dcm"):
            path = tmp_path / name
            path.write_bytes(files[name])
            assert dciodvfy_errors(path) == [], name


def images_patient(images: dict[str, Dataset]) -> str:
    (pseudonym,) = {str(one.PatientID) for one in images.values()}
    assert pseudonym.startswith("P-")
    return pseudonym


def references_of(dataset: Dataset) -> set[str]:
    return {str(element.value) for element in dataset.iterall() if element.keyword == "ReferencedSOPInstanceUID"}


def test_the_report_says_what_became_of_what_and_the_audit_that_it_left():
    office = make_office(**SCANNED)
    report = json.loads(exported(office)["report.json"])

    outcomes = {(one["attribute"], one["outcome"]): one["count"] for one in report["attributes"]}
    count = len(slices())
    assert outcomes["PatientComments", "removed"] == outcomes["PatientBirthDate", "emptied"] == count
    assert outcomes["SOPInstanceUID", "renamed"] == outcomes["InstitutionName", "replaced"] == count
    assert report["warnings"] == ["no version of the study is approved by a reader here: only images are in"]
    assert report["left_out"] == []
    event = AuditEvent.objects.get(kind=EventKind.DOCUMENT_EXPORTED)
    assert (event.object_id, event.details["instances"]) == (str(office.desk.study.pk), count)


def test_the_same_patient_has_the_same_pseudonym_and_the_same_study_the_same_bytes():
    office = make_office(**SCANNED)
    first, again = exported(office), exported(office)
    other = slices(**SCANNED)[0]
    other.StudyInstanceUID, other.SeriesInstanceUID, other.SOPInstanceUID = "1.2.840.98", "1.2.840.98.1", "1.2.840.98.2"
    study_id = receive_series([other], site=office.desk.study.site)[0].study_id
    report = json.loads(exported(office, study_id)["report.json"])

    assert first == again
    assert report["patient"] == json.loads(first["report.json"])["patient"]
    assert report["study"] != json.loads(first["report.json"])["study"]


def test_images_with_words_burned_in_stay_and_a_study_of_nothing_else_is_refused():
    office = make_office(**{**SCANNED, "BurnedInAnnotation": "YES"})

    answer = asked(office)

    assert answer.status_code == 409
    assert "burned in" in answer.json()["detail"]
    assert not AuditEvent.objects.filter(kind=EventKind.DOCUMENT_EXPORTED).exists()


def test_what_lies_deep_in_sequences_goes_as_well_and_so_does_what_a_vendor_added():
    dataset, step, inner = slices(**SCANNED)[0], Dataset(), Dataset()
    inner.PatientName, inner.ReferencedSOPInstanceUID = NAME, "1.2.3.4"
    step.add_new((0x0008, 0x1084), "SQ", Sequence([]))
    step.PersonName, step.ReferencedImageSequence = NAME, Sequence([inner])
    dataset.ReferencedImageSequence = Sequence([step])
    dataset.private_block(0x0029, "Vendor", create=True).add_new(1, "LO", NAME)
    pseudonyms = Pseudonyms("P-1", b"k" * 32)

    report = deidentify(dataset, pseudonyms)

    (kept,) = dataset.ReferencedImageSequence[0].ReferencedImageSequence
    assert kept.ReferencedSOPInstanceUID == pseudonyms.uid("1.2.3.4")
    assert NAME not in texts_in(dataset)
    assert [element for element in dataset.iterall() if element.is_private] == []
    assert {one.outcome: count for one, count in report.items() if one.attribute == "private"} == {"removed": 2}
