"""A snapshot as one zip for other tools: NIfTI pairs, the source paper's PNG pairs, and tables."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaqueview.accounts.models import User
from plaqueview.core.csv_file import csv_bytes
from plaqueview.core.storage import CHUNK_BYTES, stored_path
from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.windowing import apply_window, percentile_window
from plaqueview.training.manifest import manifest_bytes, manifest_of
from plaqueview.training.models import SnapshotStudy
from plaqueview.training.snapshots import read_snapshot, require_ready

# The source paper has 0, 127 and 255 and no plaque without class; 64 is ours.
GREY_OF_LABEL: Final = np.array([0, 127, 255, 64], np.uint8)
STUDY_COLUMNS: Final = ("patient", "study", "side", "scanner", "slices", "image_sha256")
LESION_COLUMNS: Final = ("number", "lesion_class", "source", "voxel_count", "volume_ml")
ABOUT: Final = """A de-identified snapshot of approved annotations, made by PlaqueView. Research use only.

PATIENT/STUDY/flair.nii.gz    the series as acquired; its voxels may show a face
PATIENT/STUDY/labels.nii.gz   0 background, 1 inactive, 2 active, 3 plaque whose class nobody confirmed
PATIENT/STUDY/png/            a pair of pictures a slice: flair (8 bits, by percentiles), labels 0/127/255, 64 for a
                              plaque without class
studies.csv, lesions.csv      one row each; manifest.json: the rules, and the SHA-256 of every NIfTI file

Patients and studies bear pseudonyms. A patient is on one side only: train, validation or test.
"""


def export_snapshot(*, snapshot_id: UUID, actor: User) -> Iterator[bytes]:
    """The zip, piece by piece as it is taken; the export is on record.

    The pictures are drawn on the way, a study at a time: what then cannot be read ends the zip before its directory,
    without which nobody takes it for a whole one.

    Raises: DeniedError, NotFoundError; ConflictError when the snapshot is not ready.
    """
    snapshot = read_snapshot(snapshot_id=snapshot_id, actor=actor, part="export")
    require_ready(snapshot)
    rows = list(SnapshotStudy.objects.filter(snapshot=snapshot))
    included = [row for row in rows if not row.exclusion]
    tables = {
        "README.txt": ABOUT.encode(),
        "manifest.json": manifest_bytes(manifest_of(snapshot, rows)),
        "studies.csv": _studies_csv(included),
        "lesions.csv": _lesions_csv(included),
    }
    return _zipped(tables, included)


class _Outlet:
    """What a zip is written to, and taken from meanwhile."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, content: bytes) -> int:
        self._waiting += content
        return len(content)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        content, self._waiting = bytes(self._waiting), bytearray()
        return content


def _zipped(tables: Mapping[str, bytes], rows: Iterable[SnapshotStudy]) -> Iterator[bytes]:
    outlet = _Outlet()
    archive = zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED)  # its members are compressed already
    for name, content in tables.items():
        archive.writestr(name, content)
    yield outlet.taken()
    for row in rows:
        for _ in _add_study(archive, row):
            yield outlet.taken()
    archive.close()  # only here: what breaks off gets no directory
    yield outlet.taken()


def _add_study(archive: zipfile.ZipFile, row: SnapshotStudy) -> Iterator[None]:
    """Some more of the study is in the archive, each time."""
    folder = PurePosixPath(row.patient, row.study)
    flair_path, labels_path = stored_path(row.flair_key), stored_path(row.labels_key)
    yield from _add_file(archive, str(folder / "flair.nii.gz"), flair_path)
    yield from _add_file(archive, str(folder / "labels.nii.gz"), labels_path)
    flair, labels = read_volume_nifti(flair_path).voxels, read_volume_nifti(labels_path).voxels
    grey = apply_window(flair, percentile_window(flair))
    for index, (image, mask) in enumerate(zip(grey, GREY_OF_LABEL[labels], strict=True)):
        archive.writestr(str(folder / "png" / f"{index:03}-flair.png"), _png(image))
        archive.writestr(str(folder / "png" / f"{index:03}-labels.png"), _png(mask))
        yield


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[None]:
    with path.open("rb") as source, archive.open(zipfile.ZipInfo.from_file(path, name), "w") as member:
        while content := source.read(CHUNK_BYTES):
            member.write(content)
            yield


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _studies_csv(rows: Iterable[SnapshotStudy]) -> bytes:
    return csv_bytes(STUDY_COLUMNS, ({name: getattr(row, name) for name in STUDY_COLUMNS} for row in rows))


def _lesions_csv(rows: Iterable[SnapshotStudy]) -> bytes:
    return csv_bytes(
        ("patient", "study", *LESION_COLUMNS), (_lesion_line(row, lesion) for row in rows for lesion in row.lesions)
    )


def _lesion_line(row: SnapshotStudy, lesion: Mapping[str, object]) -> dict[str, object]:
    return {"patient": row.patient, "study": row.study, **{name: lesion[name] for name in LESION_COLUMNS}}
