"""Bytes are kept as received, once per SOP Instance UID, and every file has one outcome."""

import threading
from collections import Counter

import pytest
from django.db import connection, connections
from pydicom.uid import ImplicitVRLittleEndian, generate_uid

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.storage import stored_path
from plaqueview.patients.models import Patient
from plaqueview.studies.instance_file import Refusal
from plaqueview.studies.models import FileOutcome, Instance, Series, Study, StudyState
from tests.studies.dicom_files import T1, encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

ACCEPTED, DUPLICATE, CONFLICT, REJECTED = (
    FileOutcome.ACCEPTED,
    FileOutcome.DUPLICATE,
    FileOutcome.CONFLICT,
    FileOutcome.REJECTED,
)


def test_the_bytes_are_kept_exactly_as_received():
    content = encoded(series(1)[0])

    (received,) = receive_bytes(content)

    kept = Instance.objects.get(pk=received.instance_id)
    assert received.outcome == ACCEPTED
    assert stored_path(kept.storage_key).read_bytes() == content
    assert content[kept.pixel_offset : kept.pixel_offset + kept.pixel_bytes] == bytes([100, 0]) * 256
    assert (kept.pixel_bytes, kept.attributes["frame_bytes"]) == (512, 512)  # so that a frame is cut out, not decoded


def test_a_study_shows_what_its_first_instance_says():
    receive_series(series(3))

    study = Study.objects.select_related("patient").get()
    assert (study.patient.name, study.patient.patient_id, study.patient.sex) == ("Novak^Ana", "P1", "F")
    assert str(study.patient.birth_date) == "1980-01-31"
    assert (str(study.study_date), str(study.study_time)) == ("2024-02-03", "10:11:12")
    assert (study.accession_number, study.study_description, study.state) == ("A-17", "MR head", StudyState.RECEIVING)
    assert (study.instance_count, study.series_count) == (3, 1)
    assert study.search_text == "novak ana p1 a-17 mr head"


def test_the_same_bytes_again_are_a_duplicate():
    content = encoded(series(1)[0])
    receive_bytes(content)

    (again,) = receive_bytes(content)

    assert again.outcome == DUPLICATE
    assert Instance.objects.count() == 1
    assert Study.objects.get().instance_count == 1


def test_the_same_content_in_another_encoding_is_a_duplicate():
    dataset = series(1)[0]
    explicit = encoded(dataset)
    implicit = encoded(dataset, syntax=ImplicitVRLittleEndian)
    receive_bytes(explicit)

    (again,) = receive_bytes(implicit)

    assert again.outcome == DUPLICATE
    assert stored_path(Instance.objects.get().storage_key).read_bytes() == explicit


def test_the_same_uid_with_other_content_is_a_conflict_and_changes_nothing():
    dataset = series(1)[0]
    content = encoded(dataset)
    receive_bytes(content)
    dataset.PixelData = b"\x07\x00" * 256

    (again,) = receive_bytes(encoded(dataset))

    assert (again.outcome, again.refusal) == (CONFLICT, Refusal.CONFLICT)
    assert stored_path(Instance.objects.get().storage_key).read_bytes() == content


def test_a_conflict_within_one_chunk_keeps_the_first():
    dataset = series(1)[0]
    content = encoded(dataset)
    dataset.PixelData = b"\x07\x00" * 256

    received = receive_bytes(content, encoded(dataset), content)

    assert [one.outcome for one in received] == [ACCEPTED, CONFLICT, DUPLICATE]
    assert stored_path(Instance.objects.get().storage_key).read_bytes() == content


def test_an_instance_that_comes_again_under_another_study_makes_no_study():
    dataset = series(1)[0]
    receive_series([dataset])
    dataset.StudyInstanceUID = generate_uid()
    dataset.PatientID = "P2"

    (received,) = receive_series([dataset])

    assert received.outcome == CONFLICT
    assert (Study.objects.count(), Patient.objects.count()) == (1, 1)


def test_a_study_under_another_patient_is_refused():
    study_uid = generate_uid()
    receive_series(series(1, study_uid=study_uid, patient_id="P1"))

    (received,) = receive_series(series(1, study_uid=study_uid, patient_id="P2"))

    assert (received.outcome, received.refusal) == (REJECTED, Refusal.WRONG_PATIENT)
    assert "P2" not in received.reason
    assert Instance.objects.count() == 1
    assert Patient.objects.count() == 1


def test_the_same_identifier_of_two_issuers_is_two_patients():
    receive_series(series(1, IssuerOfPatientID="North"))
    receive_series(series(1, IssuerOfPatientID="South"))

    assert sorted(Patient.objects.values_list("issuer_of_patient_id", flat=True)) == ["North", "South"]


def test_two_studies_without_a_patient_id_are_two_patients():
    receive_series(series(2, patient_id=""))
    receive_series(series(2, patient_id=""))

    assert Patient.objects.count() == 2
    assert Study.objects.count() == 2


def test_two_sites_keep_the_same_study_apart():
    datasets = series(2)
    receive_series(datasets)

    received = receive_series(datasets, site=create_site(name="Maribor"))

    assert [one.outcome for one in received] == [ACCEPTED, ACCEPTED]
    assert Study.objects.count() == 2


def test_an_instance_of_another_study_than_the_request_names_is_refused():
    (received,) = receive_bytes(encoded(series(1)[0]), study_uid="1.2.3")

    assert (received.outcome, received.refusal) == (REJECTED, Refusal.WRONG_STUDY)
    assert not Study.objects.exists()


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_an_instance_without_its_identifiers_is_refused(keyword):
    dataset = series(1)[0]
    content = encoded(dataset)
    delattr(dataset, keyword)
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"

    (received, neighbour) = receive_bytes(encoded(dataset), content)

    assert (received.outcome, received.refusal) == (REJECTED, Refusal.NO_IDENTITY)
    assert keyword in received.reason
    assert neighbour.outcome == ACCEPTED


def test_only_a_new_study_or_series_is_audited():
    datasets = series(3)
    receive_series(datasets[:1])
    receive_series(datasets[1:])
    receive_series(series(1, study_uid=datasets[0].StudyInstanceUID, **T1))

    events = AuditEvent.objects.filter(kind=EventKind.STUDY_RECEIVED).order_by("sequence")
    assert [event.details["series"] for event in events] == [1, 1]


def test_text_that_a_database_refuses_is_cleaned():
    (received,) = receive_series(series(1, SeriesDescription="flair\x00\x07 tra"))

    assert received.outcome == ACCEPTED
    assert Series.objects.get().series_description == "flair tra"


@pytest.mark.parametrize(
    ("charset", "name", "folded"),
    [
        ("ISO_IR 192", "Žnidaršič^Špela", "znidarsic spela"),
        ("ISO_IR 101", "Žnidaršič^Špela", "znidarsic spela"),
        ("ISO_IR 100", "Müller^Jürgen", "muller jurgen"),
        ("ISO_IR 144", "Иванов^Юрий", "иванов юрии"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "yamada tarou 山田 太郎"),
    ],
)
def test_names_in_other_alphabets_are_read(charset, name, folded):
    receive_series(series(1, SpecificCharacterSet=charset, PatientName=name))

    assert Patient.objects.get().name == name
    assert Study.objects.get().search_text.startswith(folded)


@pytest.mark.django_db(transaction=True)
def test_two_senders_of_one_study_lose_and_double_nothing():
    datasets = series(40)
    contents = [encoded(dataset) for dataset in datasets]
    outcomes: list[str] = []

    def send(order: list[bytes]) -> None:
        try:
            for start in range(0, len(order), 4):
                outcomes.extend(one.outcome for one in receive_bytes(*order[start : start + 4]))
        finally:
            connections.close_all()

    senders = [threading.Thread(target=send, args=(order,)) for order in (contents, contents[::-1], contents)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert Counter(outcomes) == {ACCEPTED: 40, DUPLICATE: 80}
    study = Study.objects.get()
    assert (study.instance_count, study.instances.count(), study.series.get().instance_count) == (40, 40, 40)


def test_a_chunk_costs_as_many_queries_as_one_instance(django_assert_max_num_queries):
    contents = [encoded(dataset) for dataset in series(60)]
    with django_assert_max_num_queries(40):
        receive_bytes(*contents)

    assert Instance.objects.count() == 60
    assert connection.vendor
