"""A DIMSE peer that answers without end: an exchange is over in its time, whatever the peer drips."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind, Verification

from plaqueview.pacs import dimse_peer, dimse_retrieval
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.peer import LONGEST_STORE, Outgoing, PeerError, PeerProblem
from plaqueview.pacs.remote_studies import StudyQuery
from tests.pacs.peers import certificate_and_key, dripping_port, server_context
from tests.pacs.senders import sender
from tests.studies.dicom_files import encoded, series

LONGEST_S = 0.5
PENDING = 0xFF00
# The beginnings of a handshake of TLS, of an acceptance of the association, and of data, of 16 kB and 64 kB.
HALF_A_HANDSHAKE = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
HALF_AN_ACCEPTANCE, HALF_AN_ANSWER = b"\x02\x00\x00\x01\x00\x00", b"\x04\x00\x00\x01\x00\x00"


@pytest.fixture(autouse=True)
def patience(settings, monkeypatch):
    settings.NODES_ON_LOOPBACK, settings.TRANSFER_LEASE_S = True, LONGEST_S / LONGEST_STORE
    monkeypatch.setattr(dimse_peer, "LONGEST_ECHO_S", LONGEST_S)
    monkeypatch.setattr(dimse_retrieval, "LONGEST_FIND_S", LONGEST_S)
    monkeypatch.setattr(dimse_retrieval, "FAREWELL_S", LONGEST_S / 5)
    monkeypatch.setattr(dimse_retrieval, "RETRIEVE_TIMEOUT_S", LONGEST_S)


class Idle:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def expect(self, count: int) -> None: ...

    def put(self, path: Path) -> None: ...

    def look(self) -> None: ...


def node_at(port: int, **setup: object) -> RemoteNode:
    return RemoteNode(kind=NodeKind.DIMSE, host="127.0.0.1", port=port, ae_title="ARCHIVE", **setup)


@contextmanager
def archive(*, pause_s: float = 0.05) -> Iterator[tuple[int, list[int]]]:
    """Answers each search with one study after the other and never with the last, whatever it is told; the numbers."""
    answered: list[int] = []

    def find(_event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        while True:
            answered.append(len(answered))
            study = Dataset()
            study.QueryRetrieveLevel, study.StudyInstanceUID = "STUDY", f"1.2.{len(answered)}"
            yield PENDING, study
            time.sleep(pause_s)

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    for one in (Verification, MRImageStorage):
        entity.add_supported_context(one)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find)])
    try:
        yield server.server_address[1], answered
    finally:
        entity.shutdown()


@contextmanager
def stuttering(port: int, *, spared: int = 0) -> Iterator[int]:
    """Before the entity at the port: lets associations come about, and drips when anything is asked by one.

    The first ones may be spared.
    """
    served = count()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection, socket.create_connection(("127.0.0.1", port)) as entity:
            if next(served) < spared:
                threading.Thread(target=pump, args=(entity, connection), daemon=True).start()
                pump(connection, entity)
                return
            entity.sendall(connection.recv(65536))
            connection.sendall(entity.recv(65536))
            connection.recv(65536)
            connection.sendall(HALF_AN_ANSWER)
            while True:
                time.sleep(0.05)
                connection.sendall(b"\0")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
        sink.shutdown(socket.SHUT_WR)


def echo(node: RemoteNode, _folder: Path) -> None:
    dimse_peer.echo(node)


def find(node: RemoteNode, _folder: Path) -> None:
    dimse_retrieval.find(node, StudyQuery(patient_id="1"), 1000)


def retrieve(node: RemoteNode, folder: Path) -> None:
    dimse_retrieval.retrieve(node, "1.2", Idle(folder))


def store(node: RemoteNode, folder: Path) -> None:
    (dataset,) = series(1)
    path = folder / "one.dcm"
    path.write_bytes(encoded(dataset))
    outgoing = Outgoing(dataset.SOPClassUID, dataset.SOPInstanceUID, ExplicitVRLittleEndian, path)
    dimse_peer.store(node, [outgoing], lambda: None)


@pytest.mark.parametrize("ask", [echo, find, retrieve, store])
@pytest.mark.parametrize("what", ["handshake", "acceptance by TLS", "acceptance", "answer"])
def test_a_peer_that_drips_is_given_up_in_time(tmp_path, ask, what):
    certificate, key = certificate_and_key()
    opening = HALF_A_HANDSHAKE if what == "handshake" else HALF_AN_ACCEPTANCE
    context = server_context(tmp_path, certificate, key) if what == "acceptance by TLS" else None
    tls = {"uses_tls": True, "ca_certificates": certificate} if context or what == "handshake" else {}
    if context is not None:
        context.verify_mode = ssl.CERT_NONE

    with archive() as (port, _), stuttering(port) as behind, dripping_port(opening, b"\0", context=context) as dripping:
        node = node_at(behind if what == "answer" else dripping, **tls)
        begin = time.monotonic()
        with pytest.raises(PeerError) as raised:
            ask(node, tmp_path)
        took_s = time.monotonic() - begin

    assert (raised.value.problem, raised.value.answer) == (PeerProblem.TIMED_OUT, f"{node.address}: no answer in time")
    assert LONGEST_S <= took_s < 20 * LONGEST_S


def test_a_peer_that_drips_what_it_was_asked_to_send_is_given_up_in_time(tmp_path, settings):
    settings.STORAGE_DIR = tmp_path
    datasets = series(1)

    with sender(datasets) as port, stuttering(port, spared=1) as dripping, pytest.raises(PeerError) as raised:
        retrieve(node_at(dripping), tmp_path)

    assert raised.value.problem == PeerProblem.TIMED_OUT


def test_answers_without_end_are_given_up_in_time():
    with archive() as (port, _), pytest.raises(PeerError) as raised:
        find(node_at(port), Path())

    assert raised.value.problem == PeerProblem.TIMED_OUT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the entity leaves its socket open
def test_a_peer_that_does_not_heed_a_cancel_is_left_with_what_was_asked_for():
    with archive(pause_s=0.0) as (port, answered):
        found = dimse_retrieval.find(node_at(port), StudyQuery(patient_id="1"), 3)
        time.sleep(0.5)
        soon = len(answered)
        time.sleep(0.5)

    assert ([one.study_instance_uid for one in found.studies], found.has_more) == (["1.2.1", "1.2.2", "1.2.3"], True)
    assert len(answered) == soon


def test_a_retrieval_may_take_as_long_as_it_likes_while_something_comes(tmp_path, settings):
    settings.STORAGE_DIR = tmp_path
    datasets = series(6)

    class Slow(Idle):
        def put(self, path: Path) -> None:
            time.sleep(LONGEST_S / 3)

    begin = time.monotonic()
    with sender(datasets) as port:
        how = dimse_retrieval.retrieve(node_at(port), datasets[0].StudyInstanceUID, Slow(tmp_path))

    assert how == "by C-GET"
    assert time.monotonic() - begin > 2 * LONGEST_S
