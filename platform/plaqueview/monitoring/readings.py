"""The readings of models in shadow: asked for by the clock, claimed by one worker at a time, kept, and compared."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from plaqueview.annotations.files import MaskFiles, store_masks
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.core import clock
from plaqueview.core.leases import ClaimLostError, extend, held, lapsed_at, take, unclaimed
from plaqueview.core.queue import INFERENCE_QUEUE, LAST, enqueue
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
from plaqueview.imaging.agreement import AgreementError
from plaqueview.imaging.comparison import Comparison, compare
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.monitoring.models import ReadingState, ShadowPeriod, ShadowReading
from plaqueview.registry.models import ModelVersion

logger = logging.getLogger(__name__)

READ_TASK: Final = "monitoring.read_in_shadow"
AT_ONCE: Final = 20


@dataclass(frozen=True)
class ReadingClaim:
    """The right to read a study in shadow; `token` is a secret between the worker and the database."""

    reading_id: UUID
    token: UUID
    series_id: UUID
    model_id: UUID


def lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_S)


def ask_for_readings() -> None:
    """Every result that a new study got since a model reads along has a reading of it that waits."""
    for period in ShadowPeriod.objects.filter(ended_at=None).select_related("model"):
        known = ShadowReading.objects.filter(period=period, champion_result=OuterRef("pk"))
        new = Annotation.objects.filter(
            ~Exists(known), state=AnnotationState.PREDICTED, job__is_background=False, created__gt=period.created
        ).exclude(model_id=period.model_id)
        for result in new.order_by("created")[:AT_ONCE]:
            _ask(period, result)


@transaction.atomic
def _ask(period: ShadowPeriod, result: Annotation) -> None:
    """Two clocks that do this at once make one reading."""
    reading, is_new = ShadowReading.objects.get_or_create(
        period=period, champion_result=result, defaults={"study_id": result.study_id}
    )
    if is_new:
        _send(reading.pk)


@transaction.atomic
def claim_reading(*, reading_id: UUID, worker: str) -> ReadingClaim | None:
    """The reading is this worker's; None when it has ended, or another worker holds it."""
    now = clock.now()
    claimable = ShadowReading.objects.claimable(now).filter(period__ended_at=None)
    free = claimable.filter(pk=reading_id, attempts__lt=settings.JOB_MAX_ATTEMPTS)
    token = take(free, now=now, running=ReadingState.RUNNING, length=lease(), worker=worker)
    if token is None:
        return None
    reading = ShadowReading.objects.select_related("period", "champion_result").get(pk=reading_id)
    return ReadingClaim(reading.pk, token, reading.champion_result.series_id, reading.period.model_id)


def model_of(claim: ReadingClaim) -> ModelVersion:
    return ModelVersion.objects.get(pk=claim.model_id)


def renew_reading(claim: ReadingClaim) -> None:
    """The lease runs anew, unless a study waits for its own network: then the reading waits again.

    Raises: ClaimLostError, also when the model no longer reads along.
    """
    if not extend(ShadowReading.objects.filter(pk=claim.reading_id), claim.token, lease()):
        raise ClaimLostError(f"shadow reading {claim.reading_id} is no longer this worker's")
    if InferenceJob.objects.filter(state=JobState.QUEUED).exists():
        _give_way(claim)
        raise ClaimLostError(f"shadow reading {claim.reading_id} gives way to a study that waits")


def complete_reading(claim: ReadingClaim, segmentation: Segmentation) -> None:
    """The answer is kept and compared with the champion's; the study knows nothing of it.

    Raises: ClaimLostError; AgreementError when the champion read the series on another grid.
    """
    files = store_masks(segmentation)
    reading = ShadowReading.objects.select_related("champion_result").get(pk=claim.reading_id)
    champion = reading.champion_result
    figures = compare(labels_of(champion), segmentation.labels, rule=rule_of(champion))
    with transaction.atomic():
        reading = held(ShadowReading.objects.all(), claim.reading_id, claim.token, name="shadow reading")
        _keep(reading, segmentation, files, figures)


def fail_reading(claim: ReadingClaim, *, reason: str) -> None:
    """The reading has failed with the reason; nothing else has. Raises: ClaimLostError."""
    with transaction.atomic():
        reading = held(ShadowReading.objects.all(), claim.reading_id, claim.token, name="shadow reading")
        reading.state, reading.reason = ReadingState.FAILED, reason
        end_reading(reading)


def tend_readings() -> None:
    """Readings of dead workers wait again, or have failed when too many died of them."""
    expired = ShadowReading.objects.filter(lapsed_at(clock.now(), ReadingState.RUNNING))
    for reading_id in list(expired.values_list("pk", flat=True)):
        _requeue(reading_id)
    with transaction.atomic():
        for reading_id in unclaimed(
            ShadowReading.objects.all(), queued=ReadingState.QUEUED, running=ReadingState.RUNNING
        ):
            _send(reading_id)


def compare_with_readers() -> None:
    """Readings of studies that were approved since, some at a time, are compared with the newest approved version."""
    approved = Annotation.objects.filter(study=OuterRef("study"), state=AnnotationState.APPROVED).order_by("-version")
    read = ShadowReading.objects.filter(state=ReadingState.SUCCEEDED).annotate(
        newest=Subquery(approved.values("pk")[:1])
    )
    waiting = read.filter(newest__isnull=False).exclude(final=F("newest"))
    for reading_id, final_id in list(waiting.values_list("pk", "newest")[:AT_ONCE]):
        _compare_with(reading_id, Annotation.objects.get(pk=final_id))


def labels_of(annotation: Annotation) -> Volume:
    return _labels(annotation.mask_key, annotation)


def rule_of(annotation: Annotation) -> CountingRule:
    return CountingRule(annotation.connectivity, annotation.minimum_volume_mm3)


def _compare_with(reading_id: UUID, final: Annotation) -> None:
    """A version over another series says nothing of either model, and is noted as looked at."""
    reading = ShadowReading.objects.select_related("champion_result").get(pk=reading_id)
    champion, approved = reading.champion_result, labels_of(final)
    reading.final, reading.against_final, reading.champion_against_final = final, None, None
    try:
        own, theirs = (
            compare(labels, approved, rule=rule_of(final))
            for labels in (_labels(reading.mask_key, champion), labels_of(champion))
        )
        reading.against_final, reading.champion_against_final = own.as_json(), theirs.as_json()
    except AgreementError as error:
        logger.info("shadow reading %s: not compared with version %s: %s", reading.pk, final.pk, error)
    reading.save(update_fields=["final", "against_final", "champion_against_final", "modified"])


@transaction.atomic
def _give_way(claim: ReadingClaim) -> None:
    """No attempt of a reading is one that was given up for a study."""
    reading = held(ShadowReading.objects.all(), claim.reading_id, claim.token, name="shadow reading")
    reading.attempts -= 1
    queue_reading(reading)


def queue_reading(reading: ShadowReading) -> None:
    """The reading waits for a worker, and the workers are told after the commit."""
    reading.state, reading.lease_token, reading.lease_expires_at = ReadingState.QUEUED, None, None
    reading.save()
    _send(reading.pk)


def _labels(mask_key: str, grid: Annotation) -> Volume:
    voxels = mask_codec.decode(stored_path(mask_key).read_bytes())
    return Volume(voxels, np.array(grid.affine, np.float64).reshape(4, 4))


def _keep(reading: ShadowReading, segmentation: Segmentation, files: MaskFiles, figures: Comparison) -> None:
    counts = segmentation.lesions.counts()
    reading.state = ReadingState.SUCCEEDED
    reading.mask_key, reading.probability_key = files.mask_key, files.probability_key
    reading.active_count, reading.inactive_count = counts[LesionClass.ACTIVE], counts[LesionClass.INACTIVE]
    reading.network_seconds = segmentation.seconds.get("network")
    reading.against_champion = figures.as_json()
    end_reading(reading)


def end_reading(reading: ShadowReading) -> None:
    """The reading has ended in the state that it has; no worker holds it."""
    reading.finished_at, reading.lease_token, reading.lease_expires_at = clock.now(), None, None
    reading.save()


@transaction.atomic
def _requeue(reading_id: UUID) -> None:
    rows = ShadowReading.objects.select_for_update(of=("self",))
    reading = rows.filter(lapsed_at(clock.now(), ReadingState.RUNNING), pk=reading_id).first()
    if reading is None:
        return
    logger.warning("shadow reading %s: the lease of worker %s lapsed", reading.pk, reading.worker)
    if reading.attempts >= settings.JOB_MAX_ATTEMPTS:
        reading.state = ReadingState.FAILED
        reading.reason = f"The worker died {reading.attempts} times while it read this study."
        end_reading(reading)
        return
    queue_reading(reading)


def _send(reading_id: UUID) -> None:
    """The workers are told of it after the commit, behind everything else."""
    enqueue(READ_TASK, str(reading_id), queue=INFERENCE_QUEUE, priority=LAST)
