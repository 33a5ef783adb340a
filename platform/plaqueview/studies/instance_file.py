"""A received file read as a DICOM instance: its header, and where its pixel data lie, or why it is refused.

Pixels are not decoded, and no length that a file announces is trusted: a read is never longer than the file.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

# What pydicom raises for bytes that are no dataset.
UNREADABLE = (
    InvalidDicomError,
    BytesLengthException,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

PREFIX_OFFSET = 128
META_OFFSET = 132
PIXEL_TAGS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM = 0xFFFEE000
SEQUENCE_DELIMITER = 0xFFFEE0DD

# A header longer than this, inflated, is no header.
MAX_INFLATED_HEADER_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class Refusal(StrEnum):
    """Why a file is not kept."""

    EMPTY = "empty"
    NOT_DICOM = "not_dicom"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    BOMB = "bomb"
    NO_IDENTITY = "no_identity"
    WRONG_STUDY = "wrong_study"
    WRONG_PATIENT = "wrong_patient"
    CONFLICT = "conflict"
    UNSUPPORTED = "unsupported"


class RefusedError(ValueError):
    """The file is not kept; the message says why, without anything that the file holds of a patient."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.reason = reason


@dataclass(frozen=True, eq=False)
class InstanceFile:
    """The elements asked for, and the place of native pixel data in the file; None where they are compressed."""

    header: Dataset
    transfer_syntax_uid: str
    pixel_offset: int | None
    pixel_bytes: int | None


class BoundedFile:
    """A file for pydicom that refuses to read past its end, instead of allocating what a length announces."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self.tell = file.tell

    def read(self, length: int = -1) -> bytes:
        left = self._size_bytes - self._file.tell()
        if length > left > 0 or (length > 8 and left <= 0):
            raise RefusedError(Refusal.TRUNCATED, f"truncated: an element announces {length} bytes, {left} are left")
        return self._file.read(length)

    def seek(self, offset: int, whence: int = 0) -> int:
        position = self._file.seek(offset, whence)
        if position > self._size_bytes:
            raise RefusedError(
                Refusal.TRUNCATED, f"truncated: an element ends at byte {position}, the file has {self._size_bytes}"
            )
        return position


def read_instance_file(path: Path, tags: list[int]) -> InstanceFile:
    """The elements with these tags, which come before the pixel data, of a DICOM Part 10 file.

    Raises: RefusedError when the file is empty, no Part 10 file, names no transfer syntax, is malformed, cut off, or
    inflates beyond the department's limit.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        _require_prefix(file, size_bytes)
        try:
            return _read(file, size_bytes, tags)
        except RefusedError:
            raise
        except (*UNREADABLE, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's, and not the file's
            raise RefusedError(Refusal.MALFORMED, f"malformed DICOM: {type(error).__name__} in the header") from error


def is_part10(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(PREFIX_OFFSET)
        return file.read(4) == b"DICM"


def _require_prefix(file: BinaryIO, size_bytes: int) -> None:
    if size_bytes == 0:
        raise RefusedError(Refusal.EMPTY, "not DICOM: the file is empty")
    file.seek(PREFIX_OFFSET)
    if file.read(4) != b"DICM":
        raise RefusedError(Refusal.NOT_DICOM, "not DICOM: no DICM prefix at byte 128, need a Part 10 file")
    file.seek(0)


def _read(file: BinaryIO, size_bytes: int, tags: list[int]) -> InstanceFile:
    bounded = BoundedFile(file, size_bytes)
    bounded.seek(META_OFFSET)
    meta = _dataset(bounded, ExplicitVRLittleEndian, stop_when=_is_past_meta)
    if meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise RefusedError(Refusal.UNSUPPORTED, "a DICOMDIR lists other files and is no instance itself")
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    if not syntax:
        raise RefusedError(Refusal.NOT_DICOM, "file meta names no transfer syntax, need one to read the rest")
    if syntax == DeflatedExplicitVRLittleEndian:
        inflated = _inflated_header(file, size_bytes)
        bounded = BoundedFile(inflated, inflated.getbuffer().nbytes)
        return InstanceFile(_dataset(bounded, syntax, stop_when=_is_pixel_data, tags=tags), syntax, None, None)
    header = _dataset(bounded, syntax, stop_when=_is_pixel_data, tags=tags)
    return InstanceFile(header, syntax, *_pixel_place(file, size_bytes, header))


def _dataset(
    file: "BoundedFile",
    syntax: UID,
    *,
    stop_when: Callable[[BaseTag, str | None, int], bool],
    tags: list[int] | None = None,
) -> Dataset:
    return read_dataset(
        cast(BinaryIO, file),  # it reads, seeks and tells, and pydicom asks for no more
        syntax == ImplicitVRLittleEndian,
        syntax != ExplicitVRBigEndian,
        stop_when=stop_when,
        specific_tags=[*tags] if tags else None,
    )


def _is_past_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != 0x0002


def _is_pixel_data(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_TAGS


def _pixel_place(file: BinaryIO, size_bytes: int, header: Dataset) -> tuple[int | None, int | None]:
    """Offset and length of native pixel data at the file's position; both None when compressed or absent.

    Raises: RefusedError when the pixel data end before the length, or the last fragment, that they announce.
    """
    start = file.read(12)
    if len(start) < 12:
        return None, None
    is_implicit, is_little_endian = header.original_encoding  # as found, should the transfer syntax be wrong
    order = "<" if is_little_endian else ">"
    group, element = struct.unpack_from(f"{order}HH", start)
    if (group << 16 | element) not in PIXEL_TAGS:
        return None, None
    header_bytes = 8 if is_implicit else 12
    (length,) = struct.unpack_from(f"{order}L", start, header_bytes - 4)
    offset = file.tell() - 12 + header_bytes
    if length == UNDEFINED_LENGTH:
        _require_whole_fragments(file, offset, size_bytes)
        return None, None
    if offset + length > size_bytes:
        left = size_bytes - offset
        raise RefusedError(Refusal.TRUNCATED, f"truncated: pixel data announce {length} bytes, {left} are left")
    return offset, length


def _require_whole_fragments(file: BinaryIO, offset: int, size_bytes: int) -> None:
    """Source: PS3.5 A.4, encapsulated pixel data: items up to a sequence delimiter."""
    position = offset
    while position + 8 <= size_bytes:
        file.seek(position)
        group, element, length = struct.unpack("<HHL", file.read(8))
        tag = group << 16 | element
        if tag == SEQUENCE_DELIMITER:
            return
        if tag != ITEM:
            raise RefusedError(Refusal.MALFORMED, f"malformed DICOM: tag {tag:08X} among the pixel data's fragments")
        position += 8 + length
    raise RefusedError(Refusal.TRUNCATED, "truncated: the compressed pixel data have no end")


def _inflated_header(file: BinaryIO, size_bytes: int) -> BytesIO:
    """The start of a deflated dataset; all of it is inflated, a chunk at a time, to know that it is whole.

    Raises: RefusedError when the dataset is cut off, damaged or inflates beyond the department's limit.
    """
    inflater, header, inflated_bytes = zlib.decompressobj(-zlib.MAX_WBITS), BytesIO(), 0
    for piece in _inflated(file, inflater):
        inflated_bytes += len(piece)
        if inflated_bytes > max(size_bytes, CHUNK_BYTES) * settings.UPLOAD_MAX_COMPRESSION_RATIO:
            raise RefusedError(Refusal.BOMB, f"{size_bytes} deflated bytes inflate beyond the department's limit")
        if header.tell() < MAX_INFLATED_HEADER_BYTES:
            header.write(piece)
    if not inflater.eof:
        raise RefusedError(Refusal.TRUNCATED, "truncated: the deflated dataset has no end")
    header.seek(0)
    return header


def _inflated(file: BinaryIO, inflater: "zlib._Decompress") -> Iterator[bytes]:
    while not inflater.eof:
        compressed = inflater.unconsumed_tail or file.read(CHUNK_BYTES)
        if not compressed:
            return
        yield inflater.decompress(compressed, CHUNK_BYTES)
