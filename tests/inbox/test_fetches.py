"""From a search of the PACS to a study that is here: by C-GET, C-MOVE and WADO-RS, each instance accounted for."""

import pytest
from django.conf import settings as django_settings
from pydicom import dcmread
from pydicom.uid import MRSpectroscopyStorage, RawDataStorage

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.storage import stored_path
from plaqueview.inbox.models import Fetch, FetchState
from plaqueview.launcher.broker import free_port
from plaqueview.pacs.listener import Listener
from plaqueview.studies import services as studies
from plaqueview.studies.models import Instance, Study
from tests.inbox.archive import only_fetch, open_department, running_archive, work
from tests.pacs.peers import needs_orthanc
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db

COUNTS = ("expected_count", "accepted_count", "duplicate_count", "conflict_count", "rejected_count")


@pytest.fixture
def department():
    return open_department()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    with running_archive(tmp_path_factory.mktemp("orthanc")) as archive:
        yield archive


def counts_of(fetch: dict) -> tuple[int, ...]:
    return tuple(fetch[name] for name in COUNTS)


@needs_orthanc
@pytest.mark.peers
def test_orthanc_is_searched_and_its_study_fetched_by_either_protocol(department, archive):
    whose = {"PatientName": "Müller^Änne", "SpecificCharacterSet": "ISO_IR 100", "StudyDate": "20240205"}
    datasets = series(8, patient_id="Q1", **whose)
    uid, other = archive.keep(datasets), archive.keep(series(1, patient_id="Q2", StudyDate="20240205"))

    nodes = [department.node(ae_title="ORTHANC", port=archive.port), department.node("Web", url=archive.root)]
    found = [department.search(node, patient_id="Q1*", modality="MR").json() for node in nodes]
    by_name = department.search(nodes[0], patient_name="Müller").json()
    first = department.fetched(nodes[0], uid)
    second = department.fetched(nodes[1], uid)
    Instance.objects.all().delete()
    third = department.fetched(nodes[1], uid)
    found_again = department.search(nodes[0], study_date_from="2024-02-05", study_date_to="2024-02-05").json()

    assert found[0] == found[1] == by_name
    assert found[0] == {
        "studies": [
            {
                "study_instance_uid": uid,
                "patient_id": "Q1",
                "patient_name": "Müller^Änne",
                "study_date": "2024-02-05",
                "accession_number": "A-17",
                "study_description": "MR head",
                "modalities": ["MR"],
                "instance_count": 8,
                "study": None,
            }
        ],
        "has_more": False,
    }
    study = Study.objects.get()
    assert {(one["study_instance_uid"], one["study"]) for one in found_again["studies"]} == {
        (uid, str(study.pk)),
        (other, None),
    }
    assert (first["state"], counts_of(first), first["progress"]) == ("done", (8, 8, 0, 0, 0), 1.0)
    assert first["answer"] == "8 instances: 8 new, by C-GET"
    assert (first["study"], first["study_date"], first["study_description"]) == (
        str(study.pk),
        "2024-02-05",
        "MR head",
    )
    assert (second["answer"], len(second["remarks"])) == ("8 instances: 8 here already, by WADO-RS", 8)
    assert third["answer"] == "8 instances: 8 new, by WADO-RS"
    kept = dcmread(stored_path(Instance.objects.get(sop_instance_uid=datasets[3].SOPInstanceUID).storage_key))
    assert kept.PixelData == datasets[3].PixelData
    kinds = [EventKind.NODE_SEARCHED, EventKind.FETCH_REQUESTED, EventKind.FETCH_DONE]
    assert [AuditEvent.objects.filter(kind=kind).count() for kind in kinds] == [4, 3, 3]
    assert "Müller" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


@needs_orthanc
@pytest.mark.peers
def test_raw_data_and_spectra_of_a_study_come_from_orthanc_with_its_images(department, archive):
    datasets = series(5)
    for dataset, uid in zip(datasets[1:], (RawDataStorage, MRSpectroscopyStorage), strict=False):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = uid
        del dataset.PixelData, dataset.Rows, dataset.Columns
    node = department.node(ae_title="ORTHANC", port=archive.port)

    fetch = department.fetched(node, archive.keep(datasets))

    assert (fetch["state"], fetch["answer"]) == ("done", "5 instances: 5 new, by C-GET")


@needs_orthanc
@pytest.mark.peers
@pytest.mark.django_db(transaction=True)
def test_a_peer_without_c_get_moves_the_study_to_our_listener(department, archive, settings):
    settings.DICOM_CALLING_AE_TITLES = ["ORTHANC"]
    uid = archive.keep(series(5))
    listener = Listener(site=department.site)
    try:
        archive.know_us(Port=listener.address[1], AllowGet=False)
        fetch = department.fetched(department.node(ae_title="ORTHANC", port=archive.port), uid)
    finally:
        archive.know_us()
        listener.stop()

    assert (fetch["state"], counts_of(fetch)) == ("done", (5, 5, 0, 0, 0))
    assert fetch["answer"] == f"5 instances: 5 new, by C-MOVE to {django_settings.DICOM_AE_TITLE}"
    assert Study.objects.get().instance_count == 5


@needs_orthanc
@pytest.mark.peers
def test_what_is_here_with_other_content_stays_and_is_named(department, archive):
    theirs, ours = series(3), series(3)
    for one, other in zip(theirs, ours, strict=True):
        other.StudyInstanceUID, other.SOPInstanceUID = one.StudyInstanceUID, one.SOPInstanceUID
    ours[0].PixelData = bytes(len(ours[0].PixelData))
    receive_series(ours[:2], site=department.site)
    node = department.node(url=archive.root)

    fetch = department.fetched(node, archive.keep(theirs))
    gone = department.fetched(node, "1.2.3.4")

    assert fetch["state"] == "done"
    outcomes = {one["sop_instance_uid"]: one["outcome"] for one in fetch["remarks"]}
    assert outcomes[theirs[0].SOPInstanceUID] == "conflict"
    assert (fetch["accepted_count"], len(outcomes)) == (1, 2)
    assert (gone["state"], gone["answer"]) == ("dead", f"{node.address}: the node has no such study")


@needs_orthanc
@pytest.mark.peers
def test_a_fetch_that_is_cancelled_midway_stops_and_keeps_what_came(department, archive, monkeypatch):
    uid = archive.keep(series(34))
    receive_all = studies.receive_all

    def cancelled_after_the_first(**arguments):
        received = receive_all(**arguments)
        department.client.post(f"/api/v1/fetches/{only_fetch().pk}/cancel")
        return received

    node = department.node(ae_title="ORTHANC", port=archive.port)
    with monkeypatch.context() as patch:
        patch.setattr(studies, "receive_all", cancelled_after_the_first)
        stopped = department.fetched(node, uid)
    kept = Instance.objects.count()
    retried = department.client.post(f"/api/v1/fetches/{stopped['id']}/retry")
    work(node)

    assert (stopped["state"], kept) == ("cancelled", 32)
    assert stopped["answer"] == "stopped after 32 instances, which are kept or accounted for"
    assert retried.status_code == 202
    fetch = only_fetch()
    assert (fetch.state, fetch.accepted_count, fetch.duplicate_count) == (FetchState.DONE, 2, 32)


def test_a_peer_that_is_away_is_tried_again_and_then_not_any_more(department, settings):
    settings.FETCH_MAX_ATTEMPTS = 2
    node = department.node(ae_title="ARCHIVE", port=free_port())

    first = department.fetched(node, "1.2.3")
    again = department.ask(node, "1.2.3")
    Fetch.objects.update(next_attempt_at="2024-01-01T00:00:00Z")
    tried = work(node)

    assert first["state"] == "failed"
    assert first["answer"].endswith("the connection was refused; nothing listens there")
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert (tried, only_fetch().state) == (1, FetchState.DEAD)
    assert department.search(node, patient_id="P1").json()["problem"] == "refused"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "patient_id"),
        ({"patient_id": "*"}, "patient_id"),
        ({"modality": "MR"}, "patient_id"),
        ({"patient_id": "P1\\P2"}, "patient_id"),
        ({"study_instance_uid": "1.2.*"}, "study_instance_uid"),
        ({"study_date_from": "2024-02-03", "study_date_to": "2024-02-02"}, "study_date_to"),
    ],
)
def test_a_search_for_everything_or_in_no_dicom_is_refused(department, query, field):
    answer = department.search(department.node(ae_title="ARCHIVE", port=9), **query)

    assert answer.status_code == 422
    assert field in str(answer.json()["errors"])
