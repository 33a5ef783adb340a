"""Copies on this machine of what lies in the bucket.

Bytes are named by their hash and never change, so a copy is never stale: it may be used for as long as it is here, and
go at any time. Each process looks through them now and then, since the machine that erases a patient is not the only
one that had the bytes.
"""

import hashlib
import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, cast

from django.conf import settings
from django.core.files.storage import storages

from plaqueview.core.disk import forget_incoming, incoming, make_folders
from plaqueview.core.errors import UnavailableError
from plaqueview.core.object_store import ObjectStore

logger = logging.getLogger(__name__)

FOLDER: Final = "copies"
REMOVED: Final = "removed"
BY_CONTENT: Final = re.compile(r"\w+/[0-9a-f]{2}/(?P<sha256>[0-9a-f]{64})")
# Well within the hour for which removed bytes are set aside, so that every copy goes before they do.
LOOKED_THROUGH_EVERY_S: Final = 600.0
# Who was told where a copy lies has opened it by then.
IN_USE_FOR_S: Final = 3600.0
INCOMING_KEPT_FOR_S: Final = 24 * 3600.0


def bucket() -> ObjectStore | None:
    """Where the stored bytes are; None where they lie in the storage directory itself."""
    return cast(ObjectStore, storages["default"]) if settings.S3_BUCKET else None


def copy_of(key: str) -> Path:
    """Where the copy lies, fetched unless it was there.

    Raises: FileNotFoundError when the bucket has no such object, UnavailableError when it refuses or has changed it.
    """
    path = _place_of(key)
    try:
        os.utime(path)
    except FileNotFoundError:
        _fetch(key)
    _look_through_now_and_then()
    return path


def has_copy(key: str) -> bool:
    return _place_of(key).is_file()


def adopt(path: Path, key: str) -> None:
    """The file, which the bucket has too, is the copy."""
    target = _place_of(key)
    make_folders(target.parent)
    path.chmod(0o440)
    path.replace(target)
    _look_through_now_and_then()


def drop(keys: Iterable[str]) -> None:
    for key in keys:
        _place_of(key).unlink(missing_ok=True)


def make_room(needed_bytes: int) -> None:
    """Copies are gone until so many bytes are free on their disk, those first that were used least lately."""
    if _has_room(needed_bytes):
        return
    deadline = time.time() - IN_USE_FOR_S
    for used_at, path in sorted(_all()):
        if used_at > deadline or _has_room(needed_bytes):
            return
        path.unlink(missing_ok=True)


def _has_room(needed_bytes: int) -> bool:
    return shutil.disk_usage(settings.STORAGE_DIR).free >= needed_bytes


def look_through() -> None:
    """Copies that nobody used for long, and those of bytes that were removed, are gone."""
    deadline = time.time() - settings.S3_COPIES_KEPT_S
    for used_at, path in _all():
        if used_at < deadline:
            path.unlink(missing_ok=True)
    there = bucket()
    if there is not None:
        drop(one.key.removeprefix(f"{REMOVED}/") for one in there.below(f"{REMOVED}/"))
    forget_incoming(older_than_s=INCOMING_KEPT_FOR_S)


def _fetch(key: str) -> None:
    there = cast(ObjectStore, bucket())
    part = incoming() / secrets.token_hex(16)
    make_folders(part.parent)
    try:
        with part.open("xb") as file:
            there.fetch(key, file)
        _require_same_hash(key, part)
        adopt(part, key)
    finally:
        part.unlink(missing_ok=True)


def _require_same_hash(key: str, path: Path) -> None:
    named = BY_CONTENT.fullmatch(key)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if named and found != named["sha256"]:
        raise UnavailableError(f"the storage bucket has changed {key}: its bytes are not those of its name")


def _place_of(key: str) -> Path:
    return Path(settings.STORAGE_DIR) / FOLDER / key


def _all() -> Iterator[tuple[float, Path]]:
    """When each was last used, and where it is."""
    for path in (Path(settings.STORAGE_DIR) / FOLDER).rglob("*"):
        try:
            if path.is_file():
                yield path.stat().st_mtime, path
        except FileNotFoundError:
            continue  # another process was there first


@cache
def _look_through_now_and_then() -> None:
    """A thread of this process does, from the first copy on."""
    threading.Thread(target=_keep_looking, name="copies", daemon=True).start()


def _keep_looking() -> None:
    while True:
        time.sleep(LOOKED_THROUGH_EVERY_S)
        try:
            look_through()
        except (OSError, UnavailableError) as error:
            logger.warning("the copies of stored files were not looked through: %s", type(error).__name__)
