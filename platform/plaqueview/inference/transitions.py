"""The state machine: the only place that changes a job's state."""

from typing import Final

from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue
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


def queue(job: InferenceJob) -> None:
    """The job waits for a worker, and the workers are told after the commit."""
    job.state, job.stage, job.progress = JobState.QUEUED, JobStage.QUEUED, 0.0
    job.lease_token = job.lease_expires_at = None
    job.save()
    studies.set_state(job.study_id, StudyState.QUEUED)
    journal.publish(job)
    enqueue(SEGMENT_TASK, str(job.pk), queue=INFERENCE_QUEUE)


def end(job: InferenceJob, state: JobState, *, reason: str, actor: User | None) -> None:
    """The job has ended, for good, in one of the three named ways; the reason is for a user to read."""
    job.state, job.reason, job.finished_at = state, reason, timezone.now()
    job.lease_token = job.lease_expires_at = None
    job.save()
    studies.set_state(job.study_id, *_study_state_after(job))
    journal.record(EVENT_OF_END[state], job, actor=actor)
    journal.publish(job)


def _study_state_after(job: InferenceJob) -> tuple[StudyState, str]:
    """A cancelled job leaves the study with the result it had, if it had one."""
    has_result = job.study.current_annotation_id is not None
    if job.state == JobState.SUCCEEDED or (job.state == JobState.CANCELLED and has_result):
        return StudyState.READY, ""
    return StudyState.FAILED, job.reason
