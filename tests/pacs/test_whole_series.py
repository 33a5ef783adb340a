"""A series in one answer: its length is told beforehand where nothing has to be made of its instances."""

import pytest
from django.test import Client
from pydicom.uid import ImplicitVRLittleEndian

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.pacs.test_retrieval import address, parts_of
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
