"""Values that headers as DICOM JSON leave out: where they are, and their bytes. Source: PS3.18 F.2.2 and 10.4.1.1.5."""

import re
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.storage import read_range
from plaqueview.imaging.byte_order import BrokenWordsError, turned
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.pacs.stored_frames import opened_behind_header

# Binary values from this length on are left out.
LARGEST_INLINE_BYTES: Final = 1024
BINARY: Final = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
PIXEL_DATA: Final = "7FE00010"
# A tag; in an item of a sequence behind the sequence's tag and the item's number, from 0: "00283010.0.00283006".
PLACE: Final = re.compile(r"(?:[0-9A-F]{8}\.[0-9]{1,6}\.)*[0-9A-F]{8}", re.IGNORECASE)


def large_elements(dataset: Dataset, above: str = "") -> dict[str, str]:
    """The VR of each element that is left out, by its place."""
    found: dict[str, str] = {}
    for element in dataset:
        place = f"{above}{element.tag:08X}"
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                found |= large_elements(item, f"{place}.{number}.")
        elif element.VR in BINARY and len(element.value or b"") > LARGEST_INLINE_BYTES:
            found[place] = element.VR
    return found


def item_at(dataset: Dataset, place: str) -> tuple[Dataset, int]:
    """The item that the place is in, or the dataset itself, and the tag there.

    Raises: LookupError when there is no such item.
    """
    *way, tag = place.split(".")
    for sequence, number in zip(way[::2], way[1::2], strict=True):
        element = dataset[int(sequence, 16)]
        if element.VR != "SQ":
            raise KeyError(sequence)
        dataset = element.value[int(number)]
    return dataset, int(tag, 16)


def uri_of(root: str, *, study_uid: str, series_uid: str, instance_uid: str, place: str) -> str:
    return f"{root}/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/bulkdata/{place}"


def read_element(instance: StoredInstance, place: str) -> bytes:
    """The value of an element that was left out, little endian.

    Raises: NotFoundError when the instance has no binary element at this place; InvalidError when a big endian value is
    no whole number of the words of its VR, so that it cannot be turned.
    """
    element = _element(instance, place) if PLACE.fullmatch(place) else None
    if element is None:
        raise NotFoundError("the instance has no binary element at this place")
    vr, value = element
    if instance.transfer_syntax_uid != ExplicitVRBigEndian:
        return value
    try:
        return turned(value, vr)
    except BrokenWordsError as error:
        raise InvalidError(f"element {place} has {error}") from error


def read_native_pixels(instance: StoredInstance) -> bytes | None:
    """All native pixel data as they lie in the file, None where they do not lie there in little endian."""
    if instance.pixel_offset is None or not instance.pixel_bytes:
        return None
    if instance.transfer_syntax_uid == ExplicitVRBigEndian:
        return None
    return read_range(instance.storage_key, offset=instance.pixel_offset, count=instance.pixel_bytes)


def joined(instance: StoredInstance, frames: Sequence[bytes]) -> bytes:
    """The decoded frames as one value, in which single bits go on from frame to frame. Source: PS3.5 8.1.1."""
    voxels = (instance.rows or 0) * (instance.columns or 0)
    if len(frames[0]) >= voxels:
        return b"".join(frames)
    bits = [np.unpackbits(np.frombuffer(frame, np.uint8), count=voxels, bitorder="little") for frame in frames]
    return np.packbits(np.concatenate(bits), bitorder="little").tobytes()


def _element(instance: StoredInstance, place: str) -> tuple[str, bytes] | None:
    outermost = int(place.partition(".")[0], 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
        with opened_behind_header(instance, [outermost]) as (header, _):
            try:
                dataset, tag = item_at(header, place)
                element = dataset[tag]
            except LookupError:
                return None
            return (element.VR, bytes(element.value or b"")) if element.VR in BINARY else None
