"""What a worker leaves behind: a result, written once, or a reason."""

from typing import Final

from django.db import transaction

from plaqueview.annotations import services as annotations
from plaqueview.annotations.files import store_masks
from plaqueview.annotations.models import Annotation
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.inference import journal, transitions
from plaqueview.inference.leases import Claim, held_job
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.registry.models import ModelVersion

REGIONS_TASK: Final = "inference.map_regions"  # after the counts, which a reader waits for
# A floor above: named, never held.
FOLLOWING_TASKS: Final = ("longitudinal.request_for_study", "enhancement.request_for_study")


def complete(claim: Claim, *, segmentation: Segmentation) -> Annotation:
    """The study has the segmentation as its next version and the job has succeeded: all of it, or nothing.

    The files are stored first, under names made of their content, so that no other writer waits for the disk; without
    the row they are nobody's.

    Raises: JobCancelledError, ClaimLostError.
    """
    files = store_masks(segmentation)
    with transaction.atomic():
        job = held_job(claim)
        model = ModelVersion.objects.get(jobs=job)
        annotation = annotations.create_predicted(
            study_id=job.study_id,
            series_id=job.series_id,
            prediction=annotations.Prediction(
                segmentation, files, journal.reference_to(model), caveats=_caveats_of(job, model)
            ),
        )
        job.annotation, job.progress, job.stage = annotation, 1.0, JobStage.SAVING
        transitions.end(job, JobState.SUCCEEDED, reason="", actor=None)
        for task in FOLLOWING_TASKS:
            enqueue(task, str(job.study_id))
        priority = transitions.priority_of(job)
        enqueue(REGIONS_TASK, str(annotation.pk), queue=INFERENCE_QUEUE, priority=priority)
    return annotation


@transaction.atomic
def ask_for_regions_again() -> None:
    """Versions whose regions have not come are asked for once more."""
    for annotation_id in annotations.take_overdue_maps():
        enqueue(REGIONS_TASK, str(annotation_id), queue=INFERENCE_QUEUE)


@transaction.atomic
def fail(claim: Claim, *, reason: str) -> None:
    """The job and its study have failed, with the reason that a user reads.

    Raises: JobCancelledError, ClaimLostError.
    """
    transitions.end(held_job(claim), JobState.FAILED, reason=reason, actor=None)


@transaction.atomic
def put_back(claim: Claim, *, reason: str) -> None:
    """The job waits again, as what it needs is away: that is no attempt, and the reason says what it is.

    Raises: JobCancelledError, ClaimLostError.
    """
    job = held_job(claim)
    job.attempts, job.reason = job.attempts - 1, f"{reason}; it is tried again by itself"
    transitions.lay_by(job)


def _caveats_of(job: InferenceJob, model: ModelVersion) -> tuple[str, ...]:
    """What was wrong with the series when the job was asked for, then what the model is not good for."""
    return (*job.warnings, *([model.caveat] if model.caveat else []))
