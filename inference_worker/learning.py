"""A retraining learns: from the studies of a snapshot, in a folder that keeps its state and its best weights.

What a killed process left in the folder is where the next one goes on: `training.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from inference_worker.batches import Source
from inference_worker.checkpoint import WeightsIdentity, load_weights, save_weights
from inference_worker.config import NetworkConfig, TrainingConfig
from inference_worker.dataset import LabelledStudy, StudyFiles, load_studies
from inference_worker.distributed import Group
from inference_worker.networks import build_network, encoder_of
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from inference_worker.pretrained import imagenet_state
from inference_worker.run_samples import Sample, Watched
from inference_worker.run_state import TrainingError
from inference_worker.training import Progress, Run

BEST_NAME: Final = "best.safetensors"
LONGEST_WARM_UP: Final = 50
LONGEST_AVERAGE: Final = 0.99

# What is new after a step; the samples only of a step that validated.
Listener = Callable[[Progress, Sequence[Sample]], None]


@dataclass(frozen=True, eq=False)
class Material:
    """What a run learns from and is watched on; `left_out` are sentences about studies that could not be prepared."""

    train: tuple[LabelledStudy, ...]
    validation: tuple[LabelledStudy, ...]
    left_out: tuple[str, ...]


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


def starting_network(weights: Path | None) -> tuple[torch.nn.Module, WeightsIdentity]:
    """The network of the weights, and what a run's best will say of itself: it is read as what it started from.

    Without weights, one whose encoder has seen photographs only.
    """
    version, preprocessing = "best", Preprocessing().version
    if weights is not None:
        network, told = load_weights(weights)
        name = told.network.name
        return network, replace(told, name=name, version=version, preprocessing_version=preprocessing)
    config = NetworkConfig()
    network = build_network(config, imagenet_state("lite0", encoder_of(config.name)))
    return network, WeightsIdentity(config.name, version, preprocessing, config)


@dataclass(frozen=True)
class Reached:
    """How far a run has learned, and its best validation so far: its Dice, -1 before the first, and its step."""

    step: int
    best_dice: float
    best_step: int


class Learning:
    """A run in its folder, which keeps the weights of its best validation beside its state."""

    def __init__(
        self, start: Path | None, config: TrainingConfig, material: Material, *, folder: Path, group: Group
    ) -> None:
        torch.manual_seed(config.seed)
        network, self._identity = starting_network(start)
        sources = [Source("snapshot", 1.0, material.train)]
        self.run = Run(network, config, sources, material.validation, folder=folder, group=group)
        self.best, self._watched = folder / BEST_NAME, Watched(material.validation)
        if group.is_first and self.run.step and self.run.step == self.run.best_step:
            self._keep_best()  # the process may have died between the two files

    @property
    def reached(self) -> Reached:
        return Reached(self.run.step, self.run.best_dice, self.run.best_step)

    def learn(self, on_progress: Listener) -> None:
        """To the last step, or until `on_progress` raises, OutOfTimeError to end in peace.

        Raises: TrainingError when there is no best validation to go by.
        """
        with in_time(self.best):
            self.run.train(lambda progress: self._step(progress, on_progress))

    def _step(self, progress: Progress, on_progress: Listener) -> None:
        is_shown = progress.validation_dice is not None and self.run.group.is_first
        if is_shown and self.run.best_step == progress.step:
            self._keep_best()
        on_progress(progress, self._watched.samples(self.run.averaged_network) if is_shown else ())

    def _keep_best(self) -> None:
        partial = self.best.with_suffix(".partial")
        save_weights(partial, self.run.averaged_network, self._identity)
        partial.replace(self.best)


@contextmanager
def in_time(best: Path) -> Iterator[None]:
    """What raises OutOfTimeError inside ends there in peace, where there are best weights to go by.

    Raises: TrainingError when there are none.
    """
    try:
        yield
    except OutOfTimeError as end:
        if not best.is_file():
            raise TrainingError(
                "the time was over before the first validation; give more, or validate earlier"
            ) from end


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
