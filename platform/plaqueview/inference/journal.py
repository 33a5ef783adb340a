"""What the rest of the house hears of a job: the study's own columns, the audit, and who looks on."""

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import WORKLIST, Event, announce, study_topic
from plaqueview.inference.models import InferenceJob
from plaqueview.registry.models import ModelVersion
from plaqueview.studies import services as studies


def summary_of(job: InferenceJob) -> studies.JobSummary:
    """What lists show of the job."""
    return studies.JobSummary(
        id=job.pk,
        series_id=job.series_id,
        state=job.state,
        progress=job.progress,
        stage=job.stage,
        reason=job.reason,
        attempts=job.attempts,
        requested_at=job.created,
        started_at=job.started_at,
        finished_at=job.finished_at,
        requested_by=job.requested_by.get_username() if job.requested_by else None,
        model=reference_to(job.model) if job.model else None,
        annotation_id=job.annotation_id,
    )


def reference_to(model: ModelVersion) -> studies.ModelReference:
    return studies.ModelReference(id=model.pk, name=model.name, version=model.version, sha256=model.sha256)


def publish(job: InferenceJob) -> None:
    """The study shows the job as it is now, and listeners hear of it after the commit."""
    studies.record_job(study_id=job.study_id, job=summary_of(job))
    event: Event = {
        "type": "job.progress",
        "job": str(job.pk),
        "study": str(job.study_id),
        "state": str(job.state),
        "stage": str(job.stage),
        "progress": job.progress,
    }
    announce(event, topics=(WORKLIST, study_topic(job.study_id)), site_id=job.study.site_id)


def record(kind: EventKind, job: InferenceJob, *, actor: User | None) -> None:
    """The audit knows what happened to the job, and who did it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="job",
        object_id=job.pk,
        site_id=job.study.site_id,
        details={
            "study": str(job.study_id),
            "series": str(job.series_id),
            "attempts": job.attempts,
            "annotation": str(job.annotation_id) if job.annotation_id else None,
        },
    )
