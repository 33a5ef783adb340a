"""Asking for inference: one live job per study, the same answer to the same question."""

import pytest
from django.db import IntegrityError, transaction

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from plaqueview.core.errors import ConflictError, DeniedError, NotFoundError
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user
from tests.inference.scenes import add_series, choose_flair, claimed, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def reader(study):
    return make_user(Role.NEUROLOGIST, site=study.site)


def test_a_request_queues_a_job_and_the_study_with_it(study, reader):
    job = services.request(study_id=study.pk, actor=reader)

    study.refresh_from_db()
    assert (job.state, job.stage, job.progress, job.attempts) == (JobState.QUEUED, JobStage.QUEUED, 0.0, 0)
    assert job.series == study.flair_series
    assert study.state == StudyState.QUEUED
    assert study.latest_job_id == job.pk
    assert study.job_summary["requested_by"] == reader.username
    event = AuditEvent.objects.get(kind=EventKind.JOB_REQUESTED)
    assert (event.object_id, event.actor_id, event.site_id) == (str(job.pk), reader.pk, study.site_id)


def test_the_worker_is_told_after_the_commit_and_only_then(study, sent_tasks, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = services.request(study_id=study.pk, actor=None)
        assert sent_tasks == []

    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")]


def test_asking_again_is_the_same_job(study, reader, sent_tasks, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = services.request(study_id=study.pk, actor=None)
        second = services.request(study_id=study.pk, actor=reader)

    assert second == first
    assert len(sent_tasks) == 1


def test_the_system_asks_once_for_the_same_instances(study):
    claim = claimed(study)
    services.complete(claim, segmentation=segmentation())

    again = services.request(study_id=study.pk, actor=None)

    assert again.pk == claim.job_id
    assert InferenceJob.objects.count() == 1


def test_a_study_that_settles_again_with_the_same_flair_shows_its_result_again(study):
    services.complete(claimed(study), segmentation=segmentation())
    Study.objects.filter(pk=study.pk).update(state=StudyState.QUEUED)

    services.request(study_id=study.pk, actor=None)

    study.refresh_from_db()
    assert study.state == StudyState.READY


def test_a_user_may_have_a_finished_study_read_again(study, reader):
    first = claimed(study)
    services.complete(first, segmentation=segmentation())

    second = services.request(study_id=study.pk, actor=reader)

    assert second.pk != first.job_id
    assert second.state == JobState.QUEUED


def test_a_flair_that_grew_supersedes_the_job_that_reads_the_old_one(study):
    old = services.request(study_id=study.pk, actor=None)
    choose_flair(study, study.flair_series, content="with late slices")

    new = services.request(study_id=study.pk, actor=None)

    old.refresh_from_db()
    study.refresh_from_db()
    assert new.pk != old.pk
    assert (old.state, old.reason) == (JobState.CANCELLED, "The study changed: another job reads it as it is now.")
    assert (study.state, study.latest_job_id) == (StudyState.QUEUED, new.pk)


def test_another_chosen_series_supersedes_a_running_job(study, reader):
    claim = claimed(study)
    choose_flair(study, add_series(study, "1.2.3.2"))

    new = services.request(study_id=study.pk, actor=reader)

    assert new.series.series_instance_uid == "1.2.3.2"
    with pytest.raises(services.JobCancelledError):
        services.complete(claim, segmentation=segmentation())


def test_a_study_without_flair_is_refused(study, reader):
    Study.objects.filter(pk=study.pk).update(flair_series=None, state=StudyState.NO_FLAIR)

    with pytest.raises(ConflictError, match="no FLAIR series is chosen for this study, which is no_flair"):
        services.request(study_id=study.pk, actor=reader)

    assert not InferenceJob.objects.exists()


@pytest.mark.parametrize("state", [StudyState.IN_REVIEW, StudyState.APPROVED])
def test_a_study_that_readers_work_on_is_refused(study, reader, state):
    Study.objects.filter(pk=study.pk).update(state=state)

    for actor in (reader, None):
        with pytest.raises(ConflictError, match=state):
            services.request(study_id=study.pk, actor=actor)

    study.refresh_from_db()
    assert study.state == state


def test_only_a_user_has_an_incomplete_study_read_and_the_result_says_so(study, reader):
    Study.objects.filter(pk=study.pk).update(state=StudyState.INCOMPLETE)
    study.flair_series.is_complete = False
    study.flair_series.problems = ["slice 4 is missing"]
    study.flair_series.save()

    with pytest.raises(ConflictError, match="incomplete"):
        services.request(study_id=study.pk, actor=None)
    annotation = services.complete(claimed(study, actor=reader), segmentation=segmentation())

    assert annotation.warnings == ["The series is incomplete: slice 4 is missing.", "Trained on phantoms."]


def test_a_stranger_neither_sees_nor_changes_the_study(study):
    job = services.request(study_id=study.pk, actor=None)
    stranger = make_user(Role.ADMIN, site=create_site(name="Elsewhere"))

    for ask in (
        lambda: services.request(study_id=study.pk, actor=stranger),
        lambda: services.cancel(job_id=job.pk, actor=stranger),
        lambda: services.retry(job_id=job.pk, actor=stranger),
        lambda: services.read_job(job_id=job.pk, actor=stranger),
        lambda: services.read_jobs_of_study(study_id=study.pk, actor=stranger),
    ):
        with pytest.raises(NotFoundError):
            ask()

    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert list(services.read_jobs(actor=stranger)) == []


def test_a_token_without_the_actions_is_denied(study, reader):
    job = services.request(study_id=study.pk, actor=None)
    reader.token_scopes = frozenset({Action.STUDY_READ})

    for ask in (
        lambda: services.request(study_id=study.pk, actor=reader),
        lambda: services.cancel(job_id=job.pk, actor=reader),
        lambda: services.retry(job_id=job.pk, actor=reader),
        lambda: services.read_job(job_id=job.pk, actor=reader),
        lambda: services.read_jobs(actor=reader),
    ):
        with pytest.raises(DeniedError):
            ask()

    job.refresh_from_db()
    assert (job.state, InferenceJob.objects.count()) == (JobState.QUEUED, 1)


def test_a_cancelled_job_without_a_result_leaves_the_study_failed_by_name(study, reader):
    job = services.request(study_id=study.pk, actor=None)

    services.cancel(job_id=job.pk, actor=reader)
    again = services.cancel(job_id=job.pk, actor=reader)

    study.refresh_from_db()
    assert (again.state, again.reason) == (JobState.CANCELLED, f"Inference was cancelled by {reader.username}.")
    assert (study.state, study.state_reason) == (StudyState.FAILED, again.reason)
    assert AuditEvent.objects.filter(kind=EventKind.JOB_CANCELLED, actor_id=reader.pk).count() == 1


def test_a_cancelled_job_leaves_the_study_with_the_result_it_had(study, reader):
    services.complete(claimed(study), segmentation=segmentation())
    job = services.request(study_id=study.pk, actor=reader)

    services.cancel(job_id=job.pk, actor=reader)

    study.refresh_from_db()
    assert (study.state, study.active_count) == (StudyState.READY, 1)


def test_an_ended_job_cannot_be_cancelled(study, reader):
    claim = claimed(study)
    services.complete(claim, segmentation=segmentation())

    with pytest.raises(ConflictError, match="succeeded"):
        services.cancel(job_id=claim.job_id, actor=reader)


def test_a_failed_job_is_tried_again_in_a_new_one(study, reader):
    claim = claimed(study)
    services.fail(claim, reason="No head was found.")

    again = services.retry(job_id=claim.job_id, actor=reader)

    assert again.pk != claim.job_id
    assert (again.state, again.requested_by) == (JobState.QUEUED, reader)
    assert InferenceJob.objects.get(pk=claim.job_id).state == JobState.FAILED
    assert AuditEvent.objects.filter(kind=EventKind.JOB_RETRIED, object_id=str(claim.job_id)).count() == 1


def test_a_job_that_did_not_fail_or_read_another_series_is_not_tried_again(study, reader):
    claim = claimed(study)
    with pytest.raises(ConflictError, match="running"):
        services.retry(job_id=claim.job_id, actor=reader)
    services.fail(claim, reason="No head was found.")
    choose_flair(study, add_series(study, "1.2.3.2"))

    with pytest.raises(ConflictError, match="another series was chosen since"):
        services.retry(job_id=claim.job_id, actor=reader)

    assert InferenceJob.objects.count() == 1


def test_the_database_holds_to_the_state_machine(study):
    job = services.request(study_id=study.pk, actor=None)

    for fields in (
        {"state": JobState.RUNNING},
        {"state": JobState.SUCCEEDED},
        {"state": JobState.FAILED},
        {"state": "lost"},
        {"stage": "thinking"},
        {"progress": 1.5},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            InferenceJob.objects.filter(pk=job.pk).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        InferenceJob.objects.create(study=study, series=study.flair_series, flair_sha256=study.flair_sha256)
