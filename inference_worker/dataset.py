"""Studies with labels on disk to cached training slices, always kept together by patient.

A study is a folder that holds `flair.nii.gz` and either `labels.nii.gz` (0 background, 1 inactive, 2 active, 3 plaque
without class, or the paper's 0/127/255) or `lesion.nii.gz` (a mask of plaques without class), or it is one
of `imaging.png_pairs`. Its patient is the first folder under the root, so that two visits never end up on the two sides
of a split.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.labels import POSSIBLE_CLASSES, LabelError, from_classes, from_plaque_mask
from inference_worker.preprocessing import Prepared, Preprocessing, PreprocessingError
from plaqueview.imaging.nifti import NiftiError, read_volume_nifti
from plaqueview.imaging.png_pairs import SPACING_NAME, PngPairsError, read_png_pairs
from plaqueview.imaging.volume import Volume, axial_reorientation

FLAIR_NAME = "flair.nii.gz"
CLASSES_NAME = "labels.nii.gz"
PLAQUES_NAME = "lesion.nii.gz"
CACHE_FORMAT = 2  # with slice_mm


class DatasetError(ValueError):
    """A folder of studies that cannot be used for training."""


@contextmanager
def named(study: str) -> Iterator[None]:
    """A refusal inside says of which study it is: the files of all studies have the same names."""
    try:
        yield
    except (LabelError, NiftiError, PngPairsError, PreprocessingError) as error:
        raise type(error)(f"study {study}: {error}") from error


@dataclass(frozen=True)
class StudyFiles:
    """`flair` and `labels` are NIfTI files, or both the folder of PNG pairs."""

    patient: str
    name: str
    flair: Path
    labels: Path


@dataclass(frozen=True, eq=False)
class LabelledStudy:
    """A study as the network sees it: `slices` (n, 256, 256) uint8 0..255, `labels` the same shape, of `labels.py`.

    `slice_mm` is from the middle of one slice to that of the next.
    """

    patient: str
    name: str
    slices: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    slice_mm: float

    @cached_property
    def plaque_slices(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.labels.any(axis=(1, 2)))

    @cached_property
    def brain_slices(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.slices.any(axis=(1, 2)))


def find_studies(root: Path) -> list[StudyFiles]:
    """Every study under the folder, in order of name.

    Raises: DatasetError when there is none, or one has no labels.
    """
    found = sorted([*root.rglob(FLAIR_NAME), *root.rglob(SPACING_NAME)])
    if not found:
        raise DatasetError(f"folder {root.name} holds no {FLAIR_NAME} and no {SPACING_NAME}, need at least 1")
    return [_study_files(root, path) for path in found]


def _study_files(root: Path, flair: Path) -> StudyFiles:
    parts = flair.parent.relative_to(root).parts or (root.name,)
    if flair.name == SPACING_NAME:
        return StudyFiles(parts[0], "/".join(parts), flair.parent, flair.parent)
    for name in (CLASSES_NAME, PLAQUES_NAME):
        if (flair.parent / name).is_file():
            return StudyFiles(parts[0], "/".join(parts), flair, flair.parent / name)
    raise DatasetError(f"study {'/'.join(parts)} has no labels, need {CLASSES_NAME} or {PLAQUES_NAME}")


def read_labels(path: Path) -> Volume:
    """The labels of a study as uint8 of `labels.POSSIBLE_CLASSES`, on the file's own grid."""
    volume = read_volume_nifti(path)
    return volume.with_voxels((from_classes if path.name == CLASSES_NAME else from_plaque_mask)(volume.voxels))


def read_pair(files: StudyFiles) -> tuple[Volume, Volume]:
    """The FLAIR volume and its labels, both with their axes brought to axial order.

    Raises: DatasetError when they do not lie on one grid.
    """
    if files.flair.is_dir():
        flair, greys = read_png_pairs(files.flair)
        return flair, greys.with_voxels(from_classes(greys.voxels))
    flair, labels = read_volume_nifti(files.flair), read_labels(files.labels)
    reorientation = axial_reorientation(flair.affine)
    flair, labels = reorientation.apply_to(flair), _reoriented(labels)
    if not flair.lies_on(labels):
        raise DatasetError(f"study {files.name}: labels of shape {labels.shape} lie elsewhere than FLAIR {flair.shape}")
    return flair, labels


def _reoriented(volume: Volume) -> Volume:
    return axial_reorientation(volume.affine).apply_to(volume)


def prepare_study(files: StudyFiles, preprocessing: Preprocessing) -> LabelledStudy:
    """Reads and preprocesses one study; labels take the class that fills most of each pixel of the network's grid."""
    flair, labels = read_pair(files)
    prepared = preprocessing.prepare(flair)
    slices = np.rint(prepared.slices * 255.0).astype(np.uint8)
    squares = labels_on_network_grid(labels.voxels, prepared)
    return LabelledStudy(files.patient, files.name, slices, squares, flair.spacing_mm[0])


def labels_on_network_grid(labels: NDArray[np.uint8], prepared: Prepared) -> NDArray[np.uint8]:
    """(slices, rows, columns) labels as (n, 256, 256) uint8: where plaques fill half of a pixel, the largest class."""
    plaque = prepared.window.square((labels > 0).astype(np.float32)) >= 0.5
    shares = [prepared.window.square((labels == label).astype(np.float32)) for label in POSSIBLE_CLASSES if label > 0]
    largest = np.argmax(np.stack(shares), axis=0).astype(np.uint8) + np.uint8(1)
    return np.where(plaque, largest, 0).astype(np.uint8)


def load_studies(studies: Iterable[StudyFiles], preprocessing: Preprocessing, *, cache: Path) -> list[LabelledStudy]:
    """The studies, preprocessed once and kept in `cache` under the hash of everything that decides them."""
    cache.mkdir(parents=True, exist_ok=True)
    return [_load_study(files, preprocessing, cache) for files in studies]


def _load_study(files: StudyFiles, preprocessing: Preprocessing, cache: Path) -> LabelledStudy:
    path = cache / f"{_cache_key(files, preprocessing)}.npz"
    if not path.is_file():
        study = prepare_study(files, preprocessing)
        with (partial := path.with_suffix(f".{os.getpid()}.partial")).open("wb") as stream:
            np.savez_compressed(stream, slices=study.slices, labels=study.labels, slice_mm=study.slice_mm)
        partial.replace(path)
    with np.load(path, allow_pickle=False) as arrays:
        slice_mm = float(arrays["slice_mm"])
        return LabelledStudy(files.patient, files.name, arrays["slices"], arrays["labels"], slice_mm)


def _cache_key(files: StudyFiles, preprocessing: Preprocessing) -> str:
    digest = hashlib.sha256(f"{CACHE_FORMAT} {preprocessing!r}".encode())
    for path in _all_files(files):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _all_files(files: StudyFiles) -> list[Path]:
    return sorted(files.flair.iterdir()) if files.flair.is_dir() else [files.flair, files.labels]


def patient_folds(patients: Sequence[str], *, fold_count: int, seed: int) -> list[list[str]]:
    """The patients in `fold_count` disjoint groups whose sizes differ by one at most, the same for the same seed.

    Raises: DatasetError when there are fewer patients than folds.
    """
    names = sorted(set(patients))
    if len(names) < fold_count:
        raise DatasetError(f"{len(names)} patients cannot make {fold_count} folds, need one patient a fold at least")
    order = np.random.default_rng(seed).permutation(len(names))
    return [sorted(names[index] for index in order[fold::fold_count]) for fold in range(fold_count)]


def split_by_patient(
    studies: Iterable[LabelledStudy], held_out: Sequence[str]
) -> tuple[list[LabelledStudy], list[LabelledStudy]]:
    """The studies of all other patients, and those of the patients held out.

    Raises: DatasetError when a patient to hold out is not there.
    """
    studies = list(studies)
    if missing := set(held_out) - {study.patient for study in studies}:
        raise DatasetError(f"patients {sorted(missing)} to hold out are not among the studies")
    kept = [study for study in studies if study.patient not in held_out]
    return kept, [study for study in studies if study.patient in held_out]
