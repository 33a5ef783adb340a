"""Frames as they were compressed, and what headers as JSON name by its address only."""

import pytest
from dicomweb_client.api import DICOMwebClient
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate_extended, generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from tests.accounts.people import make_user, secret_of, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.wado import FRAMES, address, multi_frame, noise, parts_of
from tests.studies.dicom_files import encoded, receive_bytes, series

pytestmark = pytest.mark.django_db
JLS, RLE = 'multipart/related; type="image/jls"', 'multipart/related; type="image/dicom-rle"'


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def compressed():
    """A stored JPEG-LS instance, and its one frame."""
    dataset = series(1)[0]
    set_pixels(dataset, noise())
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    receive_bytes(encoded(dataset, syntax=JPEGLSLossless))
    return dataset, next(generate_frames(dataset.PixelData, number_of_frames=1))


@pytest.mark.parametrize(
    ("accept", "status", "form"),
    [
        (JLS, 200, "stored"),
        (f"{JLS}; transfer-syntax={JPEGLSLossless}", 200, "stored"),
        (f"{JLS}; transfer-syntax=*", 200, "stored"),
        ("image/jls", 200, "stored"),
        (f'multipart/related; type="image/jp2", {JLS}, {FRAMES}', 200, "stored"),
        (f"{FRAMES}, {JLS}", 200, "decoded"),
        ("*/*", 200, "decoded"),
        (f"{JLS}; transfer-syntax=1.2.840.10008.1.2.4.81", 406, ""),
        (RLE, 406, ""),
        ("image/jpeg", 406, ""),
    ],
)
def test_a_frame_comes_as_stored_or_decoded_and_never_compressed_anew(accept, status, form, viewer):
    dataset, stored = compressed()

    answer = viewer.get(f"{address(dataset)}/frames/1", headers={"accept": accept})

    assert answer.status_code == status
    if form == "stored":
        content = parts_of(answer)[0] if "related" in answer["Content-Type"] else answer.content
        assert content == stored
        said = answer["Content-Type"].encode() + answer.content
        assert b"image/jls; transfer-syntax=1.2.840.10008.1.2.4.80" in said
    elif form == "decoded":
        assert parts_of(answer) == [noise().tobytes()]


@pytest.mark.parametrize("table", ["basic", "none", "extended"])
def test_each_frame_of_several_is_found_whatever_table_says_where(table, viewer):
    dataset, pixels = multi_frame()
    dataset.compress(RLELossless, encapsulate_ext=False, generate_instance_uid=False)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=4))
    if table == "none":
        dataset.PixelData = b"\xfe\xff\x00\xe0" + bytes(4) + dataset.PixelData[8 + 16 :]
    elif table == "extended":
        dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
            frames
        )
    receive_bytes(encoded(dataset, syntax=RLELossless))

    several = viewer.get(f"{address(dataset)}/frames/4,2", headers={"accept": RLE})
    whole = viewer.get(f"{address(dataset)}/bulkdata/7FE00010", headers={"accept": RLE})
    decoded = viewer.get(f"{address(dataset)}/bulkdata/7FE00010", headers={"accept": "application/octet-stream"})

    assert parts_of(several) == [frames[3], frames[1]]
    assert parts_of(whole) == frames
    assert decoded.content == pixels.tobytes()


@pytest.mark.django_db(transaction=True)
def test_dicomweb_client_follows_the_addresses_in_a_header(live_server, settings):
    settings.ORIGIN = live_server.url
    dataset = series(1)[0]
    dataset.add_new(0x00291010, "OW", bytes(range(256)) * 8)
    receive_bytes(encoded(dataset))
    headers = {"Authorization": f"Bearer {secret_of(make_user(Role.NEUROLOGIST))}"}
    client = DICOMwebClient(f"{live_server.url}/dicom-web", headers=headers)
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID

    told = client.retrieve_instance_metadata(*uids)
    pixels = client.retrieve_bulkdata(told["7FE00010"]["BulkDataURI"])
    vendors = client.retrieve_bulkdata(told["00291010"]["BulkDataURI"])

    assert (pixels, vendors) == ([dataset.PixelData], [bytes(range(256)) * 8])


def test_a_range_of_bulk_data_and_words_of_a_big_endian_file(viewer):
    dataset = series(1)[0]
    dataset.add_new(0x00660016, "OF", b"\x3f\x80\0\0" * 500)
    set_pixels(dataset, noise())
    dataset.PixelData = noise().astype(">u2").tobytes()
    receive_bytes(encoded(dataset, syntax=ExplicitVRBigEndian))
    accept = {"accept": "application/octet-stream"}

    floats = viewer.get(f"{address(dataset)}/bulkdata/00660016", headers=accept | {"range": "bytes=4-7"})
    pixels = viewer.get(f"{address(dataset)}/bulkdata/7FE00010", headers=accept)

    assert (floats.status_code, floats.content, floats["Content-Range"]) == (206, b"\0\0\x80\x3f", "bytes 4-7/2000")
    assert pixels.content == noise().tobytes()


def test_a_big_endian_value_that_is_no_whole_number_of_words_is_refused_by_name(viewer):
    dataset = series(1)[0]
    dataset.add_new(0x00660016, "OF", bytes(2002))
    set_pixels(dataset, noise())
    receive_bytes(encoded(dataset, syntax=ExplicitVRBigEndian))

    refused = viewer.get(f"{address(dataset)}/bulkdata/00660016", headers={"accept": "application/octet-stream"})

    assert refused.status_code == 422
    assert refused.json()["detail"] == "element 00660016 has 2002 bytes; its VR OF needs words of 4"


@pytest.mark.parametrize("form", ["explicit", "implicit", "big endian"])
def test_a_large_value_in_an_item_of_a_sequence_is_named_and_served(form, viewer):
    syntax = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian, "big endian": ExplicitVRBigEndian}
    table, small = Dataset(), Dataset()
    table.LUTDescriptor, small.LUTDescriptor = [1000, 0, 16], [4, 0, 16]
    table.add_new("LUTData", "OW", b"\1\2" * 1000)
    small.add_new("LUTData", "OW", b"\1\2" * 4)
    icon = Dataset()
    icon.add_new("ICCProfile", "OB", bytes(range(256)) * 8)
    icon.ModalityLUTSequence = [table]
    dataset = series(1)[0]
    dataset.VOILUTSequence, dataset.IconImageSequence = [small, table], [icon]
    receive_bytes(encoded(dataset, syntax=syntax[form]))

    (told,) = viewer.get(f"{address(dataset)}/metadata").json()
    lut, profile = told["00283010"]["Value"], told["00880200"]["Value"][0]
    nested = profile["00283000"]["Value"][0]["00283006"]
    named = [lut[1]["00283006"], profile["00282000"], nested]
    served = [viewer.get(one["BulkDataURI"], headers={"accept": "application/octet-stream"}) for one in named]

    assert [one["vr"] for one in named] == ["OW", "OB", "OW"]
    assert nested["BulkDataURI"].endswith("/bulkdata/00880200.0.00283000.0.00283006")
    assert (lut[1]["00283002"]["Value"][0], len(lut[0]["00283006"]["InlineBinary"])) == (1000, 12)
    words = b"\2\1" if form == "big endian" else b"\1\2"
    assert [one.content for one in served] == [words * 1000, bytes(range(256)) * 8, words * 1000]


@pytest.mark.parametrize(
    "tag",
    [
        *("00100010", "00291010", "7fe0", "zzzzzzzz", "-0000010"),
        *("00283010", "00283010.1.00283006", "00283010.0", "00283010.0.00283010.0.00283006", "00283010.x.00283006"),
        *("00080008.0.00000000", "00100010.0.00283006", "00283010.0.00283002"),
    ],
)
def test_there_is_no_bulk_data_of_other_elements(tag, viewer):
    dataset, lut = series(1)[0], Dataset()
    lut.LUTDescriptor = [4, 0, 16]
    lut.add_new("LUTData", "OW", b"\1\2" * 4)
    dataset.VOILUTSequence = [lut]
    receive_bytes(encoded(dataset))

    assert viewer.get(f"{address(dataset)}/bulkdata/{tag}").status_code == 404


def test_another_site_reads_no_bulk_data():
    dataset, _ = compressed()
    stranger = token_client(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))

    assert stranger.get(f"{address(dataset)}/bulkdata/7FE00010").status_code == 404
    assert Client().get(f"{address(dataset)}/bulkdata/7FE00010").status_code == 401
