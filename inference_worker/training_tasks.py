"""The edge between training and the platform: claim a run, learn, export, try, complete or fail.

Only a training worker imports this module; it needs the extra `training`. A worker is started with

    nice -n 10 celery --app plaqueview.celery:celery_app worker --include inference_worker.training_tasks \
        --queues training --pool threads --concurrency 1

One run at a time, in a thread, so that the main thread goes on to answer the broker (docs/decisions/0004); and nice, so
that a study that waits for its result goes first.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import torch
from celery import Task, shared_task
from celery.signals import celeryd_after_setup
from django.conf import settings
from django.db import connection
from django.utils import timezone

from inference_worker.dataset import DatasetError, StudyFiles
from inference_worker.distributed import Group
from inference_worker.errands import Errand, carry_out
from inference_worker.gate_tasks import champion_of_today, linked, name_of, trials_of
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.heartbeat import Heartbeat
from inference_worker.labels import LabelError
from inference_worker.learning import Learning, Material, Reached, StepClock, config_of, load_material
from inference_worker.learning_order import LearningOrder
from inference_worker.prediction import Segmenter, core_count, shipped_weights
from inference_worker.pretrained import PretrainedWeightsError
from inference_worker.retraining import RETRAINING_ERRORS, Candidate, export_candidate
from inference_worker.run_ledger import Ledger, logged_in
from inference_worker.run_samples import Sample
from inference_worker.shared_learning import Crew, ProcessesLostError, SharedLearning
from inference_worker.tasks import loaded
from inference_worker.training import Progress
from plaqueview.core.errors import UnavailableError
from plaqueview.core.leases import ClaimLostError
from plaqueview.core.storage import hash_in, store_bytes, stored_path
from plaqueview.imaging.nifti import NiftiError
from plaqueview.registry.models import ModelVersion
from plaqueview.training import services as training
from plaqueview.training.models import RunStage, Side

logger = logging.getLogger(__name__)

SHORTEST_BEAT_S: Final = 1.0
BEATS_PER_LEASE: Final = 4
KIND: Final = "models"

UNEXPECTED = "Training failed by an error of ours; the worker's log has it under the run's number."
EXPECTED_ERRORS = (
    *RETRAINING_ERRORS,
    DatasetError,
    DeviceError,
    LabelError,
    NiftiError,
    PretrainedWeightsError,
    UnavailableError,
    WeightsError,
)


@celeryd_after_setup.connect
def set_threads(**_: Any) -> None:  # Any: Celery's signal
    """The worker computes on as many threads as the department allows."""
    torch.set_num_threads(settings.TRAINING_THREADS or core_count())


@shared_task(name="training.train", bind=True)
def train(self: Task[..., None], run_id: str) -> None:
    """The run has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    crew = crew_of_worker()
    claim = training.claim_run(run_id=UUID(run_id), worker=worker, device=crew.device, processes=crew.size)
    if claim is None:
        logger.info("run %s has ended or is another worker's", run_id)
        return
    carry_out(
        Errand(
            name=f"run {run_id}",
            work=lambda: work_on(claim, crew),
            fail=lambda reason: fail(claim, reason),
            expected=EXPECTED_ERRORS,
            unexpected=UNEXPECTED,
            ended=(ClaimLostError, training.RunCancelledError, ProcessesLostError),
        )
    )


def crew_of_worker() -> Crew:
    """The processes with which this worker learns: as many as the department says, or one for each GPU."""
    device, processes = settings.TRAINING_DEVICE, settings.TRAINING_PROCESSES
    if not processes:
        processes = max(1, torch.cuda.device_count()) if device == "cuda" else 1
    return Crew(device, processes, settings.TRAINING_MACHINES, settings.TRAINING_RENDEZVOUS)


def work_on(claim: training.RunClaim, crew: Crew) -> None:
    """The run has its candidate; one that was cancelled keeps its best weights.

    Raises: ClaimLostError, RunCancelledError, and what else rules the run out.
    """
    try:
        training.complete_run(claim, learn(claim, crew))
    except training.RunCancelledError:
        keep_best(claim)
        forget(claim)
        raise
    forget(claim)


def learn(claim: training.RunClaim, crew: Crew) -> training.Learned:
    """The candidate of the claimed run, tried against the champion; the lease stays alive meanwhile.

    Raises: RunCancelledError, ClaimLostError; TrainingError, CheckpointError and what else rules the run out.
    """
    ledger = Ledger(claim, device=crew.device if crew.size == 1 else "cpu")
    longest_s = settings.TRAINING_LEASE_S / BEATS_PER_LEASE
    with (
        logged_in(ledger),
        Heartbeat(ledger.beat, release=leave_database, shortest_s=SHORTEST_BEAT_S, longest_s=longest_s) as heartbeat,
    ):
        ledger.heartbeat = heartbeat
        return Work(claim, training.order_of(claim), ledger, crew).run()


class Work:
    """The steps of one run, one after the other."""

    def __init__(self, claim: training.RunClaim, order: training.Order, ledger: Ledger, crew: Crew) -> None:
        self.claim, self.order, self.ledger, self.crew = claim, order, ledger, crew

    def run(self) -> training.Learned:
        order, folder = self.order, self.order.folder
        files = linked(order.studies, folder / "data")
        material = load_material(
            self._on(Side.TRAIN, files), self._on(Side.VALIDATION, files), cache=folder.parent / "cache"
        )
        logger.info("%s studies to learn from, %s to be watched on", len(material.train), len(material.validation))
        for sentence in material.left_out:
            logger.warning("%s", sentence)
        best, reached = self._learn(files, material)
        self.ledger.enter(RunStage.EXPORTING)
        version = f"trained-{timezone.now():%Y%m%d}-{str(self.claim.run_id)[:8]}"
        candidate = export_candidate(best, version=version, folder=folder)
        self.ledger.enter(RunStage.TESTING)
        champion = champion_of_today()
        trials, left_out = trials_of(loaded(candidate.onnx), champion, order.studies, files, on_study=self.ledger.tell)
        self.ledger.enter(RunStage.SAVING)
        return learned(candidate, champion, trials, reached=reached, left_out=(*material.left_out, *left_out))

    def _on(self, side: Side, files: dict[str, StudyFiles]) -> list[StudyFiles]:
        return [files[name_of(one)] for one in self.order.studies if one.side == side]

    def _learn(self, files: dict[str, StudyFiles], material: Material) -> tuple[Path, Reached]:
        """Where the best weights lie, and what they reached."""
        learning = self._with_crew(files, material) if self.crew.size > 1 else self._alone(material)
        self.ledger.enter(RunStage.LEARNING)
        clock = StepClock(before_s=self.claim.seconds, longest_s=self.order.recipe.max_minutes * 60.0)

        def on_progress(progress: Progress, samples: Sequence[Sample]) -> None:
            if samples:
                self.ledger.show(samples, step=progress.step)
            self.ledger.add(progress, clock.seconds)
            clock.check()

        learning.learn(on_progress)
        return learning.best, learning.reached

    def _alone(self, material: Material) -> Learning:
        config, start = config_of(**self._recipe()), weights_to_start_from(self.order)
        return Learning(start, config, material, folder=self.order.folder, group=Group(self.crew.device))

    def _with_crew(self, files: dict[str, StudyFiles], material: Material) -> SharedLearning:
        """The processes read what was prepared here from the cache."""
        order = LearningOrder(
            train=tuple(files[study.name] for study in material.train),
            validation=tuple(files[study.name] for study in material.validation),
            recipe=self._recipe(),
            start=weights_to_start_from(self.order),
            folder=self.order.folder,
            cache=self.order.folder.parent / "cache",
            threads=settings.TRAINING_THREADS or max(1, core_count() // self.crew.processes),
        )
        learning = SharedLearning(order, self.crew, on_silence=self.ledger.tell)
        self.ledger.measure = learning.measure
        return learning

    def _recipe(self) -> dict[str, Any]:  # Any: as `config_of` takes them
        names = ("steps", "batch_size", "learning_rate", "validate_every", "seed")
        return {name: getattr(self.order.recipe, name) for name in names}


def learned(
    candidate: Candidate,
    champion: ModelVersion,
    trials: tuple[training.Trial, ...],
    *,
    reached: Reached,
    left_out: tuple[str, ...],
) -> training.Learned:
    """What the platform is told; the files are in the store."""
    safetensors_key = stored(candidate.safetensors)
    return training.Learned(
        sha256=candidate.sha256,
        onnx_key=stored(candidate.onnx),
        safetensors_key=safetensors_key,
        safetensors_sha256=hash_in(safetensors_key),
        identity=asdict(candidate.identity),
        parity=asdict(candidate.parity),
        best=(reached.best_dice, reached.best_step),
        left_out=left_out,
        champion_id=champion.pk,
        trials=trials,
    )


def stored(path: Path) -> str:
    return store_bytes([path.read_bytes()], kind=KIND).key


def weights_to_start_from(order: training.Order) -> Path | None:
    """Raises: UnavailableError when this worker ships other weights than those to start from."""
    if not order.starts_from_model:
        return None
    if order.start_key:
        return stored_path(order.start_key)
    shipped = shipped_weights()
    from_worker = Segmenter.load(shipped).model.sha256
    if from_worker != order.start_sha256:
        raise UnavailableError("this worker ships other weights than the champion that the run was to start from")
    return shipped.with_suffix(".safetensors")


def keep_best(claim: training.RunClaim) -> None:
    """The best weights of a run that was cancelled are in the store, where there are any."""
    best = training.order_of(claim).folder / "best.safetensors"
    if best.is_file():
        training.keep_best(run_id=claim.run_id, key=stored(best))


def fail(claim: training.RunClaim, reason: str) -> None:
    """The run has failed. Raises: ClaimLostError, RunCancelledError."""
    training.fail_run(claim, reason=reason)
    forget(claim)


def forget(claim: training.RunClaim) -> None:
    """What the ended run worked with is gone from the disk; studies prepared for training stay for the next one."""
    shutil.rmtree(training.order_of(claim).folder, ignore_errors=True)


def leave_database() -> None:
    """The connection of the thread that calls this is closed."""
    connection.close()
