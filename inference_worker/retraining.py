"""What a retraining has learned becomes a candidate, without the platform: it is exported, and tried.

The edge, `training_tasks.py`, says where the files lie; `learning.py` is what came before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference_worker.checkpoint import (
    CheckpointError,
    Parity,
    WeightsIdentity,
    export_onnx,
    file_sha256,
    load_weights,
    save_weights,
)
from inference_worker.dataset import StudyFiles, read_pair
from inference_worker.evaluation import StudyFigures, evaluate_study, found_by_size
from inference_worker.memory import peak_bytes_of
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import PreprocessingError
from inference_worker.run_state import TrainingError
from plaqueview.imaging.lesion_class import LesionClass


@dataclass(frozen=True)
class Candidate:
    """The files that a run has made, and what they say of themselves."""

    onnx: Path
    safetensors: Path
    sha256: str
    identity: WeightsIdentity
    parity: Parity


def export_candidate(best: Path, *, version: str, folder: Path) -> Candidate:
    """The best weights under their version, and the graph that inference runs, at parity with them.

    Raises: CheckpointError.
    """
    network, identity = load_weights(best)
    identity = replace(identity, version=version)
    safetensors, onnx = folder / "candidate.safetensors", folder / "candidate.onnx"
    save_weights(safetensors, network, identity)
    parity = export_onnx(onnx, network, identity)
    return Candidate(onnx, safetensors, file_sha256(onnx), identity, parity)


@dataclass(frozen=True)
class ReadStudy:
    """One model on one test study: its figures, the lesions that it names active, and the seconds of the network.

    `seconds` are on the wall, `processor_seconds` of all threads, which a busy machine does not lengthen.
    `found_by_size` is the share of the true lesions of each size that it finds. `peak_memory_bytes` is of a process
    that does nothing else; None of all studies but the largest, and where it was not measured.
    """

    figures: StudyFigures
    active_count: int
    seconds: float
    processor_seconds: float
    found_by_size: Mapping[str, float]
    voxel_count: int
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class Tried:
    """Both models on one test study."""

    files: StudyFiles
    candidate: ReadStudy
    champion: ReadStudy


def try_both(
    candidate: Segmenter, champion: Segmenter, studies: Sequence[StudyFiles], *, on_study: Callable[[], None]
) -> tuple[list[Tried], list[str]]:
    """Both models on every test study, one after the other on each, and what could not be tried.

    They take turns at going first, for who goes second finds the study and its pages warm.

    Raises: TrainingError when none could be tried.
    """
    tried, left_out = [], []
    for at, files in enumerate(studies):
        on_study()
        try:
            tried.append(_tried_in_turn(candidate, champion, files, is_candidate_first=at % 2 == 0))
        except PreprocessingError as error:
            left_out.append(f"{files.name} is left out of the test: {error}")
    if not tried:
        raise TrainingError(f"no study on the side test could be read: {'; '.join(left_out)[:300]}")
    largest = max(range(len(tried)), key=lambda at: tried[at].candidate.voxel_count)
    tried[largest] = _with_memory(tried[largest], candidate, champion)
    return tried, left_out


def _tried_in_turn(candidate: Segmenter, champion: Segmenter, files: StudyFiles, *, is_candidate_first: bool) -> Tried:
    if is_candidate_first:
        return Tried(files, candidate=_tried(candidate, files), champion=_tried(champion, files))
    return Tried(files, champion=_tried(champion, files), candidate=_tried(candidate, files))


def _with_memory(tried: Tried, candidate: Segmenter, champion: Segmenter) -> Tried:
    return replace(
        tried,
        candidate=replace(tried.candidate, peak_memory_bytes=_peak_bytes(candidate, tried.files)),
        champion=replace(tried.champion, peak_memory_bytes=_peak_bytes(champion, tried.files)),
    )


def _peak_bytes(segmenter: Segmenter, files: StudyFiles) -> int | None:
    return None if segmenter.weights is None else peak_bytes_of(segmenter.weights, files.flair)


def _tried(segmenter: Segmenter, files: StudyFiles) -> ReadStudy:
    flair, labels = read_pair(files)
    found = segmenter.segment(flair)
    figures = evaluate_study(files.name, found, labels.voxels, patient=files.patient)
    by_size = found_by_size(found.labels.voxels > 0, labels.with_voxels((labels.voxels > 0).astype(np.uint8)))
    active_count = found.lesions.counts()[LesionClass.ACTIVE]
    return ReadStudy(
        figures=figures,
        active_count=active_count,
        seconds=found.seconds["network"],
        processor_seconds=found.processor_seconds["network"],
        found_by_size=by_size,
        voxel_count=flair.voxels.size,
    )


def link_studies(folder: Path, places: Mapping[str, tuple[Path, Path]]) -> dict[str, StudyFiles]:
    """By PATIENT/STUDY, the files under the names that `dataset.py` reads; the stored ones stay where they are."""
    linked = {}
    for name, (flair, labels) in places.items():
        study = folder / name
        study.mkdir(parents=True, exist_ok=True)
        files = StudyFiles(name.split("/")[0], name, study / "flair.nii.gz", study / "labels.nii.gz")
        for link, target in ((files.flair, flair), (files.labels, labels)):
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        linked[name] = files
    return linked


RETRAINING_ERRORS = (TrainingError, CheckpointError)
