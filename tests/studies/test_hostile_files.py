"""Files that are no DICOM, or pretend: each is refused with its reason, and its neighbour is kept."""

import struct
import zlib

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from plaqueview.studies.instance_file import Refusal
from plaqueview.studies.models import FileOutcome, Instance
from tests.studies.dicom_files import encoded, receive_bytes, series

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:::pydicom")]


def part10(body: bytes, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    element = struct.pack("<HH2sH", 2, 0x10, b"UI", len(value)) + value
    return b"\0" * 128 + b"DICM" + element + body


SEQUENCE = struct.pack("<HH2sHL", 8, 0x1115, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
WHOLE = encoded(series(1)[0])
PIXELS = 16 * 16 * 2
HOSTILE = {
    "no bytes": (b"", Refusal.EMPTY),
    "one byte": (b"\0", Refusal.NOT_DICOM),
    "a web page": (b"<!DOCTYPE html><html><body>Login</body></html>" * 10, Refusal.NOT_DICOM),
    "a thumbnail cache": (b"\xd0\xcf\x11\xe0" + b"\0" * 500, Refusal.NOT_DICOM),
    "a preamble alone": (b"\0" * 128 + b"DICM", Refusal.NOT_DICOM),
    "no transfer syntax": (part10(b"", "").replace(b"\x02\x00\x10\x00", b"\x02\x00\x12\x00"), Refusal.NOT_DICOM),
    "pixels cut off": (WHOLE[:-1], Refusal.TRUNCATED),
    "all but the pixels cut off": (WHOLE[: -PIXELS + 10], Refusal.TRUNCATED),
    "a header cut off": (WHOLE[:400], Refusal.TRUNCATED),
    "an element of 2 GiB": (part10(struct.pack("<HH2sHL", 8, 0x18, b"UN", 0, 0x7FFFFFF0)), Refusal.TRUNCATED),
    "a sequence that never begins": (part10(SEQUENCE), Refusal.MALFORMED),
    "nested beyond reason": (part10((SEQUENCE + ITEM) * 5000), Refusal.MALFORMED),
    "noise after the prefix": (part10(bytes(range(256)) * 4), Refusal.TRUNCATED),
    "a deflated stream cut off": (
        part10(zlib.compress(b"\0" * 1000, wbits=-15)[:-3], DeflatedExplicitVRLittleEndian), Refusal.TRUNCATED,
    ),
    "a deflated stream of noise": (part10(b"\xff" * 100, DeflatedExplicitVRLittleEndian), Refusal.MALFORMED),
    "a deflated bomb": (
        part10(zlib.compress(b"\0" * 400_000_000, 9, wbits=-15), DeflatedExplicitVRLittleEndian), Refusal.BOMB,
    ),
    "compressed pixels without an end": (
        part10(struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 99)),
        Refusal.TRUNCATED,
    ),
    "fragments of noise": (
        part10(struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + b"\x01" * 16), Refusal.MALFORMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_its_neighbour_kept(name):
    content, refusal = HOSTILE[name]

    hostile, neighbour = receive_bytes(content, WHOLE)

    assert (hostile.outcome, hostile.refusal) == (FileOutcome.REJECTED, refusal), hostile.reason
    assert neighbour.outcome == FileOutcome.ACCEPTED
    assert Instance.objects.count() == 1


def test_a_frame_count_out_of_this_world_is_refused():
    (received,) = receive_bytes(encoded(series(1, NumberOfFrames=2_000_000_000)[0]))

    assert received.refusal == Refusal.MALFORMED
    assert "2000000000" in received.reason


@pytest.mark.parametrize(
    "attributes",
    [
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 0, "Columns": 0},
        {"PixelData": None},
        {"Modality": "CT"},
        {"InstanceNumber": "99999999999"},
        {"StudyDate": "20249999", "StudyTime": "257"},
        {"PatientBirthDate": "unknown"},
        {"RescaleSlope": "NaN"},
    ],
)
def test_an_odd_instance_is_kept_all_the_same(attributes):
    dataset = series(1)[0]
    content = _with_raw(dataset, attributes)

    (received,) = receive_bytes(content)

    assert received.outcome == FileOutcome.ACCEPTED, received.reason


def _with_raw(dataset, attributes) -> bytes:
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    for keyword, value in attributes.items():
        tag = Tag(tag_for_keyword(keyword))
        if value is None:
            del dataset[tag]
        elif isinstance(value, int):
            setattr(dataset, keyword, value)
        else:
            raw = value.encode() + b" " * (len(value) % 2)
            dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(raw), raw, 0, False, True)
    return encoded(dataset)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_pixels_are_kept_without_decoding(syntax):
    dataset = series(1)[0]
    dataset.compress(RLELossless)
    dataset.file_meta.TransferSyntaxUID = syntax

    (received,) = receive_bytes(encoded(dataset, syntax=syntax))

    kept = Instance.objects.get(pk=received.instance_id)
    assert (kept.transfer_syntax_uid, kept.pixel_offset) == (syntax, None)
