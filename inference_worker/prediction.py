"""A FLAIR volume to labels, probabilities and lesions, without torch."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.config import CLASS_NAMES, SLICE_SIZE
from inference_worker.graphs import Graph, WeightsError, open_graph
from inference_worker.labels import ACTIVE, BACKGROUND, INACTIVE
from inference_worker.preprocessing import WHOLE_MATRIX, Prepared, Preprocessing
from inference_worker.reading_rule import FIRST_RULE, ReadingRule
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Reorientation, Volume, axial_reorientation

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
BATCH_SIZE = 1  # slices a call: one stays in a core's cache, and calls run side by side
PREPARED_SHARE = 0.2  # of the progress: preprocessing takes a fifth of the time
NETWORK_SHARE = 0.95

PREPROCESSINGS = {preprocessing.version: preprocessing for preprocessing in (Preprocessing(), WHOLE_MATRIX)}

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights said it; `sha256` is of the ONNX file that ran."""

    name: str
    version: str
    sha256: str
    preprocessing_version: str
    reading: ReadingRule = FIRST_RULE


def ignore(_: float) -> None:
    """Takes a progress and does nothing."""


def shipped_weights() -> Path:
    """The one ONNX file that ships with the package.

    Raises: WeightsError when there is none, or more than one.
    """
    found = sorted(WEIGHTS_FOLDER.glob("*.onnx"))
    if len(found) != 1:
        raise WeightsError(f"folder weights holds {len(found)} ONNX files, need 1 or a named file")
    return found[0]


class Segmenter:
    """A loaded model that runs `threads` slices side by side.

    One thread a slice needs no waiting between layers: on two cores that is a fifth faster than two threads a slice.
    """

    def __init__(
        self,
        graph: Graph,
        model: ModelIdentity,
        *,
        threads: int,
        rule: CountingRule,
        weights: Path | None = None,
    ) -> None:
        self.graph, self.model, self.threads, self.rule, self.weights = graph, model, threads, rule, weights
        self.preprocessing = PREPROCESSINGS[model.preprocessing_version]

    @classmethod
    def load(
        cls,
        weights: Path | None = None,
        *,
        device: str = "cpu",
        precision: str = "float32",
        threads: int | None = None,
        rule: CountingRule = CountingRule(),  # noqa: B008  (frozen)
    ) -> Segmenter:
        """The model of an ONNX file that `export` wrote; without one, the model that ships.

        `threads` is how many the network may use; None means one for every core that this process may use, and one
        on a GPU, which takes the slices of a call together.

        Raises: WeightsError when the file is no such model or needs a preprocessing that is not here; DeviceError when
        the device or the precision is not here.
        """
        path = weights or shipped_weights()
        if not path.is_file():
            raise WeightsError(f"weights {path.name} are missing, need an ONNX file")
        threads = threads or (core_count() if device == "cpu" else 1)
        graph = open_graph(path, device=device, precision=precision, threads=threads)
        return cls(graph, identity_of(graph, path), threads=threads, rule=rule, weights=path)

    def segment(self, volume: Volume, *, on_progress: Callable[[float], None] = ignore) -> Segmentation:
        """Plaques of a FLAIR volume in any axis order, everything on the grid of that volume.

        `on_progress` takes the share done, 0 to 1, after every step; what it raises ends the work.

        Raises: PreprocessingError when the volume holds no head or the brain mask fails its checks.
        """
        clock = Clock()
        axial = axial_reorientation(volume.affine).apply_to(volume)
        prepared = self.preprocessing.prepare(axial)
        clock.stop("preprocessing")
        on_progress(PREPARED_SHARE)
        probabilities = self.read(prepared.slices, axial.spacing_mm[0], on_progress)
        clock.stop("network")
        threshold = self.model.reading.plaque_threshold
        found = segmentation_of(volume, prepared, probabilities, threshold=threshold, rule=self.rule, clock=clock)
        on_progress(1.0)
        return replace(found, computation=self.graph.computation)

    def read(
        self, slices: NDArray[np.float32], slice_mm: float, on_progress: Callable[[float], None] = ignore
    ) -> Probabilities:
        """The probabilities of slices so far apart, by the reading rule of the weights."""
        views = self.model.reading.views(slices, slice_mm)
        answers = self.probabilities(np.concatenate(views), on_progress)
        return self.model.reading.answer(np.split(answers, len(views), axis=1))

    def probabilities(
        self, slices: NDArray[np.float32], on_progress: Callable[[float], None] = ignore
    ) -> Probabilities:
        """(n, 256, 256) slices of 0..1 as (classes, n, 256, 256) probabilities that sum to 1 over the classes.

        A slice that is zero everywhere holds no brain: it is background, and the network is not asked.
        """
        parts = np.zeros((len(CLASS_NAMES), len(slices), SLICE_SIZE, SLICE_SIZE), dtype=np.float32)
        parts[BACKGROUND] = 1.0
        firsts = [first for first in range(0, len(slices), BATCH_SIZE) if slices[first : first + BATCH_SIZE].any()]
        pool = ThreadPoolExecutor(self.threads)
        try:
            calls = [pool.submit(self._fill, parts, slices, first) for first in firsts]
            for done, call in enumerate(as_completed(calls), start=1):
                call.result()
                on_progress(PREPARED_SHARE + (NETWORK_SHARE - PREPARED_SHARE) * done / len(calls))
        finally:
            pool.shutdown(cancel_futures=True)
        return parts

    def _fill(self, parts: Probabilities, slices: NDArray[np.float32], first: int) -> None:
        """Writes the probabilities of one batch to their place."""
        batch = slices[first : first + BATCH_SIZE, None]
        parts[:, first : first + len(batch)] = self.graph.run(batch).transpose(1, 0, 2, 3)


@dataclass(frozen=True, eq=False)
class OnSource:
    """What the network says, on the source grid: (slices, rows, columns) each."""

    labels: NDArray[np.uint8]
    plaque: Probabilities
    active: Probabilities
    brain_mask: NDArray[np.bool_]


def on_source(
    probabilities: Probabilities, prepared: Prepared, reorientation: Reorientation, *, threshold: float
) -> OnSource:
    """Probabilities back on the source grid, zero outside the brain, and the labels that they give.

    A voxel is a plaque from the threshold on, and active when active is at least as probable as inactive.
    """
    inside = prepared.brain_mask
    inactive, active = (prepared.restore(probabilities[label]) * inside for label in (INACTIVE, ACTIVE))
    plaque = np.minimum(inactive + active, np.float32(1.0))
    labels = np.where(plaque >= threshold, np.where(active >= inactive, ACTIVE, INACTIVE), BACKGROUND)
    arrays = (labels.astype(np.uint8), plaque, active, inside)
    return OnSource(*(np.ascontiguousarray(reorientation.undo(array)) for array in arrays))


def segmentation_of(
    volume: Volume,
    prepared: Prepared,
    probabilities: Probabilities,
    *,
    threshold: float,
    rule: CountingRule,
    clock: Clock,
) -> Segmentation:
    """What (classes, n, 256, 256) probabilities of a prepared volume say on the grid of that volume."""
    reorientation = axial_reorientation(volume.affine)
    source = on_source(probabilities, prepared, reorientation, threshold=threshold)
    clock.stop("restoring")
    lesions = measure_lesions(volume.with_voxels(source.labels), source.plaque, rule=rule)
    clock.stop("lesions")
    return Segmentation(
        labels=volume.with_voxels(lesions.class_labels()),
        brain_mask=source.brain_mask,
        plaque_probability=source.plaque,
        active_probability=source.active,
        lesions=lesions,
        seconds=clock.seconds,
        processor_seconds=clock.processor_seconds,
        warnings=warnings_of(reorientation),
    )


class Clock:
    """Seconds by step, one after the other: on the wall, and of the processors that the process had meanwhile."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self._started, self._processor_started = time.perf_counter(), time.process_time()

    def stop(self, step: str) -> None:
        """Ends a step and begins the next."""
        now, processor_now = time.perf_counter(), time.process_time()
        self.seconds[step], self._started = now - self._started, now
        self.processor_seconds[step] = processor_now - self._processor_started
        self._processor_started = processor_now


def warnings_of(reorientation: Reorientation) -> tuple[str, ...]:
    """Sentences for the reader about what the model was not made for."""
    if reorientation.axes == (0, 1, 2):
        return ()
    return ("The series is not axial: the network saw axial slices cut from it, and was trained on axial series only.",)


def core_count() -> int:
    """Cores that this process may use; macOS has no affinity and tells those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def identity_of(graph: Graph, path: Path) -> ModelIdentity:
    """Raises: WeightsError when the weights need a preprocessing that is not here."""
    fields = graph.identity
    version = fields["preprocessing_version"]
    if version not in PREPROCESSINGS:
        raise WeightsError(f"weights {path.name} need preprocessing {version!r}, here are {sorted(PREPROCESSINGS)}")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return ModelIdentity(fields["name"], fields["version"], sha256, version, ReadingRule.of_weights(fields))
