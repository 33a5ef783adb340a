"""The slices of every training step, drawn ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_worker.augmentation import augment
from inference_worker.config import TrainingConfig
from inference_worker.dataset import LabelledStudy
from inference_worker.reading_rule import slab_reach, slab_slice

Batch = tuple[NDArray[np.float32], NDArray[np.uint8]]
AHEAD = 3  # batches


@dataclass(frozen=True, eq=False)
class Source:
    """Studies from which a share of the slices of every batch is drawn; shares of all sources need not sum to one."""

    name: str
    share: float
    studies: tuple[LabelledStudy, ...]


def draw_batch(sources: Sequence[Source], config: TrainingConfig, step: int, places: Sequence[int]) -> Batch:
    """The (places, size, size) augmented slices and labels at some places of the batch of a step.

    Each follows from seed, step and place alone, so that several processes may share a batch.
    """
    size = int(np.random.default_rng([config.seed, step]).choice(config.crop_sizes))
    shares = np.array([source.share for source in sources])
    generators = [np.random.default_rng([config.seed, step, place]) for place in places]
    pairs = [
        _draw_slice(sources[generator.choice(len(sources), p=shares / shares.sum())], size, config, generator)
        for generator in generators
    ]
    return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])


def _draw_slice(
    source: Source, size: int, config: TrainingConfig, generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """One slice: every study is equally likely, then a slice with plaques by `plaque_share`."""
    study = source.studies[generator.integers(len(source.studies))]
    wants_plaque = generator.random() < config.plaque_share and len(study.plaque_slices) > 0
    index = int(generator.choice(study.plaque_slices if wants_plaque else study.brain_slices))
    slice_, labels = slab(study, index, generator.uniform(0.0, config.augmentation.thickest_slice_mm))
    return augment(slice_, labels, size=size, config=config.augmentation, generator=generator)


def slab(study: LabelledStudy, index: int, thickness_mm: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A slice as a scanner with thicker slices shows it: the mean of those around it that the thickness holds.

    A plaque is what is one in half of them, with the highest of its labels. Slices that are as thick already stay.
    """
    reach = slab_reach(thickness_mm, study.slice_mm)
    around = slab_slice(study.slices, index, reach)
    slice_ = study.slices[around].mean(axis=0, dtype=np.float32) / np.float32(255.0)
    labels = study.labels[around]
    return slice_, np.where((labels > 0).mean(axis=0) >= 0.5, labels.max(axis=0), 0).astype(np.uint8)


def batches_from(
    sources: Sequence[Source], config: TrainingConfig, first_step: int, places: Sequence[int]
) -> Generator[Batch]:
    """Those places of the batches of `first_step` and all that follow, drawn by a thread while the network learns.

    OpenCV and numpy let go of the interpreter while they work, and every batch follows from its step alone.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
        drawn: deque[Future[Batch]] = deque()
        for step in range(first_step, config.steps):
            while len(drawn) < AHEAD and step + len(drawn) < config.steps:
                drawn.append(pool.submit(draw_batch, sources, config, step + len(drawn), places))
            yield drawn.popleft().result()
