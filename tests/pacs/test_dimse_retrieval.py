"""What is on its way from a peer by C-GET when the one who asked wants no more of it."""

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import MRImageStorage, StudyRootQueryRetrieveInformationModelGet

from plaqueview.core.disk import incoming
from plaqueview.pacs import dimse_retrieval
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.received_files import to_disk
from tests.studies.dicom_files import series


class EnoughError(Exception):
    """The one who asked wants no more."""


class Impatient:
    """Takes the first instance and ends the retrieval when so much of the next one is on the disk."""

    def __init__(self, folder: Path, enough_bytes: int) -> None:
        self.folder, self.enough_bytes = folder, enough_bytes

    def expect(self, count: int) -> None: ...

    def put(self, path: Path) -> None: ...

    def look(self) -> None:
        while not any(path.stat().st_size >= self.enough_bytes for path in self.folder.glob("*.dcm")):
            time.sleep(0.001)
        raise EnoughError


@contextmanager
def sender(datasets: list) -> Iterator[int]:
    """Sends all it has by C-GET, and says after each one that more is to come."""

    def get(event: evt.Event) -> Iterator[object]:
        yield len(datasets)
        for dataset in datasets:
            yield 0xFF00, dataset

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_supported_context(MRImageStorage, scp_role=True, scu_role=True)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_GET, get)])
    try:
        yield server.server_address[1]
    finally:
        entity.shutdown()


def open_below(folder: Path) -> list[str]:
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith(str(folder))]


@pytest.mark.parametrize("enough_bytes", [128, 8192], ids=["half an instance", "one that nobody takes"])
def test_no_file_stays_open_when_a_retrieval_is_ended_within_it(tmp_path, settings, enough_bytes):
    settings.STORAGE_DIR = tmp_path
    datasets = series(3, side=2048 if enough_bytes == 128 else 64)

    gc.disable()  # what it finds is what this is about
    try:
        with sender(datasets) as port:
            node = RemoteNode(kind=NodeKind.DIMSE, host="127.0.0.1", port=port, ae_title="ARCHIVE")
            with pytest.raises(EnoughError):
                dimse_retrieval.retrieve(node, datasets[0].StudyInstanceUID, Impatient(incoming(), enough_bytes))
        left = open_below(tmp_path)
    finally:
        gc.enable()

    assert left == []


def test_two_fetches_at_once_leave_the_process_as_it_was(tmp_path, settings):
    """The library is told for the whole process that instances go to the disk."""
    settings.STORAGE_DIR = tmp_path
    before = (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET)

    with ExitStack() as second:
        with to_disk:
            second.enter_context(to_disk)
        left = (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET)

    assert left == (str(tmp_path / "incoming"), True)
    assert (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET) == before
