"""Database and storage in one folder, and back, while the system runs (docs/decisions/0017-backups.md).

Stored files are written before the row that names them, are never changed, and lie aside for an hour when no row names
them any more. So the database comes first: whatever it names at its moment is in the storage then and later. What is
stored meanwhile comes along, named by no row; what no row named before stays out.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from plaqueview.core import copies, health
from plaqueview.core.aside import keys_aside, open_in_place_or_aside
from plaqueview.core.copies import BY_CONTENT
from plaqueview.core.errors import ConflictError, UnavailableError
from plaqueview.core.storage import stored_keys
from plaqueview.core.stored_keys import kept_among
from plaqueview.operations import manifest as manifests
from plaqueview.operations.database_copy import FILE_OF_VENDOR, copy_database, fill_database, require_empty_database
from plaqueview.operations.manifest import Manifest

STORAGE = "storage"
UPLOADS = "uploads"  # received and not yet read: they go at once when their work is done
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Backup:
    """`damaged` names stored files that are not what their name says: the disk has changed them."""

    manifest: Manifest
    damaged: tuple[str, ...]


def back_up(folder: Path) -> Backup:
    """The new folder holds the database and every stored file.

    Raises: ConflictError when `folder` exists, UnavailableError when a part refuses.
    """
    if folder.exists():
        raise ConflictError(f"{folder} exists; a backup is written into a new folder")
    health.require_migrations()
    folder.mkdir(mode=0o700, parents=True)
    sums: dict[str, str] = {}
    removed = keys_aside()
    _copy_into(folder, stored_keys(UPLOADS), sums)
    database = copy_database(folder)
    sums[database.name] = manifests.sha256_of(database)
    _copy_into(folder, stored_keys(), sums)
    _copy_into(folder, kept_among(removed) | keys_aside() - removed, sums)
    return _finish(folder, sums)


def restore(folder: Path) -> Manifest:
    """Database and storage are as the backup in `folder` says; both were empty before.

    Raises: InvalidError when the backup is damaged, ConflictError when it does not fit or something is there already,
    UnavailableError when a part refuses.
    """
    manifest = manifests.read_manifest(folder)
    manifests.require_fitting(manifest)
    require_empty_database()
    _require_empty_storage()
    manifests.require_undamaged(folder, manifest)
    for name, sha256 in manifests.sums_of(folder):
        if name.startswith(f"{STORAGE}/"):
            _put(folder / name, name.removeprefix(f"{STORAGE}/"), sha256)
    fill_database(folder / FILE_OF_VENDOR[manifest.vendor])  # last: without it nothing serves
    return manifest


def _finish(folder: Path, sums: dict[str, str]) -> Backup:
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))
    (folder / manifests.SUMS).write_text(lines, encoding="utf-8")
    size_bytes = sum((folder / name).stat().st_size for name in sums)
    manifest = manifests.write_manifest(folder, file_count=len(sums), size_bytes=size_bytes)
    return Backup(manifest, tuple(name for name, sha256 in sorted(sums.items()) if _is_not_its_name(name, sha256)))


def _copy_into(folder: Path, keys: Iterable[str], sums: dict[str, str]) -> None:
    """The files are in the backup, unless they are there already; one may go meanwhile that no row names any more.

    An upload's goes when it was read, a patient's an hour after they were erased.
    """
    for key in keys:
        name = f"{STORAGE}/{key}"
        if name in sums:
            continue
        try:
            with open_in_place_or_aside(key) as reader:
                sums[name] = _copy(reader, folder / name)
        except FileNotFoundError as error:
            if kept_among([key]):
                raise UnavailableError(f"the stored file {key} went away during the backup") from error


def _copy(reader: BinaryIO, target: Path) -> str:
    """What is read is in the new file `target`, which nobody writes; its SHA-256, reckoned from what was written."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("xb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
    target.chmod(0o440)
    return digest.hexdigest()


def _put(source: Path, key: str, sha256: str) -> None:
    """The file of the backup is stored under the key."""
    there = copies.bucket()
    if there is not None:
        there.put(source, key)
        return
    with source.open("rb") as reader:
        if _copy(reader, Path(settings.STORAGE_DIR) / key) != sha256:
            raise UnavailableError(f"{source} has changed since it was checked")


def _require_empty_storage() -> None:
    found = next(stored_keys(), None)
    if found is not None:
        place = settings.S3_BUCKET or settings.STORAGE_DIR
        raise ConflictError(f"the storage {place} holds {found}; a backup is restored into an empty one")


def _is_not_its_name(name: str, sha256: str) -> bool:
    match = BY_CONTENT.fullmatch(name.removeprefix(f"{STORAGE}/"))
    return match is not None and match["sha256"] != sha256
