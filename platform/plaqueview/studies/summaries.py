"""What the floors above tell a study about itself: its state, its current annotation, its latest job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.core.live import WORKLIST, announce, study_topic
from plaqueview.studies.models import UNDER_READERS, Study, StudyState

MAX_REASON_LENGTH = 1000


@dataclass(frozen=True)
class ModelReference:
    """A model version, as lists show it; `sha256` is lower-case hex of its weights."""

    id: UUID
    name: str
    version: str
    sha256: str

    def as_json(self) -> dict[str, str]:
        return {"id": str(self.id), "name": self.name, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True)
class RegionSummary:
    """Where the lesions of an annotation lie: pending, determined, or not_determined with the reason in `note`.

    `counts` are by region, then by class. `dissemination` is a sentence, empty unless the regions are determined.
    """

    state: str
    note: str
    counts: Mapping[str, Mapping[str, int]]
    rule: str
    dissemination: str

    def as_json(self) -> dict[str, object]:
        """The shape that the API gives it."""
        counts = {region: dict(by_class) for region, by_class in self.counts.items()}
        return {
            "state": self.state,
            "note": self.note,
            "counts": counts,
            "rule": self.rule,
            "dissemination": self.dissemination,
        }


@dataclass(frozen=True)
class AnnotationSummary:
    """The current annotation of a study: what the worklist shows of it. Counts and volumes are by lesion class."""

    id: UUID
    series_id: UUID
    version: int
    state: str
    author: str | None
    model: ModelReference | None
    created: datetime
    lesion_counts: Mapping[str, int]
    lesion_volumes_ml: Mapping[str, float]
    counting_rule: str
    claim: str
    unconfirmed_active_count: int
    regions: RegionSummary
    warnings: tuple[str, ...] = ()

    def as_json(self, study_id: UUID) -> dict[str, object]:
        """The shape that the API gives it, in studies and on its own."""
        return {
            "id": str(self.id),
            "study": str(study_id),
            "series": str(self.series_id),
            "version": self.version,
            "state": self.state,
            "author": self.author,
            "model": self.model.as_json() if self.model else None,
            "created": self.created.isoformat(),
            "lesion_counts": dict(self.lesion_counts),
            "lesion_volumes_ml": dict(self.lesion_volumes_ml),
            "counting_rule": self.counting_rule,
            "claim": self.claim,
            "unconfirmed_active_count": self.unconfirmed_active_count,
            "warnings": list(self.warnings),
            "regions": self.regions.as_json(),
        }


@dataclass(frozen=True)
class JobSummary:
    """The latest job of a study; `progress` runs from 0 to 1."""

    id: UUID
    series_id: UUID | None
    state: str
    progress: float
    stage: str
    reason: str
    attempts: int
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    requested_by: str | None
    model: ModelReference | None
    annotation_id: UUID | None

    def as_json(self, study_id: UUID) -> dict[str, object]:
        """The shape that the API gives it, in studies and on its own."""
        return {
            "id": str(self.id),
            "study": str(study_id),
            "series": str(self.series_id) if self.series_id else None,
            "state": self.state,
            "progress": self.progress,
            "stage": self.stage,
            "reason": self.reason,
            "attempts": self.attempts,
            "requested_at": self.requested_at.isoformat(),
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "requested_by": self.requested_by,
            "model": self.model.as_json() if self.model else None,
            "annotation": str(self.annotation_id) if self.annotation_id else None,
        }


@transaction.atomic
def set_state(study_id: UUID, state: StudyState, reason: str = "") -> None:
    """The study is in the state, with the reason that a user reads; its listeners hear of it when that is news."""
    study = Study.objects.select_for_update().get(pk=study_id)
    reason = reason[:MAX_REASON_LENGTH]
    if (study.state, study.state_reason) == (state, reason):
        return
    study.state, study.state_reason = state, reason
    study.save(update_fields=["state", "state_reason", "modified"])
    announce_study(study)


@transaction.atomic
def follow_job(study_id: UUID, state: StudyState, reason: str = "") -> None:
    """The study is in the state that its job brings about, unless readers have gone on without the job."""
    study = Study.objects.select_for_update().get(pk=study_id)
    if study.state not in UNDER_READERS:
        set_state(study_id, state, reason)


@transaction.atomic
def record_result(*, study_id: UUID, annotation: AnnotationSummary | None) -> None:
    """The study shows the annotation as its current one, with its counts; None takes them away."""
    study = Study.objects.select_for_update().get(pk=study_id)
    study.current_annotation_id = annotation.id if annotation else None
    study.annotation_summary = annotation.as_json(study_id) if annotation else None
    study.active_count = annotation.lesion_counts["active"] if annotation else None
    study.inactive_count = annotation.lesion_counts["inactive"] if annotation else None
    study.active_volume_ml = annotation.lesion_volumes_ml["active"] if annotation else None
    study.inactive_volume_ml = annotation.lesion_volumes_ml["inactive"] if annotation else None
    study.counting_rule = annotation.counting_rule if annotation else ""
    study.teaching_score, study.teaching_parts = None, []
    study.save(
        update_fields=[
            "current_annotation_id",
            "annotation_summary",
            "active_count",
            "inactive_count",
            "active_volume_ml",
            "inactive_volume_ml",
            "counting_rule",
            "teaching_score",
            "teaching_parts",
            "modified",
        ]
    )


def refresh_summary(*, study_id: UUID, annotation: AnnotationSummary) -> None:
    """The study says of its current annotation what is known of it now; of any other it says nothing."""
    shown = Study.objects.filter(pk=study_id, current_annotation_id=annotation.id)
    shown.update(annotation_summary=annotation.as_json(study_id), modified=timezone.now())


def record_teaching(
    *, study_id: UUID, annotation_id: UUID, score: float, parts: Sequence[Mapping[str, object]]
) -> None:
    """The study says what labelling it would teach, while it shows the result of which that is said."""
    shown = Study.objects.filter(pk=study_id, current_annotation_id=annotation_id)
    shown.update(teaching_score=score, teaching_parts=list(parts), modified=timezone.now())


def record_job(*, study_id: UUID, job: JobSummary) -> None:
    """The study shows the job as its latest one; one UPDATE, for it is called with every step of progress."""
    Study.objects.filter(pk=study_id).update(latest_job_id=job.id, job_summary=job.as_json(study_id))


def announce_study(study: Study) -> None:
    """Who looks at the worklist or the study hears of it after the commit."""
    event = {"type": "study.changed", "study": str(study.pk), "state": str(study.state)}
    announce(event, topics=(WORKLIST, study_topic(study.pk)), site_id=study.site_id)
