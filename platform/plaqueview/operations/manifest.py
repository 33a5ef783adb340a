"""What a backup holds: `manifest.json` of whom it is, `SHA256SUMS` of every file, as `sha256sum --check` reads it.

The manifest is written last, so that a folder without one is no finished backup; it names the hash of the sums.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from plaqueview import __version__
from plaqueview.core.errors import ConflictError, InvalidError

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"


@dataclass(frozen=True)
class Manifest:
    """`migrations` is the hash of the names of all that the version has; `made_at` is ISO 8601."""

    format: int
    version: str
    vendor: str
    migrations: str
    made_at: str
    file_count: int
    size_bytes: int
    sums_sha256: str


def write_manifest(folder: Path, *, file_count: int, size_bytes: int) -> Manifest:
    """The backup in `folder` is finished."""
    manifest = Manifest(
        format=FORMAT,
        version=__version__,
        vendor=connection.vendor,
        migrations=known_migrations(),
        made_at=timezone.now().isoformat(timespec="seconds"),
        file_count=file_count,
        size_bytes=size_bytes,
        sums_sha256=sha256_of(folder / SUMS),
    )
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Raises: InvalidError when `folder` holds no finished backup that this version reads."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InvalidError(f"{folder} holds no {MANIFEST}, so it is no finished backup")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        found = fields.get("format")
        if found != FORMAT:
            raise InvalidError(f"the backup has the format {found}, this version reads {FORMAT}")
        return Manifest(**fields)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from error


def require_fitting(manifest: Manifest) -> None:
    """Raises: ConflictError when the backup is of another version, or of another kind of database."""
    if manifest.version != __version__ or manifest.migrations != known_migrations():
        raise ConflictError(
            f"the backup is of PlaqueView {manifest.version} with its tables of then, this is {__version__}: "
            "restore with the version that made it, then upgrade"
        )
    if manifest.vendor != connection.vendor:
        raise ConflictError(f"the backup is of {manifest.vendor}, PLAQUEVIEW_DATABASE_URL names {connection.vendor}")


def require_undamaged(folder: Path, manifest: Manifest) -> None:
    """Raises: InvalidError when a file of the backup is missing or not as it was written."""
    if not (folder / SUMS).is_file() or sha256_of(folder / SUMS) != manifest.sums_sha256:
        raise InvalidError(f"the backup is damaged: {SUMS} is not as it was written")
    damaged = [name for name, sha256 in sums_of(folder) if _is_damaged(folder / name, sha256)]
    if damaged:
        raise InvalidError(f"the backup is damaged: {len(damaged)} files are missing or changed, {damaged[0]} first")


def sums_of(folder: Path) -> Iterator[tuple[str, str]]:
    """(path below `folder`, SHA-256) of every file of the backup."""
    with (folder / SUMS).open(encoding="utf-8") as lines:
        for line in lines:
            sha256, _, name = line.rstrip("\n").partition("  ")
            yield name, sha256


def known_migrations() -> str:
    """The hash of the names of the migrations that this version has."""
    names = sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_damaged(path: Path, sha256: str) -> bool:
    return not path.is_file() or sha256_of(path) != sha256
