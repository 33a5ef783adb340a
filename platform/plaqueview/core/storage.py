"""Files by content: bytes are written once, named by their hash, and never changed.

A file is first written beside its place, flushed to the disk, and then renamed, so that a reader never sees half of one
and a power cut never leaves one.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from plaqueview.core.errors import UnavailableError

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredFile:
    """`key` is the path below the storage directory; `sha256` is lower-case hex."""

    key: str
    sha256: str
    size_bytes: int


@contextmanager
def incoming_file() -> Iterator[BinaryIO]:
    """A new private file on the store's own disk; it is gone afterwards unless it was stored.

    Raises: UnavailableError when less than the disk reserve is free.
    """
    folder = settings.STORAGE_DIR / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    require_free_space(0)
    path = folder / secrets.token_hex(16)
    try:
        with path.open("xb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def incoming_folder() -> Iterator[Path]:
    """A new private folder on the store's own disk; it is gone afterwards with all that was not stored from it.

    Raises: UnavailableError when less than the disk reserve is free.
    """
    require_free_space(0)
    path = settings.STORAGE_DIR / "incoming" / secrets.token_hex(16)
    path.mkdir(parents=True, mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def require_free_space(size_bytes: int) -> None:
    """Raises: UnavailableError when storing the bytes would eat into the disk reserve."""
    settings.STORAGE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    free_bytes = shutil.disk_usage(settings.STORAGE_DIR).free
    needed_bytes = size_bytes + settings.DISK_RESERVE_BYTES
    if free_bytes < needed_bytes:
        raise UnavailableError(f"the storage disk has {free_bytes} bytes free, needs {needed_bytes}")


def store_file(path: Path, *, kind: str) -> StoredFile:
    """The file is moved into the store under its hash; the same bytes stored before are kept as they are.

    `path` must lie on the store's own disk. `kind` is the top folder: "dicom", "nifti", "masks".
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    size_bytes = path.stat().st_size
    key = f"{kind}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    target = stored_path(key)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target)
        _sync_folder(target.parent)
    return StoredFile(key=key, sha256=sha256, size_bytes=size_bytes)


def store_bytes(chunks: Iterable[bytes], *, kind: str) -> StoredFile:
    """The bytes are in the store under their hash."""
    with incoming_file() as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        return store_file(Path(file.name), kind=kind)


def stored_path(key: str) -> Path:
    """Where the bytes of a key lie on this machine."""
    return Path(settings.STORAGE_DIR) / key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
