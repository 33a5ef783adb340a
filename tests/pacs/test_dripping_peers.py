"""A DICOMweb peer that answers without end, without measure, or in part."""

import time

import pytest

from plaqueview.pacs import dicomweb_peer, dicomweb_retrieval
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.multipart import PartWriter
from plaqueview.pacs.peer import LONGEST_STORE, Outgoing, PartlySentError, PeerError, PeerProblem
from plaqueview.pacs.remote_studies import StudyQuery
from tests.pacs.peers import dripping_port, web_server

LONGEST_S = 0.4
PARTS = b'HTTP/1.1 200 OK\r\nContent-Type: multipart/related; type="application/dicom"; boundary=b\r\n\r\n--b\r\n\r\n'
ROWS = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n["
LENGTHY_HEADER = b"HTTP/1.1 200 OK\r\nServer: "


class Basket:
    def __init__(self, folder):
        self.folder, self.contents = folder, []

    def put(self, path):
        self.contents.append(path.read_bytes())

    def look(self): ...


@pytest.fixture(autouse=True)
def patience(settings, monkeypatch):
    settings.NODES_ON_LOOPBACK, settings.TRANSFER_LEASE_S = True, LONGEST_S / LONGEST_STORE
    monkeypatch.setattr(dicomweb_peer, "LONGEST_ECHO_S", LONGEST_S)
    monkeypatch.setattr(dicomweb_retrieval, "LONGEST_FIND_S", LONGEST_S)
    monkeypatch.setattr(dicomweb_retrieval, "RETRIEVE_TIMEOUT_S", LONGEST_S)


def outgoing(folder) -> Outgoing:
    path = folder / "one.dcm"
    path.write_bytes(b"one")
    return Outgoing("1.2.840.10008.5.1.4.1.1.4", "1.2.3", "1.2.840.10008.1.2.1", path)


@pytest.mark.parametrize(
    ("opening", "ask"),
    [
        (LENGTHY_HEADER, lambda node, _: dicomweb_peer.echo(node)),
        (ROWS, lambda node, _: dicomweb_retrieval.find(node, StudyQuery(patient_id="1"), 1)),
        (PARTS, lambda node, folder: dicomweb_retrieval.retrieve(node, "1.2", Basket(folder))),
        (ROWS, lambda node, folder: dicomweb_peer.store(node, [outgoing(folder)], lambda: None)),
    ],
    ids=["echo", "find", "retrieve", "store"],
)
def test_a_peer_that_drips_is_given_up_in_time(tmp_path, opening, ask):
    begin = time.monotonic()

    with dripping_port(opening, b" ") as port, pytest.raises(PeerError) as raised:
        ask(RemoteNode(kind="dicomweb", url=f"http://127.0.0.1:{port}/dicom-web"), tmp_path)

    assert (raised.value.problem, raised.value.answer) == (
        PeerProblem.TIMED_OUT,
        f"http://127.0.0.1:{port}/dicom-web: no answer in time",
    )
    assert LONGEST_S <= time.monotonic() - begin < 10 * LONGEST_S


def test_of_what_a_peer_says_of_objects_no_more_than_a_result_is_read(tmp_path):
    body = bytes(dicomweb_peer.LARGEST_RESULT_BYTES + 1)

    with web_server(200, body=body) as (url, _), pytest.raises(PeerError) as raised:
        dicomweb_peer.store(RemoteNode(kind="dicomweb", url=url), [outgoing(tmp_path)], lambda: None)

    assert (raised.value.problem, raised.value.answer) == (
        PeerProblem.NOT_DICOMWEB,
        f"{url}: the answer has more than {len(body) - 1} bytes",
    )


def test_a_study_that_the_peer_sends_in_part_has_not_come(tmp_path):
    writer, basket = PartWriter("application/dicom"), Basket(tmp_path)
    body = b"".join(writer.body([("application/dicom", b"one")]))

    with (
        web_server(206, body=body, media_type=writer.content_type) as (url, _),
        pytest.raises(PartlySentError) as raised,
    ):
        dicomweb_retrieval.retrieve(RemoteNode(kind="dicomweb", url=url), "1.2", basket)

    assert basket.contents == [b"one"]
    assert (raised.value.problem, raised.value.answer) == (
        PeerProblem.NOT_SENT,
        f"{url}: some instances of the study did not come",
    )
