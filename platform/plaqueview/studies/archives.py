"""The members of a zip archive, one at a time, within limits on count, size and compression ratio.

No path or name in an archive is ever used for a file; names are kept for the report only.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from plaqueview.core.storage import CHUNK_BYTES

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
IS_ENCRYPTED = 0x1

# The list of members is read whole: this much for each member that the department allows.
LISTING_BYTES_PER_MEMBER = 512
END_OF_LISTING_BYTES = 22 + 65_535
END_OF_LISTING = b"PK\x05\x06"

# An archive may always inflate to this much, whatever its ratio: empty slices compress a thousandfold.
SMALLEST_BUDGET_BYTES = 64 * 1024 * 1024

# zipfile inflates these a chunk at a time; of the others it takes a whole burst into memory.
BOUNDED_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


class ArchiveError(ValueError):
    """The archive, or one member of it, is not unpacked; the message says why."""


@dataclass(frozen=True)
class Member:
    """`position` is the place in the archive's own list, which is the same in every reading of it."""

    position: int
    name: str
    size_bytes: int
    listing: zipfile.ZipInfo


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, whose list of members is within the limits.

    Raises: ArchiveError when it is damaged, lists too many members, or announces more bytes than the limits allow.
    """
    _require_short_listing(path)
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise ArchiveError(f"the archive is damaged: {type(error).__name__}") from error
    with archive:
        _require_limits(archive, path.stat().st_size)
        yield archive


def members_of(archive: zipfile.ZipFile) -> list[Member]:
    """The files in the archive; folders are none."""
    return [
        Member(position, printable(listing.filename), listing.file_size, listing)
        for position, listing in enumerate(archive.infolist())
        if not listing.is_dir()
    ]


def extract(archive: zipfile.ZipFile, member: Member, target: BinaryIO) -> None:
    """The member's bytes are in the target; never more of them than the archive announced.

    Raises: ArchiveError when the member is encrypted, damaged, or compressed in a way that is not supported.
    """
    if member.listing.flag_bits & IS_ENCRYPTED:
        raise ArchiveError("encrypted, need an archive without a password")
    if member.listing.compress_type not in BOUNDED_METHODS:
        raise ArchiveError(f"compressed by method {member.listing.compress_type}, need stored (0) or deflated (8)")
    try:
        with archive.open(member.listing) as source:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
    except DAMAGED as error:
        raise ArchiveError(f"cannot be unpacked: {type(error).__name__}") from error


def is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in ZIP_MAGICS


def printable(name: str) -> str:
    """A sender's name for a file, fit for a report and a database."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:1024] or "?"


def _require_short_listing(path: Path) -> None:
    """Source: APPNOTE.TXT 4.3.16; the length of the central directory stands at byte 12 of its end record."""
    limit = settings.UPLOAD_MAX_FILES * LISTING_BYTES_PER_MEMBER
    with path.open("rb") as file:
        size_bytes = path.stat().st_size
        file.seek(max(0, size_bytes - END_OF_LISTING_BYTES))
        tail = file.read()
    place = tail.rfind(END_OF_LISTING)
    if place < 0:
        raise ArchiveError("the archive has no list of members: it is cut off")
    listing_bytes = int.from_bytes(tail[place + 12 : place + 16], "little")
    if listing_bytes == 0xFFFFFFFF:  # ZIP64 says it elsewhere, and a list of 4 GiB is over the limit anyway
        listing_bytes = _listing_bytes_of_zip64(tail[:place])
    if listing_bytes > limit:
        raise ArchiveError(f"the archive's list of members has {listing_bytes} bytes, the limit is {limit}")


def _listing_bytes_of_zip64(tail: bytes) -> int:
    """Source: APPNOTE.TXT 4.3.14; without the ZIP64 record the length is unknown, hence over every limit."""
    place = tail.rfind(b"PK\x06\x06")
    return int.from_bytes(tail[place + 40 : place + 48], "little") if place >= 0 else 0xFFFFFFFF


def _require_limits(archive: zipfile.ZipFile, size_bytes: int) -> None:
    listings = archive.infolist()
    if len(listings) > settings.UPLOAD_MAX_FILES:
        raise ArchiveError(f"the archive has {len(listings)} members, the limit is {settings.UPLOAD_MAX_FILES}")
    total_bytes = sum(listing.file_size for listing in listings)
    if total_bytes > settings.UPLOAD_MAX_BYTES:
        raise ArchiveError(f"the archive unpacks to {total_bytes} bytes, the limit is {settings.UPLOAD_MAX_BYTES}")
    allowed_bytes = max(SMALLEST_BUDGET_BYTES, size_bytes * settings.UPLOAD_MAX_COMPRESSION_RATIO)
    if total_bytes > allowed_bytes:
        ratio = settings.UPLOAD_MAX_COMPRESSION_RATIO
        raise ArchiveError(
            f"the archive unpacks to {total_bytes / size_bytes:.0f} times its size, the limit is {ratio}"
        )
