"""Training: the same run for the same seed, and after a kill it goes on as if nothing had happened.

Everything random of step n is drawn from generators seeded with (seed, n), so a resumed run needs no stored random
state: weights, optimiser and the step number decide the rest. On a GPU some backward passes of torch add in no fixed
order, so there two runs of one seed agree only up to rounding.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference_worker.batches import Batch, Source, batches_from
from inference_worker.config import TrainingConfig
from inference_worker.dataset import LabelledStudy
from inference_worker.distributed import ALONE, Group
from inference_worker.losses import PlaqueLoss
from inference_worker.metrics import Confusion
from inference_worker.networks.training_form import training_form
from inference_worker.reading_rule import ReadingRule
from inference_worker.run_state import RunState, TrainingError, load_state, save_state

logger = logging.getLogger(__name__)

STATE_NAME = "state.safetensors"
VALIDATION_BATCH = 16
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
DIVERGED_LOSS = 1e4


@dataclass(frozen=True)
class Progress:
    """One step of a run. `validation_dice` is that of any plaque, mean over patients, on the steps that validate."""

    step: int
    steps: int
    loss: float
    seconds_per_step: float
    validation_dice: float | None

    @property
    def seconds_left(self) -> float:
        return (self.steps - self.step) * self.seconds_per_step


def learning_rate_at(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to zero, or no change."""
    if step < config.warm_up_steps:
        return config.learning_rate * (step + 1) / config.warm_up_steps
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - config.warm_up_steps) / max(1, config.steps - config.warm_up_steps)
    return config.learning_rate * 0.5 * (1.0 + float(np.cos(np.pi * min(1.0, done))))


def average_of(decay: float) -> Callable[..., None]:
    """The function that moves averaged tensors towards new ones."""
    average: Callable[..., None] = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return average


class Run:
    """One training run in a folder of its own; the folder's state file, where there is one, is where it goes on.

    A validation takes a voxel for a plaque from `plaque_threshold` on.

    Raises: TrainingError when the stored state belongs to another configuration.
    """

    plaque_threshold = ReadingRule().plaque_threshold

    def __init__(
        self,
        network: nn.Module,
        config: TrainingConfig,
        sources: Sequence[Source],
        validation: Sequence[LabelledStudy],
        *,
        folder: Path,
        group: Group = ALONE,
    ) -> None:
        self.config, self.sources, self.validation, self.folder = config, sources, validation, folder
        self.group, self.device = group, torch.device(group.device)
        self.places = group.share_of(config.batch_size)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.average = AveragedModel(network, multi_avg_fn=average_of(config.average_decay), use_buffers=True)
        self.optimiser = OPTIMISERS[config.optimiser](
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.loss = PlaqueLoss(config.loss)
        self.teachers: list[nn.Module] = []
        self.step, self.parts = 0, 1
        self.best_dice, self.best_step = -1.0, 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_NAME).is_file():
            self._resume()
        self.learner = group.spread(training_form(self.network))

    @property
    def averaged_network(self) -> nn.Module:
        """The averaged weights as they are now."""
        return self.average.module

    def learn_from(self, teachers: Sequence[nn.Module]) -> None:
        """From now on the mean of what these say is learned, too, with the weight that the configuration gives it."""
        layout = torch.channels_last
        self.teachers = [teacher.to(self.device, memory_format=layout).eval() for teacher in teachers]  # type: ignore[call-overload]  # as above

    def train(self, on_progress: Callable[[Progress], None]) -> None:
        """Runs to the last step, or until the validation has not improved for `patience` validations."""
        started, first = time.perf_counter(), self.step
        with closing(batches_from(self.sources, self.config, self.step, self.places)) as batches:
            for batch in batches:
                if self._is_stale:
                    return
                loss = self._train_step(batch)
                dice = self._validate() if self._is_validation_step else None
                seconds = (time.perf_counter() - started) / (self.step - first)
                on_progress(Progress(self.step, self.config.steps, loss, seconds, dice))

    @property
    def _is_validation_step(self) -> bool:
        return self.step % self.config.validate_every == 0 or self.step == self.config.steps

    @property
    def _is_stale(self) -> bool:
        waited = (self.step - self.best_step) / self.config.validate_every
        return self.config.patience > 0 and waited > self.config.patience

    def _train_step(self, batch: Batch) -> float:
        self.network.train()
        seeds = np.random.SeedSequence([self.config.seed, self.step, self.group.rank])
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.config)
        slices, labels = (torch.from_numpy(each).to(self.device, non_blocking=True) for each in batch)
        loss = self._backward(slices[:, None], labels.long())
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimiser.step()
        self.step += 1
        self.average.update_parameters(self.network)
        return loss

    def _backward(self, slices: torch.Tensor, labels: torch.Tensor) -> float:
        """The loss, with its gradients left in the network; a batch that the memory does not hold is taken in parts."""
        while True:
            try:
                return self._accumulate(slices, labels)
            except torch.OutOfMemoryError as error:
                self._halve(len(slices), error)

    def _halve(self, batch_size: int, error: torch.OutOfMemoryError) -> None:
        """Batches are taken in twice as many parts from here on; each is normalised, and has its Dice, by itself."""
        if self.group.size > 1 or 2 * self.parts > batch_size:
            raise TrainingError(
                f"memory of {self.device} does not hold {batch_size // self.parts} slices of step {self.step}"
            ) from error
        self.parts *= 2
        logger.warning("run %s takes its batches in %s parts: the memory is too small", self.folder.name, self.parts)

    def _accumulate(self, slices: torch.Tensor, labels: torch.Tensor) -> float:
        self.optimiser.zero_grad(set_to_none=True)
        losses = []
        for part in zip(slices.chunk(self.parts), labels.chunk(self.parts), strict=True):
            loss = self._loss_of(*part) / self.parts
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            losses.append(float(loss.item()))
        return sum(losses)

    def _loss_of(self, slices: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        precision = PRECISIONS[self.config.precision]
        slices = slices.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=precision, enabled=precision is not torch.float32):
            taught = self._taught(slices)
            logits = self.learner(slices)
        gather = self.group.gather
        loss: torch.Tensor = self.loss(
            gather(logits.float()), gather(labels), None if taught is None else gather(taught)
        )
        if not torch.isfinite(loss) or loss > DIVERGED_LOSS:
            raise TrainingError(f"loss at step {self.step} is {loss.item():g}, need a finite value")
        return loss

    @torch.no_grad()
    def _taught(self, slices: torch.Tensor) -> torch.Tensor | None:
        """The mean of what the teachers say, (n, classes, rows, columns) probabilities; None without teachers."""
        if not self.teachers:
            return None
        return torch.stack([teacher(slices).float().softmax(dim=1) for teacher in self.teachers]).mean(dim=0)

    def _validate(self) -> float | None:
        """Stores the state; the mean over studies held out of the Dice of any plaque, None where there are none."""
        dice = None
        if self.validation:
            threshold, network = self.plaque_threshold, self.averaged_network
            figures = [plaque_confusion(network, study, threshold).dice for study in self.validation]
            dice = float(np.mean(figures))
            if dice > self.best_dice:
                self.best_dice, self.best_step = dice, self.step
        self._save()
        return dice

    def _save(self) -> None:
        if not self.group.is_first:
            return
        state = RunState(repr(self.config), self.step, self.best_dice, self.best_step)
        save_state(
            self.folder / STATE_NAME,
            state,
            {"network": self.network, "average": self.average},
            self.optimiser,
        )

    def _resume(self) -> None:
        parts = {"network": self.network, "average": self.average}
        state = load_state(self.folder / STATE_NAME, parts, self.optimiser, config=repr(self.config))
        self.step, self.best_dice, self.best_step = state.step, state.best_dice, state.best_step
        logger.info("run %s goes on at step %s", self.folder.name, self.step)


@torch.inference_mode()
def predict_classes(network: nn.Module, slices: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, classes, 256, 256) probabilities of (n, 256, 256) slices of 0..255, on the device of the network."""
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for first in range(0, len(slices), VALIDATION_BATCH):
        batch = (
            torch.from_numpy(np.ascontiguousarray(slices[first : first + VALIDATION_BATCH, None])).to(device).float()
            / 255.0
        )
        parts.append(network(batch.contiguous(memory_format=torch.channels_last)).softmax(dim=1).cpu().numpy())
    return np.concatenate(parts)


def read_classes(network: nn.Module, study: LabelledStudy, rule: ReadingRule) -> NDArray[np.float32]:
    """What `predict_classes` has of the study's slices, read by the rule."""
    return rule.answer([predict_classes(network, view) for view in rule.views(study.slices, study.slice_mm)])


def plaque_confusion(network: nn.Module, study: LabelledStudy, threshold: float) -> Confusion:
    """Any plaque, from the threshold on, against the truth, pooled over the study's voxels on the network's grid."""
    probabilities = predict_classes(network, study.slices)
    return Confusion.of(1.0 - probabilities[:, 0] >= threshold, study.labels > 0)
