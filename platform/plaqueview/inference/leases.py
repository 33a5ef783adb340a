"""Who may work on a job: one worker, as long as it renews its lease."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from plaqueview.annotations.models import Draft
from plaqueview.core import clock
from plaqueview.core.errors import ConflictError
from plaqueview.core.leases import ClaimLostError, lapsed_at, take, unclaimed
from plaqueview.inference import journal, transitions
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.studies import services as studies
from plaqueview.studies.models import UNDER_READERS, Study, StudyState

logger = logging.getLogger(__name__)


class JobCancelledError(ConflictError):
    """A user cancelled the job that this worker runs."""

    code = "job_cancelled"


@dataclass(frozen=True)
class Claim:
    """The right to work on a job; `token` is a secret between the worker and the database."""

    job_id: UUID
    token: UUID
    study_id: UUID
    series_id: UUID
    attempt: int


def lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_S)


@transaction.atomic
def claim(*, job_id: UUID, worker: str, model_id: UUID) -> Claim | None:
    """The job is this worker's, to be read by this model; None when it has ended, or another worker holds it."""
    study_id = InferenceJob.objects.filter(pk=job_id).values_list("study_id", flat=True).first()
    if study_id is None:
        return None
    Study.objects.select_for_update().get(pk=study_id)
    _yield_to_readers(job_id)
    now = clock.now()
    token = take(
        InferenceJob.objects.claimable(now).filter(pk=job_id, attempts__lt=settings.JOB_MAX_ATTEMPTS),
        now=now,
        running=JobState.RUNNING,
        length=lease(),
        stage=JobStage.LOADING,
        progress=0.0,
        reason="",
        started_at=now,
        worker=worker,
        model=model_id,
    )
    if token is None:
        return None
    job = InferenceJob.objects.with_references().get(pk=job_id)
    if not job.is_background:
        studies.follow_job(job.study_id, StudyState.RUNNING)
    journal.publish(job)
    return Claim(job.pk, token, job.study_id, job.series_id, job.attempts)


def _yield_to_readers(job_id: UUID) -> None:
    """A job in the background is cancelled when a reader has taken up its study; the study's row is locked."""
    job = InferenceJob.objects.locked().filter(pk=job_id, is_background=True, state=JobState.QUEUED).first()
    if job is None:
        return
    if job.study.state in UNDER_READERS or Draft.objects.open().filter(study=job.study_id).exists():
        transitions.end(job, JobState.CANCELLED, reason="A reader took up the study first.", actor=None)


@transaction.atomic
def renew(claim: Claim, *, progress: float, stage: JobStage) -> None:
    """The lease runs anew, and listeners hear of progress when there is any.

    Raises: JobCancelledError, ClaimLostError.
    """
    job = held_job(claim)
    is_news = (job.progress, job.stage) != (progress, stage)
    job.progress, job.stage, job.lease_expires_at = progress, stage, clock.now() + lease()
    job.save(update_fields=["progress", "stage", "lease_expires_at", "modified"])
    if is_news:
        journal.publish(job)


def held_job(claim: Claim) -> InferenceJob:
    """The job, locked together with its study, while the claim holds.

    Raises: JobCancelledError, ClaimLostError.
    """
    Study.objects.select_for_update().get(pk=claim.study_id)
    job = InferenceJob.objects.locked().get(pk=claim.job_id)
    if job.state == JobState.CANCELLED:
        raise JobCancelledError(job.reason)
    if job.lease_token != claim.token:
        raise ClaimLostError(f"job {job.pk} is {job.state}, and the claim of attempt {claim.attempt} has lapsed")
    return job


def requeue_expired() -> int:
    """Jobs of dead workers wait again, or have failed when too many workers died of them; returns how many."""
    expired = InferenceJob.objects.filter(lapsed_at(clock.now(), JobState.RUNNING))
    jobs = list(expired.values_list("pk", "study_id"))
    requeued = sum(_requeue(job_id, study_id) for job_id, study_id in jobs)
    _send_unclaimed()
    return requeued


@transaction.atomic
def _requeue(job_id: UUID, study_id: UUID) -> bool:
    Study.objects.select_for_update().get(pk=study_id)
    expired = InferenceJob.objects.locked().filter(lapsed_at(clock.now(), JobState.RUNNING))
    job = expired.filter(pk=job_id).first()
    if job is None:
        return False
    logger.warning("job %s: the lease of worker %s lapsed in attempt %s", job.pk, job.worker, job.attempts)
    if job.attempts >= settings.JOB_MAX_ATTEMPTS:
        reason = f"The worker died {job.attempts} times while it read this study."
        transitions.end(job, JobState.FAILED, reason=reason, actor=None)
    else:
        transitions.queue(job)
    return True


@transaction.atomic
def _send_unclaimed() -> None:
    """A worker that is busy with a job in the background is not busy for those that readers wait for."""
    jobs = InferenceJob.objects.all()
    waiting = _unclaimed(jobs.filter(is_background=False)) or _unclaimed(jobs)
    for job in jobs.filter(pk__in=waiting).order_by("created"):
        transitions.send(job)


def _unclaimed(jobs: QuerySet[InferenceJob]) -> Sequence[UUID]:
    return unclaimed(jobs, queued=JobState.QUEUED, running=JobState.RUNNING)
