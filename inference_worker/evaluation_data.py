"""Labelled studies as they are evaluated: on the source grid, with the ventricles where an expert marked them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.dataset import DatasetError, StudyFiles, find_studies, read_pair
from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation

VENTRICLES_NAME = "ventricles.nii.gz"


@dataclass(frozen=True, eq=False)
class EvaluationStudy:
    """A study with its axes in axial order; `labels` of `labels.POSSIBLE_CLASSES`, `ventricles` on the same grid."""

    name: str
    patient: str
    flair: Volume
    labels: NDArray[np.uint8]
    ventricles: NDArray[np.bool_] | None

    @property
    def chosen_slice(self) -> int:
        """The slice with most true plaque, for figures; the middle one where there is none."""
        areas = np.count_nonzero(self.labels, axis=(1, 2))
        return int(np.argmax(areas)) if areas.any() else len(areas) // 2


def read_study(files: StudyFiles) -> EvaluationStudy:
    """Raises: DatasetError when labels or ventricles lie elsewhere than the FLAIR."""
    flair, labels = read_pair(files)
    path = (files.flair if files.flair.is_dir() else files.flair.parent) / VENTRICLES_NAME
    ventricles = read_mask(path, flair) if path.is_file() else None
    return EvaluationStudy(files.name, files.patient, flair, labels.voxels, ventricles)


def read_mask(path: Path, grid: Volume) -> NDArray[np.bool_]:
    """A mask on an axial grid, whatever its own axis order.

    Raises: DatasetError when it does not lie there.
    """
    volume = read_volume_nifti(path)
    mask = axial_reorientation(volume.affine).apply_to(volume)
    if not mask.lies_on(grid):
        raise DatasetError(f"mask {path.parent.name}/{path.name} of shape {mask.shape} lies elsewhere than the FLAIR")
    return np.asarray(mask.voxels > 0)


def choose_studies(folder: Path, patients: Sequence[str]) -> list[StudyFiles]:
    """The studies of the named patients, or of all where none is named.

    Raises: DatasetError when a named patient is not in the folder.
    """
    studies = find_studies(folder)
    if missing := set(patients) - {study.patient for study in studies}:
        raise DatasetError(f"patients {sorted(missing)} are not in {folder.name}")
    return [study for study in studies if not patients or study.patient in patients]
