"""A peer whose answer is no DICOM JSON, or says numbers that are none: told as such, or passed over."""

import json

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from plaqueview.pacs import dicomweb_peer, dicomweb_retrieval
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import Outgoing, PeerError, PeerProblem
from plaqueview.pacs.remote_studies import StudyQuery, remote_study
from tests.pacs.peers import dripping_port, web_server

UID = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}
DEEP = b"[" * 200_000


@pytest.fixture(autouse=True)
def on_loopback(settings):
    settings.NODES_ON_LOOPBACK = True


def find(url: str):
    return dicomweb_retrieval.find(RemoteNode(kind="dicomweb", url=url), StudyQuery(patient_id="1"), 1)


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        json.dumps([{**UID, "00201208": {"vr": "IS", "Value": [1e400]}}]).replace("Infinity", "1e400").encode(),
        json.dumps([{**UID, "00100010": {"vr": "OB", "InlineBinary": []}}]).encode(),
        json.dumps([UID, "study"]).encode(),
    ],
    ids=["nesting", "infinite count", "bytes that are none", "no object"],
)
def test_a_search_that_is_answered_by_no_dicom_json_says_so(body):
    with web_server(200, body=body) as (url, _), pytest.raises(PeerError) as raised:
        find(url)

    assert (raised.value.problem, raised.value.answer) == (
        PeerProblem.NOT_DICOMWEB,
        f"{url}: the answer is no DICOM JSON",
    )


def test_an_answer_that_is_not_compressed_as_it_says_is_told():
    types = b"Content-Type: application/dicom+json\r\nContent-Encoding: gzip\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + types + b"Content-Length: 2\r\n\r\n"

    with dripping_port(head, b"[]", drops=1) as port, pytest.raises(PeerError) as raised:
        find(f"http://127.0.0.1:{port}/dicom-web")

    assert raised.value.problem == PeerProblem.NOT_DICOMWEB


def test_of_a_result_too_deep_to_be_read_nothing_is_believed(tmp_path):
    path = tmp_path / "one.dcm"
    path.write_bytes(b"one")
    outgoing = Outgoing("1.2.840.10008.5.1.4.1.1.4", "1.2.3", "1.2.840.10008.1.2.1", path)

    with web_server(202, body=DEEP) as (url, _), pytest.raises(PeerError) as raised:
        dicomweb_peer.store(RemoteNode(kind="dicomweb", url=url), [outgoing], lambda: None)

    assert raised.value.problem == PeerProblem.NOT_STORED


@pytest.mark.parametrize(("vr", "value"), [("IS", b"1e999 "), ("US", b"1"), ("SQ", b"12345"), ("DA", b"\xff\xff")])
def test_a_study_is_described_without_what_cannot_be_read(vr, value):
    answer = Dataset()
    answer.StudyInstanceUID, answer.PatientID = "1.2.3", "P1"
    for keyword in ("NumberOfStudyRelatedInstances", "StudyDate", "ModalitiesInStudy"):
        tag = Tag(keyword)
        answer[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)

    study = remote_study(answer)

    assert (study.study_instance_uid, study.patient_id, study.study_date, study.instance_count) == (
        "1.2.3", "P1", None, None,
    )  # fmt: skip


def test_of_texts_only_what_can_be_printed_is_kept():
    """A database refuses the others, and so does JSON."""
    row = {
        **UID,
        "00100020": {"vr": "LO", "Value": ["P\x001"]},
        "00081030": {"vr": "LO", "Value": ["MR \ud800head\r\n"]},
    }

    with web_server(200, body=json.dumps([row]).encode()) as (url, _):
        (study,) = find(url).studies

    assert (study.patient_id, study.study_description) == ("P1", "MR head")
