"""As what something comes: what is accepted most gladly of what can be made, by the query parameter or the header."""

from urllib.parse import quote

import pytest
from django.test import Client
from pydicom.uid import JPEGLSLossless

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.wado import address, noise
from tests.studies.dicom_files import encoded, receive_bytes, series

pytestmark = pytest.mark.django_db

PARTS = 'multipart/related; type="application/dicom"'
OCTET_PARTS = 'multipart/related; type="application/octet-stream"'
JLS_PARTS = 'multipart/related; type="image/jls"'
REFUSED = ""


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


@pytest.fixture
def place() -> str:
    """Of a JPEG-LS instance with one frame."""
    dataset = series(1)[0]
    set_pixels(dataset, noise())
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    receive_bytes(encoded(dataset, syntax=JPEGLSLossless))
    return address(dataset)


def said(answer) -> str:
    """Its media type, without the boundary; nothing where it was refused as not acceptable."""
    assert answer.status_code in {200, 406}
    return answer["Content-Type"].partition("; boundary")[0] if answer.status_code == 200 else REFUSED


CHOICES = [
    ("", "text/html, application/dicom", "application/dicom"),
    ("", f"application/dicom;q=0, {PARTS}", PARTS),
    ("", "application/dicom;q=0, */*", PARTS),
    ("", f"{PARTS}; q=0, */*", "application/dicom"),
    ("", f"{PARTS}; q=0.5, application/dicom; q=0.6", "application/dicom"),
    ("", f"application/dicom, {PARTS}", "application/dicom"),
    ("", f"{PARTS}, application/dicom", PARTS),
    ("", "application/*", "application/dicom"),
    ("", "multipart/related", PARTS),
    ("", "", PARTS),
    ("", "*/*;q=0", REFUSED),
    ("", "application/dicom;q=0", REFUSED),
    ("", "application/dicom;q=much", REFUSED),
    ("", "text/html,", REFUSED),
    ("/frames/1", f"{OCTET_PARTS};q=0.4, {JLS_PARTS};q=0.9", JLS_PARTS),
    ("/frames/1", f"{JLS_PARTS};q=0.4, {OCTET_PARTS};q=0.9", OCTET_PARTS),
    ("/frames/1", f"{OCTET_PARTS};q=0, */*", "application/octet-stream"),
    ("/frames/1", "application/octet-stream;q=0, application/*", REFUSED),
    ("/frames/1", "image/*", "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"),
    ("/frames/1", f"{JLS_PARTS}, application/octet-stream; transfer-syntax=*", JLS_PARTS),
    ("/rendered", "image/png;q=0, image/jpeg", "image/jpeg"),
    ("/rendered", "image/jpeg;q=0.1, image/png", "image/png"),
    ("/rendered", "image/jpeg;q=0, */*", "image/png"),
    ("/rendered", "image/jpeg;q=0.5, image/*", "image/png"),
    ("/rendered", "image/avif, image/webp, image/*;q=0.8, */*;q=0.5", "image/jpeg"),
    ("/thumbnail", "image/png, image/*;q=0", "image/png"),
    ("/thumbnail", "image/*;q=0, text/html", REFUSED),
]


@pytest.mark.parametrize(("what", "accept", "form"), CHOICES)
def test_it_comes_as_what_weighs_most_and_never_as_what_is_refused(what, accept, form, place, viewer):
    assert said(viewer.get(f"{place}{what}", headers={"accept": accept})) == form


@pytest.mark.parametrize(
    ("what", "named", "accept", "form"),
    [
        ("/rendered", "image/png", "*/*", "image/png"),
        ("/rendered", "image/png;q=0.2,image/jpeg;q=0.1", "image/jpeg", "image/png"),
        ("/rendered", "image/gif", "image/png", "image/png"),
        ("/rendered", "image/gif", "text/html", REFUSED),
        ("/thumbnail", "image/png", "*/*", "image/png"),
        ("/frames/1", "application/octet-stream", "*/*", "application/octet-stream"),
        ("/frames/1", JLS_PARTS, OCTET_PARTS, JLS_PARTS),
        ("/bulkdata/7FE00010", "application/octet-stream", "*/*", "application/octet-stream"),
        ("", "application/dicom", "*/*", "application/dicom"),
        ("/metadata", "application/dicom+json", "*/*", "application/dicom+json"),
    ],
)
def test_the_query_parameter_comes_before_the_header(what, named, accept, form, place, viewer):
    answer = viewer.get(f"{place}{what}?accept={quote(named)}", headers={"accept": accept})

    assert said(answer) == form


@pytest.mark.parametrize("level", ["studies", "series", "instances"])
def test_a_search_can_be_asked_for_by_the_query_parameter_too(level, place, viewer):
    answer = viewer.get(f"/dicom-web/{level}?accept=application/dicom%2Bjson&PatientID=P1")

    assert (said(answer), len(answer.json())) == ("application/dicom+json", 1)


XML = "application/dicom+xml"
JSON = "application/dicom+json"


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ("", "", 200),
        ("", "*/*", 200),
        ("", JSON, 200),
        ("", "application/json", 200),
        ("", f"{JSON}, {OCTET_PARTS}", 200),
        ("", f"text/html, {XML}, */*;q=0.8", 200),
        (JSON, XML, 200),
        ("", XML, 406),
        ("", f'multipart/related; type="{XML}"', 406),
        ("", f"{JSON};q=0, {XML}", 406),
        (XML, XML, 406),
    ],
)
@pytest.mark.parametrize("what", ["studies", "series", "instances", "metadata"])
def test_searches_and_headers_are_json_or_nothing(what, query, header, status, place, viewer):
    path = f"{place}/metadata" if what == "metadata" else f"/dicom-web/{what}"

    answer = viewer.get(path, {"accept": query} if query else {}, headers={"accept": header} if header else {})

    assert (answer.status_code, answer["Content-Type"]) == (
        status, JSON if status == 200 else "application/problem+json",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("charset", "status"),
    [
        ("utf-8", 200),
        ("UTF-8", 200),
        ('"ISO_IR 192"', 200),
        ("latin1;q=0.9, utf-8;q=0.1", 200),
        ("iso-8859-1", 400),
        ("utf-8;q=0", 400),
        ("*", 400),
    ],
)
@pytest.mark.parametrize("what", ["studies", "series", "instances", "metadata", "rendered"])
def test_texts_are_in_utf_8_or_refused(what, charset, status, place, viewer):
    path = f"{place}/{what}" if what in {"metadata", "rendered"} else f"/dicom-web/{what}"

    assert viewer.get(path, {"charset": charset}).status_code == status
