"""A result is written whole and once, a failure by name."""

import pytest
from django.db import transaction

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.storage import stored_path
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study, StudyState
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


def test_a_result_is_the_annotation_the_job_and_the_study_at_once(study):
    claim = claimed(study)

    annotation = services.complete(claim, segmentation=segmentation())

    job = InferenceJob.objects.get(pk=claim.job_id)
    study.refresh_from_db()
    assert (job.state, job.progress, job.annotation, job.model) == (JobState.SUCCEEDED, 1.0, annotation, make_model())
    assert (job.lease_token, job.lease_expires_at) == (None, None)
    assert job.finished_at is not None
    assert (study.state, study.active_count, study.inactive_count) == (StudyState.READY, 1, 2)
    assert study.current_annotation_id == annotation.pk
    assert study.job_summary["annotation"] == str(annotation.pk)
    assert Lesion.objects.filter(annotation=annotation).count() == 3
    kinds = AuditEvent.objects.order_by("sequence").values_list("kind", flat=True)
    assert list(kinds)[-2:] == [EventKind.ANNOTATION_CREATED, EventKind.JOB_SUCCEEDED]


def test_a_result_is_announced_by_pointers_only(study, announced):
    claim = claimed(study)
    announced.clear()

    annotation = services.complete(claim, segmentation=segmentation())

    assert announced == [
        {"type": "annotation.changed", "study": str(study.pk), "annotation": str(annotation.pk), "version": 1},
        {
            "type": "job.progress",
            "job": str(claim.job_id),
            "study": str(study.pk),
            "state": "succeeded",
            "stage": "saving",
            "progress": 1.0,
        },
        {"type": "study.changed", "study": str(study.pk), "state": "ready"},
    ]


def test_a_result_is_written_once(study):
    claim = claimed(study)
    services.complete(claim, segmentation=segmentation())

    with pytest.raises(services.ClaimLostError):
        services.complete(claim, segmentation=segmentation())

    assert Annotation.objects.count() == 1


def test_a_result_that_cannot_be_written_whole_is_not_written_at_all(study, monkeypatch):
    claim = claimed(study)

    def fail_late(**_fields):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(studies, "record_result", fail_late)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.complete(claim, segmentation=segmentation())

    study.refresh_from_db()
    assert (Annotation.objects.count(), Lesion.objects.count()) == (0, 0)
    assert InferenceJob.objects.get(pk=claim.job_id).state == JobState.RUNNING
    assert study.state == StudyState.RUNNING


def test_the_files_of_a_result_are_in_the_store(study):
    annotation = services.complete(claimed(study), segmentation=segmentation())

    for key in (annotation.mask_key, annotation.brain_mask_key, annotation.probability_key):
        assert key.startswith("masks/")
        assert stored_path(key).is_file()


def test_a_failure_has_its_reason_in_the_job_and_in_the_study(study):
    claim = claimed(study)

    services.fail(claim, reason="Slices 7-8 are missing.")

    job = InferenceJob.objects.get(pk=claim.job_id)
    study.refresh_from_db()
    assert (job.state, job.reason) == (JobState.FAILED, "Slices 7-8 are missing.")
    assert (study.state, study.state_reason) == (StudyState.FAILED, "Slices 7-8 are missing.")
    assert AuditEvent.objects.filter(kind=EventKind.JOB_FAILED, object_id=str(job.pk)).count() == 1
