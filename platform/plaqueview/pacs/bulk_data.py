"""Values that headers as DICOM JSON leave out: where they are, and their bytes. Source: PS3.18 F.2.2 and 10.4.1.1.5."""

import warnings
from array import array
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.storage import read_range
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.pacs.stored_frames import opened_behind_header

# Binary values from this length on are left out.
LARGEST_INLINE_BYTES: Final = 1024
BINARY: Final = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
PIXEL_DATA: Final = "7FE00010"
# What a word of the value is to Python's array, where it has more than one byte.
WORDS: Final = {"OD": "Q", "OF": "I", "OL": "I", "OV": "Q", "OW": "H"}


def large_elements(header: Dataset) -> dict[str, str]:
    """The VR of each element of the outermost level that is left out, by its tag."""
    return {
        f"{element.tag:08X}": element.VR
        for element in header
        if element.VR in BINARY and len(element.value or b"") > LARGEST_INLINE_BYTES
    }


def uri_of(root: str, *, study_uid: str, series_uid: str, instance_uid: str, tag: str) -> str:
    return f"{root}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/bulkdata/{tag}"


def read_element(instance: StoredInstance, tag: str) -> bytes:
    """The value of an element that was left out, little endian.

    Raises: NotFoundError when the instance has no binary element of this tag; InvalidError when a big endian value is
    no whole number of the words of its VR, so that it cannot be turned.
    """
    is_tag = len(tag) == 8 and all(letter in "0123456789ABCDEFabcdef" for letter in tag)
    element = _element(instance, int(tag, 16)) if is_tag else None
    if element is None:
        raise NotFoundError("the instance has no binary element of this tag")
    vr, value = element
    if instance.transfer_syntax_uid != ExplicitVRBigEndian or vr not in WORDS:
        return value
    turned = array(WORDS[vr])
    if len(value) % turned.itemsize:
        raise InvalidError(f"element {tag} has {len(value)} bytes; its VR {vr} needs words of {turned.itemsize}")
    turned.frombytes(value)
    turned.byteswap()
    return turned.tobytes()


def read_native_pixels(instance: StoredInstance) -> bytes | None:
    """All native pixel data as they lie in the file, None where they do not lie there in little endian."""
    if instance.pixel_offset is None or not instance.pixel_bytes:
        return None
    if instance.transfer_syntax_uid == ExplicitVRBigEndian:
        return None
    return read_range(instance.storage_key, offset=instance.pixel_offset, count=instance.pixel_bytes)


def _element(instance: StoredInstance, tag: int) -> tuple[str, bytes] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
        with opened_behind_header(instance, [tag]) as (header, _):
            if tag not in header or header[tag].VR not in BINARY:
                return None
            return header[tag].VR, bytes(header[tag].value or b"")
