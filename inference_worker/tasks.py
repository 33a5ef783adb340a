"""The edge between the network and the platform: claim a job, read the volume, call the network, complete or fail.

Only a worker process imports this module; the web never does. A worker is started with

    celery --app plaqueview.celery:celery_app worker --queues inference --pool threads --concurrency 1 \
        --include inference_worker.tasks,inference_worker.enhancement_tasks,inference_worker.shadow_tasks

One task at a time, because one inference already uses every core; threads and not forks, because a loaded network does
not survive a fork, because one process is half the memory of two, and because the main thread goes on to answer the
broker while the network computes. The other tasks run in a worker of their own, so that uploads never wait for a
network. The weights that ship are loaded, registered and warmed before the worker takes its first task.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import numpy as np
from celery import Task, shared_task
from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.signals import celeryd_after_setup, worker_process_init
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection

from inference_worker.config import SLICE_SIZE
from inference_worker.errands import Errand, carry_out
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.heartbeat import Heartbeat
from inference_worker.mask_checks import PreprocessingError
from inference_worker.memory import MemoryShortError, require_memory
from inference_worker.prediction import (
    BATCH_SIZE,
    NETWORK_SHARE,
    PREPARED_SHARE,
    ModelIdentity,
    Segmenter,
    shipped_weights,
)
from inference_worker.regions import region_map
from inference_worker.regions.alignment import AlignmentError
from plaqueview.annotations import services as annotations
from plaqueview.core.errors import PlaqueViewError, UnavailableError
from plaqueview.core.storage import stored_path
from plaqueview.imaging.brightened_spots import spots_of
from plaqueview.imaging.brightening import BrighteningRule, find_brightened
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.lesions import CountingRule, LesionError
from plaqueview.imaging.matched_intensities import IntensityError
from plaqueview.imaging.regions import RegionRule
from plaqueview.imaging.registration import RegistrationError, RigidRegistration, register_rigidly
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import GeometryError
from plaqueview.inference import services as inference
from plaqueview.inference.models import JobStage
from plaqueview.longitudinal import services as longitudinal
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.services import count_voxels, load_volume

logger = logging.getLogger(__name__)

# Progress reaches a browser at most this often; a lease is renewed several times before it can lapse.
SHORTEST_BEAT_S = 0.2
BEATS_PER_LEASE = 4

# Of a job's progress: the volume is loaded before the network begins, and saved after it has ended.
LOADED_SHARE = 0.05
SEGMENTED_SHARE = 0.98

# A network that does not even come back to say that it is overdue is ended with its process.
OVERDUE_GRACE_S = 60.0

UNEXPECTED = "Inference failed by an error of ours; the worker's log has it under the job's number."
REGIONS_UNEXPECTED = "Telling the regions failed by an error of ours; the worker's log has it."
REGISTRATION_UNEXPECTED = "Registration failed by an error of ours; the worker's log has it under its number."


class OverdueError(RuntimeError):
    """The job has taken longer than the department allows."""


EXPECTED_ERRORS = (
    SeriesReadError,
    PreprocessingError,
    GeometryError,
    LesionError,
    OverdueError,
    UnavailableError,
    MemoryShortError,
)
REGION_ERRORS = (SeriesReadError, GeometryError, AlignmentError)
REGISTRATION_ERRORS = (SeriesReadError, GeometryError, RegistrationError, UnavailableError)
NO_BRAIN = "no version of the study says where the brain is"
CLAIM_ENDED = (inference.ClaimLostError, inference.JobCancelledError)


@dataclass(frozen=True)
class Reader:
    """A loaded network, and what the registry is told of it."""

    segmenter: Segmenter
    shipped: registry.ShippedModel


@lru_cache(maxsize=1)
def reader() -> Reader:
    """The network that this process reads with, loaded and warmed by the first call."""
    segmenter = loaded(None)
    region_map.load_distances()
    shipped = shipped_model(segmenter.model)
    told = (shipped.name, shipped.version, shipped.sha256[:12], settings.INFERENCE_PRECISION)
    logger.info("model %s %s is loaded, weights %s, in %s", *told)
    return Reader(segmenter, shipped)


def loaded(weights: Path | None) -> Segmenter:
    """The model of the file, or the one that ships, warmed."""
    segmenter = Segmenter.load(
        weights,
        device=settings.INFERENCE_DEVICE,
        precision=settings.INFERENCE_PRECISION,
        threads=settings.INFERENCE_THREADS or None,
        rule=rule_of_counting(),
    )
    segmenter.probabilities(np.zeros((BATCH_SIZE, SLICE_SIZE, SLICE_SIZE), np.float32))
    return segmenter


def rule_of_counting() -> CountingRule:
    return CountingRule(settings.LESION_CONNECTIVITY, settings.MINIMUM_LESION_VOLUME_MM3)


@lru_cache(maxsize=2)
def trained_segmenter(onnx_key: str) -> Segmenter:
    """The network that was trained here, loaded and warmed when it is first asked for; champion and shadow are kept."""
    return loaded(stored_path(onnx_key))


def segmenter_of(model: ModelVersion) -> Segmenter:
    """The network of the version.

    Raises: UnavailableError when its weights neither ship with this worker nor lie in the store.
    """
    if model.sha256 == reader().shipped.sha256:
        return reader().segmenter
    if not model.onnx_key:
        raise UnavailableError(f"the weights of model {model.version} are not here: this worker ships another version")
    return trained_segmenter(model.onnx_key)


def reading_model() -> ModelVersion:
    """The version with which this worker reads: the champion; its own where the champion ships with other workers.

    A worker that is older or newer than the one whose shipped version is the champion reads with its own, and says so
    in the stamp of every result: workers are replaced one by one.
    """
    own = registry.register_shipped(reader().shipped)
    champion = registry.champion()
    return champion if champion is not None and champion.onnx_key else own


def shipped_model(identity: ModelIdentity) -> registry.ShippedModel:
    """What the registry is told of the weights, from the card and the facts that lie beside them."""
    weights = shipped_weights()
    facts = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    return registry.ShippedModel(
        name=identity.name,
        version=identity.version,
        sha256=identity.sha256,
        preprocessing_version=identity.preprocessing_version,
        card=weights.with_suffix(".md").read_text(encoding="utf-8"),
        facts=facts,
        caveat=facts.get("caveat", ""),
    )


@celeryd_after_setup.connect
def load_before_the_first_task(instance: Any, **_: Any) -> None:  # Any: Celery's worker is untyped
    """The worker reads its first study as fast as its second, or does not start; forked children load their own."""
    if issubclass(instance.pool_cls, PreforkPool):
        return
    try:
        registry.register_shipped(reader().shipped)
    except (WeightsError, DeviceError, OSError, PlaqueViewError, DatabaseError) as error:
        raise SystemExit(f"the inference worker cannot start: {error}") from error
    finally:
        connection.close()


@worker_process_init.connect
def load_in_forked_child(**_: Any) -> None:
    """A forked child has a network of its own."""
    reader()


@shared_task(name="inference.segment", bind=True)
def segment(self: Task[..., None], job_id: str) -> None:
    """The job has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    model = reading_model()
    claim = inference.claim(job_id=UUID(job_id), worker=worker, model_id=model.pk)
    if claim is None:
        logger.info("job %s has ended or is another worker's", job_id)
        return
    carry_out(
        Errand(
            name=f"job {job_id}",
            work=lambda: inference.complete(claim, segmentation=read(claim, segmenter_of(model))),
            fail=lambda reason: inference.fail(claim, reason=reason),
            put_back=lambda reason: inference.put_back(claim, reason=reason),
            expected=EXPECTED_ERRORS,
            unexpected=UNEXPECTED,
            ended=CLAIM_ENDED,
        )
    )


def read(claim: inference.Claim, segmenter: Segmenter) -> Segmentation:
    """What the network says of the claimed series; listeners hear of the progress, and the lease stays alive.

    Raises: JobCancelledError, ClaimLostError; OverdueError, MemoryShortError; SeriesReadError, PreprocessingError and
    what else rules a series out.
    """
    clock = Clock(claim)
    longest_s = settings.JOB_LEASE_S / BEATS_PER_LEASE
    with Heartbeat(clock.beat, release=leave_database, shortest_s=SHORTEST_BEAT_S, longest_s=longest_s) as heartbeat:
        require_memory(count_voxels(claim.series_id))
        volume = load_volume(claim.series_id).volume
        on_progress = clock.checked(heartbeat.report)
        on_progress(0.0)
        segmentation = segmenter.segment(volume, on_progress=on_progress)
    inference.renew(claim, progress=SEGMENTED_SHARE, stage=JobStage.SAVING)
    return segmentation


def leave_database() -> None:
    """The connection of the thread that calls this is closed; `connection.close` by itself is the caller's of now."""
    connection.close()


def keep_lease(renew: Callable[[], None], *, of: str) -> Heartbeat:
    """A lease is renewed beside the work. A database that is away costs nothing while the lease lasts."""

    def beat(_: float) -> None:
        try:
            renew()
        except OperationalError as error:
            logger.warning("%s: the lease was not renewed: %s", of, error)
            leave_database()  # which is not opened again by itself once it is lost

    longest_s = settings.JOB_LEASE_S / BEATS_PER_LEASE
    return Heartbeat(beat, release=leave_database, shortest_s=SHORTEST_BEAT_S, longest_s=longest_s)


@dataclass(frozen=True)
class Clock:
    """How long a job has run, and what that means for it. Progress is the network's own, 0 to 1, negative before it."""

    claim: inference.Claim
    started_s: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.started_s

    def beat(self, progress: float) -> None:
        """Called beside the work. A database that is away costs nothing while the lease lasts."""
        if self.elapsed_s > settings.JOB_TIME_LIMIT_S + OVERDUE_GRACE_S:
            end_process(self.claim)
        stage = stage_at(progress)
        try:
            inference.renew(self.claim, progress=share_of_job(progress), stage=stage)
        except OperationalError as error:
            logger.warning("job %s: the lease was not renewed: %s", self.claim.job_id, error)

    def checked(self, report: Callable[[float], None]) -> Callable[[float], None]:
        """`report` for the network to call, which ends its work when it is overdue."""

        def on_progress(progress: float) -> None:
            if self.elapsed_s > settings.JOB_TIME_LIMIT_S:
                raise OverdueError(f"Inference took longer than {settings.JOB_TIME_LIMIT_S} s.")
            report(progress)

        return on_progress


def stage_at(progress: float) -> JobStage:
    """The stage that the network is at; negative progress is before it."""
    if progress < 0.0:
        return JobStage.LOADING
    if progress < PREPARED_SHARE:
        return JobStage.PREPROCESSING
    return JobStage.NETWORK if progress < NETWORK_SHARE else JobStage.LESIONS


def share_of_job(progress: float) -> float:
    """The network's progress as the job's."""
    return LOADED_SHARE + (SEGMENTED_SHARE - LOADED_SHARE) * progress if progress >= 0.0 else 0.0


def end_process(claim: inference.Claim) -> NoReturn:
    """The process is gone at once; whoever supervises it starts another, and the lease lapses."""
    logger.critical("job %s hangs, and this worker process with it", claim.job_id)
    os._exit(os.EX_SOFTWARE)


@shared_task(name="longitudinal.register", bind=True)
def register(self: Task[..., None], registration_id: str) -> None:
    """The registration has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    claim = longitudinal.claim(registration_id=UUID(registration_id), worker=worker)
    if claim is None:
        logger.info("registration %s has ended or is another worker's", registration_id)
        return
    carry_out(
        Errand(
            name=f"registration {registration_id}",
            work=lambda: longitudinal.complete(claim, found=find_movement(claim)),
            fail=lambda reason: longitudinal.fail(claim, reason=reason),
            put_back=lambda reason: longitudinal.put_back(claim, reason=reason),
            expected=REGISTRATION_ERRORS,
            unexpected=REGISTRATION_UNEXPECTED,
        )
    )


def find_movement(claim: longitudinal.Claim) -> longitudinal.Found:
    """How the head lay at the prior against how it lies in the study, and what became brighter; the lease stays alive.

    Raises: ClaimLostError; SeriesReadError, RegistrationError and what else rules the two volumes out.
    """
    started_s = time.monotonic()
    with keep_lease(lambda: longitudinal.renew(claim), of=f"registration {claim.registration_id}"):
        pair = longitudinal.load_pair(claim)
        found = register_rigidly(pair.fixed, pair.moving, fixed_brain=pair.fixed_brain, moving_brain=pair.moving_brain)
        brightening = find_brightening(pair, found)
    return longitudinal.Found(
        matrix=found.matrix.ravel().tolist(),
        similarity_before=found.similarity_before,
        similarity=found.similarity,
        seconds=time.monotonic() - started_s,
        brightening=brightening,
    )


def find_brightening(pair: longitudinal.Pair, found: RigidRegistration) -> longitudinal.Brightening:
    """What became brighter, or why that cannot be told: the visits are registered either way."""
    shape, rule = pair.fixed.shape, BrighteningRule()
    if pair.fixed_brain is None:
        return longitudinal.Brightening(shape, rule.sentence, (), NO_BRAIN)
    try:
        brightened = find_brightened(pair.fixed, pair.moving, found.matrix, pair.fixed_brain, rule=rule)
    except IntensityError as error:
        return longitudinal.Brightening(shape, rule.sentence, (), str(error))
    return longitudinal.Brightening(shape, rule.sentence, spots_of(pair.fixed.with_voxels(brightened)))


@shared_task(name="inference.map_regions")
def map_regions(annotation_id: str) -> None:
    """The version's lesions have their regions, or the version says why not; again, nothing changes.

    It follows the counts as a task of its own, because a reader waits for those. It needs no lease: two workers who do
    it at once write the same, and who comes second finds it written.
    """
    wanted = annotations.read_wanted_map(UUID(annotation_id))
    if wanted is None:
        logger.info("version %s has its regions, or says why not", annotation_id)
        return
    try:
        flair = load_volume(wanted.series_id).volume
        found = region_map.map_regions(flair, wanted.brain, rule=RegionRule())
        annotations.record_regions(annotation_id=wanted.annotation_id, labels=found.labels)
    except REGION_ERRORS as error:
        annotations.record_no_regions(annotation_id=wanted.annotation_id, reason=str(error))
    except (OperationalError, UnavailableError):
        raise  # the database or the bucket is away: the clock asks again
    except Exception:
        annotations.record_no_regions(annotation_id=wanted.annotation_id, reason=REGIONS_UNEXPECTED)
        raise
