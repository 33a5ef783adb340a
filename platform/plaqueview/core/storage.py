"""Files by content: bytes are written once, named by their hash, and never changed.

A file is first written beside its place, flushed to the disk, and then renamed, so that a reader never sees half of one
and a power cut never leaves one.
"""

import hashlib
import itertools
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from django.conf import settings

from plaqueview.core.errors import UnavailableError

CHUNK_BYTES = 1024 * 1024
FLUSHING_THREADS = 8

Flushed = TypeVar("Flushed")
Result = TypeVar("Result")


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
    _make_folders(folder)
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
    _make_folders(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def require_free_space(size_bytes: int) -> None:
    """Raises: UnavailableError when storing the bytes would eat into the disk reserve."""
    _make_folders(settings.STORAGE_DIR)
    free_bytes = shutil.disk_usage(settings.STORAGE_DIR).free
    needed_bytes = size_bytes + settings.DISK_RESERVE_BYTES
    if free_bytes < needed_bytes:
        raise UnavailableError(f"the storage disk has {free_bytes} bytes free, needs {needed_bytes}")


def store_file(path: Path, *, kind: str) -> StoredFile:
    """The file is moved into the store under its hash; the same bytes stored before are kept as they are.

    `path` must lie on the store's own disk. `kind` is the top folder: "dicom", "nifti", "masks".
    """
    return store_files([path], kind=kind)[0]


def store_files(paths: Sequence[Path], *, kind: str, sha256s: Sequence[str] = ()) -> list[StoredFile]:
    """Each file is moved into the store as by `store_file`; who has hashed them says so and spares the disk.

    They are flushed side by side, which the disk answers with a few journal entries: a tenth of the time of one by one.
    """
    hashes = sha256s or [""] * len(paths)
    stored = _side_by_side(partial(_flushed, kind=kind), list(zip(paths, hashes, strict=True)))
    changed_folders: set[Path] = set()
    for path, file in zip(paths, stored, strict=True):
        target = stored_path(file.key)
        if not target.exists():
            changed_folders |= {*_make_folders(target.parent), target.parent}
            path.chmod(0o440)
            path.replace(target)
    _side_by_side(_sync_folder, list(changed_folders))
    return stored


def _side_by_side(flush: Callable[[Flushed], Result], things: Sequence[Flushed]) -> list[Result]:
    """In order; a thread takes its share as a whole, for to hand a thing over costs more than to write it."""
    size = math.ceil(len(things) / FLUSHING_THREADS)
    shares = [things[at : at + size] for at in range(0, len(things), size or 1)]
    if len(shares) < 2:
        return [flush(one) for one in things]
    with ThreadPoolExecutor(len(shares)) as threads:
        done = threads.map(lambda share: [flush(one) for one in share], shares)
        return list(itertools.chain.from_iterable(done))


def _flushed(file: tuple[Path, str], *, kind: str) -> StoredFile:
    """The file's bytes are on the disk; what it will be called."""
    path, sha256 = file
    with path.open("rb") as opened:
        sha256 = sha256 or hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
        size_bytes = os.fstat(opened.fileno()).st_size
    return StoredFile(key=f"{kind}/{sha256[:2]}/{sha256}", sha256=sha256, size_bytes=size_bytes)


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


def forget_incoming(*, older_than_s: float) -> int:
    """What processes left behind when they were killed is gone; returns how many files and folders that were."""
    deadline = time.time() - older_than_s
    folder = Path(settings.STORAGE_DIR) / "incoming"
    left = [path for path in folder.iterdir() if path.stat().st_mtime < deadline] if folder.is_dir() else []
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def set_aside(key: str) -> None:
    """The bytes are out of their place, though not yet gone: `settle_set_aside` decides."""
    source, target = stored_path(key), _aside(key)
    _make_folders(target.parent)
    if source.exists():
        source.replace(target)
        os.utime(target)


def settle_set_aside(*, wanted_among: Callable[[Collection[str]], Collection[str]], older_than_s: float) -> int:
    """What was set aside so long ago is gone, or in its place again if it is wanted; returns how many files are gone.

    Whoever stored the same bytes before they were set aside, and has committed since, gets them back here.
    """
    root, deadline, gone = _aside(""), time.time() - older_than_s, 0
    old = [path for path in root.rglob("*") if path.is_file() and path.stat().st_mtime < deadline]
    paths = {path.relative_to(root).as_posix(): path for path in old}
    wanted = wanted_among(paths)
    for key, path in paths.items():
        if key in wanted and not stored_path(key).exists():
            _make_folders(stored_path(key).parent)
            path.replace(stored_path(key))
        else:
            path.unlink()
            gone += 1
    return gone


def _aside(key: str) -> Path:
    return Path(settings.STORAGE_DIR) / "removed" / key


def _make_folders(folder: Path) -> list[Path]:
    """The folder exists, open to its owner only; returns those that gained an entry, which must reach the disk too."""
    missing = list(itertools.takewhile(lambda path: not path.is_dir(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(exist_ok=True, mode=0o700)
    return [path.parent for path in missing]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
