"""The state machine: the only place that changes a job's state."""

from typing import Final

from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.core.queue import FIRST, INFERENCE_QUEUE, LATER, enqueue
from plaqueview.inference import journal
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.studies import services as studies
from plaqueview.studies.models import StudyState

SEGMENT_TASK: Final = "inference.segment"

EVENT_OF_END: Final = {
    JobState.SUCCEEDED: EventKind.JOB_SUCCEEDED,
    JobState.FAILED: EventKind.JOB_FAILED,
    JobState.CANCELLED: EventKind.JOB_CANCELLED,
}

STUDY_STATE_OF_JOB: Final = {
    JobState.QUEUED: StudyState.QUEUED,
    JobState.RUNNING: StudyState.RUNNING,
    JobState.SUCCEEDED: StudyState.READY,
    JobState.FAILED: StudyState.FAILED,
    JobState.CANCELLED: StudyState.FAILED,
}


def queue(job: InferenceJob) -> None:
    """The job waits for a worker, and the workers are told after the commit."""
    lay_by(job)
    send(job)


def lay_by(job: InferenceJob) -> None:
    """The job waits for a worker; the clock tells the workers in a while."""
    job.state, job.stage, job.progress = JobState.QUEUED, JobStage.QUEUED, 0.0
    job.lease_token = job.lease_expires_at = None
    job.save()
    if not job.is_background:
        studies.follow_job(job.study_id, StudyState.QUEUED)
    journal.publish(job)


def send(job: InferenceJob) -> None:
    """The workers are told of the job after the commit."""
    enqueue(SEGMENT_TASK, str(job.pk), queue=INFERENCE_QUEUE, priority=priority_of(job))


def priority_of(job: InferenceJob) -> int:
    """When its tasks' turn comes."""
    return LATER if job.is_background else FIRST


def bring_forward(job: InferenceJob) -> None:
    """The job, which is live, no longer waits for others; the message behind them finds it claimed."""
    job.is_background = False
    job.save(update_fields=["is_background", "modified"])
    studies.follow_job(job.study_id, STUDY_STATE_OF_JOB[JobState(job.state)])
    if job.state == JobState.QUEUED:
        send(job)


def end(job: InferenceJob, state: JobState, *, reason: str, actor: User | None) -> None:
    """The job has ended, for good, in one of the three named ways, and the study says so."""
    close(job, state, reason=reason, actor=actor)
    studies.follow_job(job.study_id, *study_state_of(job))


def close(job: InferenceJob, state: JobState, *, reason: str, actor: User | None) -> None:
    """The job has ended; the study goes on with another. The reason is for a user to read."""
    job.state, job.reason, job.finished_at = state, reason, timezone.now()
    job.lease_token = job.lease_expires_at = None
    job.save()
    journal.record(EVENT_OF_END[state], job, actor=actor)
    journal.publish(job)


def study_state_of(job: InferenceJob) -> tuple[StudyState, str]:
    """How the study stands by its latest job; a cancelled one, or one in the background, leaves its result."""
    leaves_result = job.is_background or job.state == JobState.CANCELLED
    if leaves_result and job.study.current_annotation_id is not None:
        return StudyState.READY, ""
    state = STUDY_STATE_OF_JOB[JobState(job.state)]
    return state, job.reason if state == StudyState.FAILED else ""
