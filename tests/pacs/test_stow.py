"""STOW-RS: streamed, each instance answered for, as PS3.18 10.5 says."""

from io import BytesIO

import httpx
import pytest
from dicomweb_client.api import DICOMwebClient
from django.test import Client
from pydicom import dcmread

from plaqueview.core.access import Action, Role
from plaqueview.core.storage import stored_path
from plaqueview.pacs.multipart import BrokenBodyError, PartReader
from plaqueview.studies.models import Instance, Study, StudyState
from tests.accounts.people import browser, csrf, make_user, secret_of, token_client
from tests.studies.dicom_files import encoded, receive_series, series
from tests.studies.test_settling import tasks_in

pytestmark = pytest.mark.django_db

ROOT = "http://testserver/dicom-web"
TYPE = 'multipart/related; type="application/dicom"; boundary=xx'


def body_of(*contents: bytes, part_type: str = "application/dicom") -> bytes:
    parts = [b"--xx\r\nContent-Type: " + part_type.encode() + b"\r\n\r\n" + content + b"\r\n" for content in contents]
    return b"".join(parts) + b"--xx--\r\n"


def post(client: Client, body: bytes, path: str = "studies", content_type: str = TYPE):
    return client.post(f"/dicom-web/{path}", body, content_type=content_type)


@pytest.fixture
def sender() -> Client:
    return token_client(make_user(Role.INTEGRATOR))


def test_all_stored_is_200_with_a_reference_to_each(sender, empty_broker):
    datasets = series(3)
    contents = [encoded(dataset) for dataset in datasets]

    answer = post(sender, body_of(*contents))

    assert (answer.status_code, answer["content-type"]) == (200, "application/dicom+json")
    body = answer.json()
    uid, series_uid = datasets[0].StudyInstanceUID, datasets[0].SeriesInstanceUID
    assert body["00081190"] == {"vr": "UR", "Value": [f"{ROOT}/studies/{uid}"]}
    assert [item["00081155"]["Value"][0] for item in body["00081199"]["Value"]] == [
        dataset.SOPInstanceUID for dataset in datasets
    ]
    first = body["00081199"]["Value"][0]
    assert first["00081150"] == {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.4"]}
    assert first["00081190"]["Value"] == [
        f"{ROOT}/studies/{uid}/series/{series_uid}/instances/{datasets[0].SOPInstanceUID}"
    ]
    assert "00081198" not in body
    kept = Instance.objects.order_by("instance_number")
    assert [stored_path(one.storage_key).read_bytes() for one in kept] == contents


def test_some_stored_is_202_and_each_failure_has_its_code(sender):
    datasets = series(2)
    receive_series(datasets[:1])
    datasets[0].PixelData = b"\1\0" * 256
    foreign = series(1, study_uid=datasets[0].StudyInstanceUID, patient_id="P2")[0]

    answer = post(
        sender,
        body_of(encoded(datasets[0]), encoded(datasets[1]), encoded(foreign), b"<html>", encoded(datasets[1])[:400]),
    )

    assert answer.status_code == 202
    body = answer.json()
    failed = {item["00081155"]["Value"][0]: item["00081197"]["Value"][0] for item in body["00081198"]["Value"]}
    assert failed == {datasets[0].SOPInstanceUID: 0x0111, foreign.SOPInstanceUID: 0x0110}
    assert [item["00081197"]["Value"][0] for item in body["0008119A"]["Value"]] == [0xC000, 0xC000]
    assert [item["00081155"]["Value"][0] for item in body["00081199"]["Value"]] == [datasets[1].SOPInstanceUID]


def test_none_stored_is_409(sender):
    answer = post(sender, body_of(b"<html>"))

    assert answer.status_code == 409
    assert answer.json() == {"0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xC000]}}]}}
    assert answer["Warning"] == '299 plaqueview "not DICOM: no DICM prefix at byte 128, need a Part 10 file"'


def test_the_same_again_is_200(sender):
    contents = [encoded(dataset) for dataset in series(2)]
    post(sender, body_of(*contents))

    answer = post(sender, body_of(*contents))

    assert answer.status_code == 200
    assert Instance.objects.count() == 2


def test_an_instance_of_another_study_than_the_address_is_refused(sender):
    dataset = series(1)[0]

    wrong = post(sender, body_of(encoded(dataset)), "studies/1.2.3")
    right = post(sender, body_of(encoded(dataset)), f"studies/{dataset.StudyInstanceUID}")

    assert wrong.status_code == 409
    assert wrong.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0x0110]
    assert right.status_code == 200


def test_a_part_that_is_no_dicom_is_answered_for(sender):
    answer = post(sender, body_of(b"{}", part_type="application/dicom+json"))

    assert answer.status_code == 409
    assert answer.json()["0008119A"]["Value"][0]["00081197"]["Value"] == [0x0122]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/dicom", 415),
        ("multipart/related; type=application/dicom", 415),
        ('multipart/related; type="application/dicom+xml"; boundary=xx', 415),
        ("multipart/form-data; boundary=xx", 415),
        ("multipart/related; boundary=xx", 200),
    ],
)
def test_only_multipart_related_of_dicom_is_taken(content_type, status, sender):
    answer = post(sender, body_of(encoded(series(1)[0])), content_type=content_type)

    assert answer.status_code == status


@pytest.mark.parametrize("body", [b"--xx--\r\n", b"hello", b"--xx\r\nContent-Type application/dicom\r\n\r\n"])
def test_a_body_that_is_no_multipart_is_400(body, sender):
    answer = post(sender, body)

    assert (answer.status_code, answer["content-type"]) == (400, "application/problem+json")
    assert not Instance.objects.exists()


def test_what_was_whole_before_a_body_breaks_off_is_kept(sender):
    contents = [encoded(dataset) for dataset in series(2)]
    whole = body_of(*contents)

    answer = post(sender, whole[: -len(contents[1]) // 2])

    assert answer.status_code == 400
    assert answer.json()["detail"] == "the multipart body ends within part 2; 1 instances before it are kept"
    assert Instance.objects.count() == 1


def test_a_stored_study_is_settled_in_a_moment(sender, empty_broker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post(sender, body_of(*map(encoded, series(3))))

    assert [name for name, _ in tasks_in(empty_broker)] == ["studies.settle"]
    assert Study.objects.get().state == StudyState.RECEIVING


def test_who_may_not_store_stores_nothing():
    user = make_user(Role.NEUROLOGIST)
    client = browser(user)
    body = body_of(encoded(series(1)[0]))

    assert post(Client(), body).status_code == 401
    assert post(token_client(user, Action.DICOMWEB_READ), body).status_code == 403
    assert post(client, body).status_code == 403
    assert not Instance.objects.exists()
    assert client.post("/dicom-web/studies", body, content_type=TYPE, headers=csrf(client)).status_code == 200


def test_a_full_disk_is_503(sender, settings):
    settings.DISK_RESERVE_BYTES = 2**60

    assert post(sender, body_of(encoded(series(1)[0]))).status_code == 503


# --- the reader of bodies ---------------------------------------------------------------------------------------------

AWKWARD = [b"\r\n--x", b"\r\n" * 50, b"-" * 99, bytes(range(256)) * 9, b"", b"\r", b"--xx"]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_parts_are_the_same_however_the_body_comes(step, tmp_path):
    body = b"preamble\r\n" + body_of(*AWKWARD)
    reader = PartReader("xx", tmp_path)

    for start in range(0, len(body), step):
        reader.feed(body[start : start + step])
    reader.finish()

    assert [part.path.read_bytes() for part in reader.ready] == AWKWARD
    assert {part.media_type for part in reader.ready} == {"application/dicom"}


def test_a_body_that_never_begins_is_refused(tmp_path):
    reader = PartReader("xx", tmp_path)

    with pytest.raises(BrokenBodyError):
        reader.feed(b"-" * 1_000_000)


def test_headers_without_end_are_refused(tmp_path):
    reader = PartReader("xx", tmp_path)

    with pytest.raises(BrokenBodyError):
        reader.feed(b"--xx\r\nX: " + b"a" * 1_000_000)
    reader.close()


# --- with a client of another house -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_dicomweb_client_stores_without_special_case(live_server):
    datasets = [dcmread(BytesIO(encoded(dataset))) for dataset in series(12)]
    session_headers = {"Authorization": f"Bearer {secret_of(make_user(Role.INTEGRATOR))}"}
    client = DICOMwebClient(f"{live_server.url}/dicom-web", headers=session_headers)

    answer = client.store_instances(datasets)

    assert len(answer.ReferencedSOPSequence) == 12
    assert Study.objects.get().instance_count == 12


@pytest.mark.django_db(transaction=True)
def test_a_stream_of_many_parts_is_taken_in_chunks(live_server):
    contents = [encoded(dataset) for dataset in series(150)]
    headers = {"Authorization": f"Bearer {secret_of(make_user(Role.INTEGRATOR))}", "Content-Type": TYPE}

    answer = httpx.post(f"{live_server.url}/dicom-web/studies", content=body_of(*contents), headers=headers, timeout=60)

    assert answer.status_code == 200
    assert len(answer.json()["00081199"]["Value"]) == 150 == Instance.objects.count()
