"""Frames as whoever sent them compressed them: cut out of the stored file, never decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.storage import stored_path
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.studies.instance_file import UNREADABLE

# The media type of a frame in each transfer syntax; the first of a type is the one that is meant without a parameter.
# Source: PS3.18 Table 8.7.3-5.
MEDIA_TYPES: Final[dict[str, str]] = {
    JPEGLosslessSV1: "image/jpeg",
    JPEGBaseline8Bit: "image/jpeg",
    JPEGExtended12Bit: "image/jpeg",
    JPEGLossless: "image/jpeg",
    RLELossless: "image/dicom-rle",
    JPEGLSLossless: "image/jls",
    JPEGLSNearLossless: "image/jls",
    JPEG2000Lossless: "image/jp2",
    JPEG2000: "image/jp2",
    HTJ2KLossless: "image/jphc",
    HTJ2KLosslessRPCL: "image/jphc",
    HTJ2K: "image/jphc",
}
USUAL_SYNTAX: Final = {media_type: syntax for syntax, media_type in reversed(MEDIA_TYPES.items())}

PIXEL_TAG: Final = b"\xe0\x7f\x10\x00"
OFFSET_TABLES: Final = [0x7FE00001, 0x7FE00002]
HEADER_BYTES: Final = 12  # tag, VR, two reserved bytes, length: compressed pixel data are explicit VR little endian


def read_stored_frame(instance: StoredInstance, number: int) -> bytes:
    """Frame `number`, from 1, of a compressed instance.

    Raises: NotFoundError when there is no such frame; InvalidError when the fragments do not tell where it is.
    """
    if not 1 <= number <= instance.number_of_frames:
        raise NotFoundError(f"frame {number} of an instance that has {instance.number_of_frames}")
    try:
        with opened_behind_header(instance, OFFSET_TABLES) as opened:
            header, file = opened
            if file.read(HEADER_BYTES)[:4] != PIXEL_TAG:
                raise NotFoundError("the instance has no pixel data")
            return get_frame(
                file, number - 1, number_of_frames=instance.number_of_frames, extended_offsets=_extended_offsets(header)
            )
    except UNREADABLE as error:
        raise InvalidError(f"frame {number} cannot be found among the fragments; ask for it uncompressed") from error


@contextmanager
def opened_behind_header(instance: StoredInstance, tags: list[int]) -> Iterator[tuple[Dataset, BinaryIO]]:
    """The elements with these tags before the pixel data, and the stored file where those begin."""
    with stored_path(instance.storage_key).open("rb") as file:
        yield dcmread(file, stop_before_pixels=True, specific_tags=tags), file


def _extended_offsets(header: Dataset) -> tuple[bytes, bytes] | None:
    offsets, lengths = header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths")
    return (offsets, lengths) if offsets and lengths else None
