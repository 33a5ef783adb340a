"""A FLAIR series from disk, as a NIfTI file or a folder of DICOM instances, and volumes back onto its grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from plaqueview.imaging.dicom_read import read_volume
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.imaging.volume import Volume

DIRECTORY_NAME = "DICOMDIR"  # an index of the folder, not an instance (PS3.10 8.6)


class FlairInputError(ValueError):
    """The path holds no series."""


@dataclass(frozen=True, eq=False)
class FlairInput:
    """A series as it was read; `nifti` is its file where it was one."""

    volume: Volume
    nifti: Path | None

    def write(self, path: Path, voxels: NDArray[Any]) -> None:  # Any: labels, masks and probabilities
        """Writes voxels on the series' own grid as NIfTI, with a NIfTI input's own affine, bit by bit."""
        write_volume_nifti(path, self.volume.with_voxels(voxels), header_of=self.nifti)


def read_flair(path: Path) -> FlairInput:
    """The series at a path.

    Raises: FlairInputError when there is nothing, or a file of the folder is not DICOM; NiftiError and SeriesReadError
    when what is there is not one volume.
    """
    if path.is_file():
        return FlairInput(read_volume_nifti(path), path)
    if not path.is_dir():
        raise FlairInputError(f"input {path.name} does not exist, need a NIfTI file or a folder with one DICOM series")
    datasets = [_read_instance(file) for file in _instance_files(path)]
    if not datasets:
        raise FlairInputError(f"folder {path.name} holds no files, need one DICOM series")
    return FlairInput(read_volume(datasets).volume, None)


def _instance_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and file.name != DIRECTORY_NAME:
            yield file


def _read_instance(file: Path) -> Any:  # Any: pydicom's Dataset and FileDataset
    try:
        return dcmread(file)
    except InvalidDicomError as error:
        raise FlairInputError(f"file {file.name} is not DICOM, need a folder with nothing but one series") from error
