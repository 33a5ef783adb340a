"""A series in one answer: its length is told beforehand where nothing has to be made of its instances."""

import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.pacs.wado import address, parts_of
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
EXPLICIT = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


@pytest.mark.parametrize("accept", [STORED, EXPLICIT])
@pytest.mark.parametrize("count", [1, 3])
def test_the_length_that_is_told_is_that_of_the_body(count, accept, viewer):
    datasets = series(count)
    receive_series(datasets)

    answer = viewer.get(address(datasets[0]).partition("/instances")[0], headers={"accept": accept})
    body = answer.getvalue()

    assert int(answer["Content-Length"]) == len(body)
    assert body.count(b"Content-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n") == count
    assert body.endswith(b"--\r\n")


def test_of_what_is_brought_into_another_syntax_no_length_is_told(viewer):
    datasets = series(2)
    for dataset, syntax in zip(datasets, (None, ImplicitVRLittleEndian), strict=True):
        receive_bytes(encoded(dataset, syntax=syntax) if syntax else encoded(dataset))
    path = address(datasets[0]).partition("/instances")[0]

    brought = viewer.get(path, headers={"accept": EXPLICIT})
    stored = viewer.get(path, headers={"accept": STORED})

    assert "Content-Length" not in brought
    assert [part[128:132] for part in parts_of(brought)] == [b"DICM", b"DICM"]
    assert int(stored["Content-Length"]) == len(stored.getvalue())


def broken(dataset: Dataset) -> bytes:
    """A big endian file with a value that is no whole number of words, so that it cannot be turned."""
    dataset.add_new("PointCoordinatesData", "OF", bytes(6))
    return encoded(dataset, syntax=ExplicitVRBigEndian)


def test_among_others_an_instance_that_cannot_be_brought_into_the_syntax_comes_as_stored(viewer):
    datasets = series(3)
    kept = broken(datasets[1])
    receive_bytes(encoded(datasets[0]), kept, encoded(datasets[2], syntax=ImplicitVRLittleEndian))

    answer = viewer.get(address(datasets[0]).partition("/instances")[0], headers={"accept": EXPLICIT})
    boundary = answer["Content-Type"].split("boundary=")[1].encode()
    parts = [part.partition(b"\r\n\r\n") for part in answer.getvalue().split(b"--" + boundary)[1:-1]]

    assert answer.status_code == 200
    assert [head.rpartition(b"=")[2].decode() for head, _, _ in parts] == [
        ExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
    ]  # fmt: skip
    assert [content[:-2] == kept for _, _, content in parts] == [False, True, False]


@pytest.mark.parametrize("accept", [EXPLICIT, "application/dicom"])
def test_by_itself_it_is_refused_before_anything_is_sent(accept, viewer):
    dataset = series(1)[0]
    receive_bytes(broken(dataset))

    answers = [
        viewer.get(path, headers={"accept": accept})
        for path in (address(dataset), address(dataset).partition("/instances")[0])
    ]

    said = "the instance cannot be decoded: BrokenWordsError; ask for it as stored"
    assert [(one.status_code, one.json()["detail"]) for one in answers] == [(422, said)] * 2
