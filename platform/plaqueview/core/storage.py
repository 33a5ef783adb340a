"""Files by content: bytes are written once, named by their hash, and never changed.

They lie in the storage directory, or in a bucket with copies on this machine (docs/decisions/0043-bucket.md). A file is
first written beside its place, flushed to the disk, and then renamed, so that a reader never sees half of one and a
power cut never leaves one.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

from plaqueview.core import copies
from plaqueview.core.disk import incoming, make_folders, side_by_side, sync_folder
from plaqueview.core.errors import UnavailableError

CHUNK_BYTES = 1024 * 1024
# Half-received files, the working folder of a training that runs, copies of a bucket's bytes, and what is set aside.
NOT_STORED: Final = {"incoming", "runs", copies.FOLDER, copies.REMOVED}
PROBE: Final = ".probe-"


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
    make_folders(incoming())
    require_free_space(0)
    path = incoming() / secrets.token_hex(16)
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
    path = incoming() / secrets.token_hex(16)
    make_folders(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def require_free_space(size_bytes: int) -> None:
    """Raises: UnavailableError when storing the bytes would eat into the disk reserve."""
    make_folders(settings.STORAGE_DIR)
    needed_bytes = size_bytes + settings.DISK_RESERVE_BYTES
    copies.make_room(needed_bytes)
    free_bytes = shutil.disk_usage(settings.STORAGE_DIR).free
    if free_bytes < needed_bytes:
        raise UnavailableError(f"the storage disk has {free_bytes} bytes free, needs {needed_bytes}")


def store_file(path: Path, *, kind: str) -> StoredFile:
    """The file is moved into the store under its hash; the same bytes stored before are kept as they are.

    `path` must lie on the store's own disk. `kind` is the top folder: "dicom", "nifti", "masks".
    """
    return store_files([path], kind=kind)[0]


def store_files(paths: Sequence[Path], *, kind: str, sha256s: Sequence[str] = ()) -> list[StoredFile]:
    """Each file is moved into the store as by `store_file`; who has hashed them says so and spares the disk.

    They are flushed, or sent, side by side: a disk answers with a few journal entries, in a tenth of the time.

    Raises: UnavailableError when the bucket refuses.
    """
    hashes = sha256s or [""] * len(paths)
    pairs = list(zip(paths, hashes, strict=True))
    if copies.bucket() is not None:
        return side_by_side(partial(_sent, kind=kind), pairs)
    stored = side_by_side(partial(_flushed, kind=kind), pairs)
    changed_folders: set[Path] = set()
    for path, file in zip(paths, stored, strict=True):
        target = _place_of(file.key)
        if not target.exists():
            changed_folders |= {*make_folders(target.parent), target.parent}
            path.chmod(0o440)
            path.replace(target)
    side_by_side(sync_folder, list(changed_folders))
    return stored


def _flushed(file: tuple[Path, str], *, kind: str) -> StoredFile:
    """The file's bytes are on the disk; what it will be called."""
    path, sha256 = file
    with path.open("rb") as opened:
        sha256 = sha256 or hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
        return _named(kind, sha256, os.fstat(opened.fileno()).st_size)


def _sent(file: tuple[Path, str], *, kind: str) -> StoredFile:
    """The bucket has the file's bytes under its hash, and this machine a copy."""
    path, sha256 = file
    if not sha256:
        with path.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    stored = _named(kind, sha256, path.stat().st_size)
    there = copies.bucket()
    if there is not None and there.size_of(stored.key) != stored.size_bytes:
        there.put(path, stored.key)
    copies.adopt(path, stored.key)
    return stored


def _named(kind: str, sha256: str, size_bytes: int) -> StoredFile:
    return StoredFile(key=f"{kind}/{sha256[:2]}/{sha256}", sha256=sha256, size_bytes=size_bytes)


def store_bytes(chunks: Iterable[bytes], *, kind: str) -> StoredFile:
    """The bytes are in the store under their hash."""
    with incoming_file() as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        return store_file(Path(file.name), kind=kind)


def stored_path(key: str) -> Path:
    """Where the bytes of a key lie on this machine; from a bucket they are fetched first.

    Raises: as `copies.copy_of` when there is a bucket.
    """
    return _place_of(key) if copies.bucket() is None else copies.copy_of(key)


def read_range(key: str, *, offset: int, count: int) -> bytes:
    """So many of the stored bytes, without fetching the others from a bucket.

    Raises: FileNotFoundError; UnavailableError when the bucket refuses.
    """
    there = copies.bucket()
    if there is not None and not copies.has_copy(key):
        return there.read_range(key, offset=offset, count=count)
    with stored_path(key).open("rb") as file:
        file.seek(offset)
        return file.read(count)


def read_whole(key: str) -> bytes:
    """All of the stored bytes. Raises: FileNotFoundError; as `copies.copy_of` when there is a bucket."""
    # A series is 60 files, and to make a path of each takes as long as to read it.
    place = f"{settings.STORAGE_DIR}/{key}" if copies.bucket() is None else copies.copy_of(key)
    with open(place, "rb", buffering=0) as file:  # noqa: PTH123  # as above
        return file.read()


def stored_size(key: str) -> int | None:
    """In bytes; None when nothing is stored under the key."""
    there = copies.bucket()
    if there is not None:
        return there.size_of(key)
    path = _place_of(key)
    return path.stat().st_size if path.is_file() else None


def hash_in(key: str) -> str:
    """The SHA-256 of the bytes, which the key ends in."""
    return key.rpartition("/")[2]


def put_waiting(path: Path, key: str) -> None:
    """The file waits under a key that is not its hash, until `remove_waiting`. `path` lies on the store's own disk."""
    there = copies.bucket()
    if there is not None:
        there.put(path, key)
        path.unlink()
        return
    make_folders(_place_of(key).parent)
    path.replace(_place_of(key))


def remove_waiting(folder: str) -> None:
    """All that waited under keys below the folder is gone."""
    there = copies.bucket()
    if there is None:
        shutil.rmtree(_place_of(folder), ignore_errors=True)
        return
    for one in there.below(f"{folder}/"):
        there.remove(one.key)
        copies.drop([one.key])


def waiting_folders(top: str, *, older_than_s: float) -> set[str]:
    """The folders directly below `top` to which nothing has come for so long."""
    newest: dict[str, float] = {}
    for folder, modified in _modified_below(top):
        newest[folder] = max(modified, newest.get(folder, 0.0))
    return {folder for folder, modified in newest.items() if modified < time.time() - older_than_s}


def _modified_below(top: str) -> Iterator[tuple[str, float]]:
    """Each folder directly below, and when one of its files came."""
    there = copies.bucket()
    if there is not None:
        for one in there.below(f"{top}/"):
            yield "/".join(one.key.split("/")[:2]), one.modified.timestamp()
        return
    for path in _place_of(top).glob("*"):
        with suppress(FileNotFoundError):  # its work has ended just now
            yield f"{top}/{path.name}", path.stat().st_mtime


def stored_keys(folder: str = "") -> Iterator[str]:
    """The keys of all that is stored, or of whatever is below the folder, in their order."""
    for key in _keys_below(folder):
        top, _, name = key.partition("/")
        if (folder or top not in NOT_STORED) and not (name or top).startswith(PROBE):
            yield key


def _keys_below(folder: str) -> Iterator[str]:
    there = copies.bucket()
    if there is not None:
        yield from (one.key for one in there.below(f"{folder}/" if folder else ""))
        return
    root = _place_of("")
    for path in sorted((root / folder).rglob("*")):
        if path.is_file():
            yield path.relative_to(root).as_posix()


def open_stored(key: str) -> BinaryIO:
    """The stored bytes, as they come. Raises: FileNotFoundError; UnavailableError when the bucket refuses."""
    there = copies.bucket()
    return _place_of(key).open("rb") if there is None else there.open_whole(key)


def probe() -> None:
    """The store has taken a file and given it up again.

    Raises: OSError, or UnavailableError when the bucket refuses.
    """
    path = Path(settings.STORAGE_DIR) / f"{PROBE}{secrets.token_hex(8)}"
    try:
        path.write_bytes(b"ready")
        there = copies.bucket()
        if there is not None:
            there.put(path, path.name)
            there.remove(path.name)
    finally:
        path.unlink(missing_ok=True)


def _place_of(key: str) -> Path:
    return Path(settings.STORAGE_DIR) / key
