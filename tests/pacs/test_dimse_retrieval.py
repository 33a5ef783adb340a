"""What a peer sends by C-GET: objects of which classes, and what is left of it when nobody wants more of it."""

import gc
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import _config

from plaqueview.core.disk import incoming
from plaqueview.pacs import dimse_retrieval
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.received_files import to_disk
from tests.pacs.senders import sender
from tests.studies.dicom_files import series

# Of vendors, whose classes are in no list.
CSA_NON_IMAGE = "1.3.12.2.1107.5.9.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
SPECTROSCOPY = "1.2.840.10008.5.1.4.1.1.4.2"


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


class Gathering:
    """Takes all that comes, and remembers of which class it is."""

    def __init__(self) -> None:
        self.classes: list[str] = []

    def expect(self, count: int) -> None: ...

    def put(self, path: Path) -> None:
        self.classes.append(str(dcmread(path).SOPClassUID))

    def look(self) -> None: ...


def node_at(port: int) -> RemoteNode:
    return RemoteNode(kind=NodeKind.DIMSE, host="127.0.0.1", port=port, ae_title="ARCHIVE")


def of_classes(*classes: str) -> list[Dataset]:
    """An instance of each class, of one study; what is no image has no pixels."""
    datasets = series(len(classes))
    for dataset, uid in zip(datasets, classes, strict=True):
        if uid != MR:
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = uid
            del dataset.PixelData, dataset.Rows, dataset.Columns
    return datasets


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
        with sender(datasets) as port, pytest.raises(EnoughError):
            dimse_retrieval.retrieve(node_at(port), datasets[0].StudyInstanceUID, Impatient(incoming(), enough_bytes))
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


def test_a_study_comes_with_objects_of_every_class_that_the_peer_says_is_in_it(tmp_path, settings):
    settings.STORAGE_DIR = tmp_path
    datasets, basket = of_classes(MR, RAW_DATA, CSA_NON_IMAGE, MR), Gathering()

    with sender(datasets, tells_classes=True) as port:
        how = dimse_retrieval.retrieve(node_at(port), datasets[0].StudyInstanceUID, basket)

    assert (how, basket.classes) == ("by C-GET", [MR, RAW_DATA, CSA_NON_IMAGE, MR])


def test_of_a_peer_that_does_not_say_what_is_in_a_study_the_classes_of_an_mr_study_are_taken(tmp_path, settings):
    settings.STORAGE_DIR = tmp_path
    datasets, basket = of_classes(MR, RAW_DATA, SPECTROSCOPY), Gathering()

    with sender(datasets) as port:
        dimse_retrieval.retrieve(node_at(port), datasets[0].StudyInstanceUID, basket)

    assert basket.classes == [MR, RAW_DATA, SPECTROSCOPY]
