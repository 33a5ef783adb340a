"""WADO-RS: frames, in which forms they come, and what else comes in forms of its own."""

from io import BytesIO

import numpy as np
import pytest
from django.test import Client
from openjpeg.utils import encode_array
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import pack_bits
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.wado import FRAMES, INSTANCES, address, multi_frame, noise, parts_of
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
    ],
)
def test_a_frame_is_the_same_in_every_transfer_syntax(syntax, viewer):
    pixels = noise()
    dataset = series(1)[0]
    set_pixels(dataset, pixels)
    if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
        content = encoded(dataset, syntax=syntax)
    elif syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(">u2").tobytes()
        content = encoded(dataset, syntax=syntax)
    else:
        content = encoded(dataset, syntax=syntax)
    receive_bytes(content)

    answer = viewer.get(f"{address(dataset)}/frames/1", headers={"accept": FRAMES})

    assert answer.status_code == 200
    assert parts_of(answer) == [pixels.tobytes()]
    assert b"transfer-syntax=1.2.840.10008.1.2.1" in answer.content


def test_frames_of_a_multi_frame_instance(viewer):
    dataset, pixels = multi_frame()
    receive_bytes(encoded(dataset))

    several = viewer.get(f"{address(dataset)}/frames/4,2", headers={"accept": FRAMES})
    single = viewer.get(f"{address(dataset)}/frames/3", headers={"accept": "application/octet-stream"})
    beyond = viewer.get(f"{address(dataset)}/frames/5")

    assert parts_of(several) == [pixels[3].tobytes(), pixels[1].tobytes()]
    assert (single["Content-Type"], single.content) == ("application/octet-stream", pixels[2].tobytes())
    assert beyond.status_code == 404


def of_bits(shape: tuple[int, int, int]):
    """An instance whose frames are of single bits, as a binary segmentation's are; and the bits."""
    bits = np.random.default_rng(3).integers(0, 2, shape).astype(np.uint8)
    dataset = series(1)[0]
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = shape
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = pack_bits(bits)
    return dataset, bits


def compress_bits(dataset, bits: np.ndarray) -> None:
    frames = [encode_array(frame, bits_stored=1, photometric_interpretation=2) for frame in bits]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


@pytest.mark.parametrize(
    ("shape", "syntax", "count"),
    [
        ((3, 8, 8), ExplicitVRLittleEndian, 8),
        ((3, 5, 5), ExplicitVRLittleEndian, 4),
        ((2, 182, 218), ImplicitVRLittleEndian, 4960),
        ((3, 5, 5), DeflatedExplicitVRLittleEndian, 4),
        ((3, 65, 67), JPEG2000Lossless, 545),
    ],
)
def test_a_frame_of_single_bits_comes_packed_from_its_first_byte_on(shape, syntax, count, viewer):
    dataset, bits = of_bits(shape)
    if syntax == JPEG2000Lossless:
        compress_bits(dataset, bits)
    receive_bytes(encoded(dataset, syntax=syntax))

    answer = viewer.get(f"{address(dataset)}/frames/2", headers={"accept": "application/octet-stream"})

    assert (answer.status_code, len(answer.content)) == (200, count)
    assert answer.content == np.packbits(bits[1], bitorder="little").tobytes()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_single_bits_go_on_from_frame_to_frame_in_bulk_data(syntax, viewer):
    dataset, bits = of_bits((3, 5, 5))
    receive_bytes(encoded(dataset, syntax=syntax))

    answer = viewer.get(f"{address(dataset)}/bulkdata/7FE00010", headers={"accept": "application/octet-stream"})

    assert answer.content == np.packbits(bits, bitorder="little").tobytes()


def test_single_bits_are_packed_frame_behind_frame_in_an_instance_that_is_decoded(viewer):
    dataset, bits = of_bits((3, 65, 67))
    compress_bits(dataset, bits)
    receive_bytes(encoded(dataset, syntax=JPEG2000Lossless))

    answer = viewer.get(address(dataset), headers={"accept": "application/dicom"})

    decoded = dcmread(BytesIO(answer.content))
    assert decoded.PixelData == np.packbits(bits, bitorder="little").tobytes()
    assert decoded.pixel_array.tolist() == bits.tolist()


def test_frames_are_immutable_and_private(viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    first = viewer.get(f"{address(dataset)}/frames/1")
    again = viewer.get(f"{address(dataset)}/frames/1", headers={"if-none-match": first["ETag"]})

    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("known", ["{}", "W/{}", '"another", {}', 'W/"another",W/{}', "*"])
@pytest.mark.parametrize("what", ["", "/metadata", "/frames/1", "/bulkdata/7FE00010", "/rendered", "/thumbnail"])
def test_what_a_caller_has_is_not_sent_again_however_it_names_it(what, known, viewer):
    """A proxy that compresses makes names weak. Source: RFC 9110, 13.1.2."""
    dataset = series(1)[0]
    receive_series([dataset])
    path = f"{address(dataset)}{what}"

    etag = viewer.get(path)["ETag"]
    again = viewer.get(path, headers={"if-none-match": known.format(etag)})
    other = viewer.get(path, headers={"if-none-match": f'"another", W/"{etag[1:-2]}"'})

    assert (again.status_code, again["ETag"], other.status_code) == (304, etag, 200)


@pytest.mark.parametrize(
    ("what", "forms"),
    [
        ("", ["application/dicom", INSTANCES, f"{INSTANCES}; transfer-syntax=*"]),
        ("/frames/1", ["application/octet-stream", FRAMES]),
        ("/bulkdata/7FE00010", ["application/octet-stream", FRAMES]),
        ("/rendered", ["image/jpeg", "image/png"]),
        ("/thumbnail", ["image/jpeg", "image/png"]),
    ],
)
def test_each_form_of_a_resource_has_a_name_of_its_own_and_caches_are_told_what_decides(what, forms, viewer):
    dataset = series(1)[0]
    receive_bytes(encoded(dataset))
    place = f"{address(dataset)}{what}"

    answers = {form: viewer.get(place, headers={"accept": form}) for form in forms}
    again = {
        (form, had): viewer.get(place, headers={"accept": form, "if-none-match": answers[had]["ETag"]})
        for form in forms
        for had in forms
    }

    assert len({answer["ETag"] for answer in answers.values()}) == len(forms)
    assert {pair: one.status_code for pair, one in again.items()} == {
        (form, had): 304 if form == had else 200 for form in forms for had in forms
    }
    assert {one["Vary"] for one in [*answers.values(), *again.values()]} == {"Accept, Cookie"}


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "part"),
    [
        ("bytes=0-9", 206, "bytes 0-9/512", slice(0, 10)),
        ("bytes=500-", 206, "bytes 500-511/512", slice(500, 512)),
        ("bytes=510-9999", 206, "bytes 510-511/512", slice(510, 512)),
        ("bytes=-12", 206, "bytes 500-511/512", slice(500, 512)),
        ("bytes=512-", 416, "bytes */512", slice(0, 0)),
        ("bytes=-0", 416, "bytes */512", slice(0, 0)),
        ("bytes=0-1,4-5", 200, None, slice(0, 512)),
        ("lines=0-1", 200, None, slice(0, 512)),
    ],
)
def test_a_range_of_a_frame_is_answered_by_itself(asked, status, content_range, part, viewer):
    dataset = series(1)[0]
    receive_series([dataset])
    headers = {"accept": "application/octet-stream", "range": asked}

    answer = viewer.get(f"{address(dataset)}/frames/1", headers=headers)
    changed = viewer.get(f"{address(dataset)}/frames/1", headers=headers | {"if-range": '"another"'})

    assert (answer.status_code, answer.get("Content-Range")) == (status, content_range)
    assert (answer.content, answer["Accept-Ranges"]) == (dataset.PixelData[part], "bytes")
    assert answer["Vary"] == "Accept, Cookie"
    assert (changed.status_code, changed.content) == (200, dataset.PixelData)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (FRAMES, 200),
        ("*/*", 200),
        ('multipart/related; type="application/octet-stream"', 200),
        ('multipart/related; type="image/jls", multipart/related; type="application/octet-stream"', 200),
        ('multipart/related; type="image/jls"', 406),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.5', 406),
        ("text/html", 406),
    ],
)
def test_what_frames_can_be_had_as(accept, status, viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    assert viewer.get(f"{address(dataset)}/frames/1", headers={"accept": accept}).status_code == status


@pytest.mark.parametrize("frames", ["0", "x", "1,,2", "-1", "99999999"])
def test_numbers_that_are_no_frames(frames, viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    assert viewer.get(f"{address(dataset)}/frames/{frames}").status_code in {404, 422}


def test_pixels_that_do_not_fill_their_frame_are_refused(viewer):
    dataset = series(1, Rows=500, Columns=500)[0]
    receive_series([dataset])

    answer = viewer.get(f"{address(dataset)}/frames/1")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
