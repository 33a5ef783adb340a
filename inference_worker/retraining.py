"""A retraining from start to candidate, without the platform: the network learns, is exported, and is tried.

The edge, `training_tasks.py`, says where the files lie and hears of every step. What a killed process left in the
folder of the run is where the next one goes on: `training.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from inference_worker.batches import Source
from inference_worker.checkpoint import (
    CheckpointError,
    Parity,
    WeightsIdentity,
    export_onnx,
    file_sha256,
    load_weights,
    save_weights,
)
from inference_worker.config import NetworkConfig, TrainingConfig
from inference_worker.dataset import LabelledStudy, StudyFiles, load_studies, read_pair
from inference_worker.distributed import Group
from inference_worker.evaluation import StudyFigures, evaluate_study, found_by_size
from inference_worker.memory import peak_bytes_of
from inference_worker.networks import build_network, encoder_of
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from inference_worker.pretrained import imagenet_state
from inference_worker.run_state import TrainingError
from inference_worker.training import Progress, Run
from plaqueview.imaging.lesions import LesionClass

BEST_NAME: Final = "best.safetensors"
LONGEST_WARM_UP: Final = 50
LONGEST_AVERAGE: Final = 0.99


@dataclass(frozen=True, eq=False)
class Material:
    """What a run learns from and is watched on; `left_out` are sentences about studies that could not be prepared."""

    train: tuple[LabelledStudy, ...]
    validation: tuple[LabelledStudy, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """The files that a run has made, and what they say of themselves."""

    onnx: Path
    safetensors: Path
    sha256: str
    identity: WeightsIdentity
    parity: Parity


class OutOfTimeError(RuntimeError):
    """The minutes of the recipe are over; the best weights so far are taken."""


def config_of(*, steps: int, batch_size: int, learning_rate: float, validate_every: int, seed: int) -> TrainingConfig:
    """The worker's own recipe with these values; warm-up and average are a tenth of the run when it is short."""
    return TrainingConfig(
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        validate_every=min(validate_every, steps),
        seed=seed,
        warm_up_steps=min(LONGEST_WARM_UP, steps // 10),
        average_decay=min(LONGEST_AVERAGE, 1.0 - 10.0 / max(10, steps)),
    )


def load_material(train: Sequence[StudyFiles], validation: Sequence[StudyFiles], *, cache: Path) -> Material:
    """Every study prepared, once; one that cannot be is left out and named.

    Raises: TrainingError when nothing is left on a side.
    """
    left_out: list[str] = []
    learned, watched = (tuple(_prepared(files, cache, left_out)) for files in (train, validation))
    for name, studies in (("train", learned), ("validation", watched)):
        if not studies:
            raise TrainingError(f"no study on the side {name} could be prepared: {'; '.join(left_out)[:300]}")
    return Material(learned, watched, tuple(left_out))


def _prepared(studies: Sequence[StudyFiles], cache: Path, left_out: list[str]) -> list[LabelledStudy]:
    found = []
    for files in studies:
        try:
            found.extend(load_studies([files], Preprocessing(), cache=cache))
        except PreprocessingError as error:
            left_out.append(f"{files.name} is left out: {error}")
    return found


def starting_network(weights: Path | None) -> tuple[torch.nn.Module, NetworkConfig]:
    """The network of the weights; without them, one whose encoder has seen photographs only."""
    if weights is not None:
        network, identity = load_weights(weights)
        return network, identity.network
    config = NetworkConfig()
    return build_network(config, imagenet_state("lite0", encoder_of(config.name))), config


class Learning:
    """A run in its folder, which keeps the weights of its best validation beside its state."""

    def __init__(
        self, start: Path | None, config: TrainingConfig, material: Material, *, folder: Path, device: str
    ) -> None:
        torch.manual_seed(config.seed)
        network, self.network_config = starting_network(start)
        sources = [Source("snapshot", 1.0, material.train)]
        self.run = Run(network, config, sources, material.validation, folder=folder, group=Group(device))
        self.best = folder / BEST_NAME
        if self.run.step and self.run.step == self.run.best_step:
            self._keep_best()  # the process may have died between the two files

    def learn(self, on_progress: Callable[[Progress], None]) -> None:
        """To the last step, or until `on_progress` raises, OutOfTimeError to end in peace.

        Raises: TrainingError when there is no best validation to go by.
        """
        try:
            self.run.train(lambda progress: self._step(progress, on_progress))
        except OutOfTimeError as end:
            if not self.best.is_file():
                raise TrainingError(
                    "the time was over before the first validation; give more, or validate earlier"
                ) from end

    def _step(self, progress: Progress, on_progress: Callable[[Progress], None]) -> None:
        if progress.validation_dice is not None and self.run.best_step == progress.step:
            self._keep_best()
        on_progress(progress)

    def _keep_best(self) -> None:
        identity = WeightsIdentity(self.network_config.name, "best", Preprocessing().version, self.network_config)
        partial = self.best.with_suffix(".partial")
        save_weights(partial, self.run.averaged_network, identity)
        partial.replace(self.best)


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


class StepClock:
    """Seconds that a run has learned, over all its attempts, and whether they are over."""

    def __init__(self, *, before_s: float, longest_s: float) -> None:
        self._before_s, self._longest_s, self._started_s = before_s, longest_s, time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before_s + time.monotonic() - self._started_s

    def check(self) -> None:
        """Raises: OutOfTimeError."""
        if self.seconds > self._longest_s:
            raise OutOfTimeError


RETRAINING_ERRORS = (TrainingError, CheckpointError)
