"""A job belongs to one worker at a time, and to nobody when that worker is dead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user
from tests.core.clocks import needs_a_clock_of_its_own, set_clock
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


def job_of(claim: services.Claim) -> InferenceJob:
    return InferenceJob.objects.get(pk=claim.job_id)


def lapse(claim: services.Claim) -> None:
    """The worker has not renewed for longer than its lease."""
    InferenceJob.objects.filter(pk=claim.job_id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_a_claim_makes_the_job_and_the_study_run(study, settings):
    claim = claimed(study, worker="inference@here:7")

    job = job_of(claim)
    study.refresh_from_db()
    assert (job.state, job.stage, job.attempts, job.worker) == ("running", "loading", 1, "inference@here:7")
    assert job.model == make_model()
    assert job.lease_expires_at - job.started_at == timedelta(seconds=settings.JOB_LEASE_S)
    assert (study.state, study.job_summary["state"]) == (StudyState.RUNNING, "running")


@needs_a_clock_of_its_own
@pytest.mark.parametrize("length", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_worker_whose_clock_is_wrong_keeps_its_job_as_long_as_any_other(study, settings, monkeypatch, length):
    with monkeypatch.context() as wrong:
        set_clock(wrong, length)
        claim = claimed(study)

    assert services.requeue_expired() == 0
    left = job_of(claim).lease_expires_at - timezone.now()
    assert timedelta(0) < left <= timedelta(seconds=settings.JOB_LEASE_S + 1)


def test_a_claimed_job_is_not_claimed_again(study):
    claim = claimed(study)

    assert services.claim(job_id=claim.job_id, worker="worker-2", model_id=make_model().pk) is None

    assert job_of(claim).worker == "worker-1"


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_an_ended_job_is_not_claimed(study, state):
    claim = claimed(study)
    end = {
        JobState.SUCCEEDED: lambda: services.complete(claim, segmentation=segmentation()),
        JobState.FAILED: lambda: services.fail(claim, reason="No head was found."),
        JobState.CANCELLED: lambda: services.cancel(
            job_id=claim.job_id, actor=make_user(Role.NEUROLOGIST, site=study.site)
        ),
    }
    end[state]()

    assert services.claim(job_id=claim.job_id, worker="worker-2", model_id=make_model().pk) is None

    assert job_of(claim).state == state


def test_renewing_moves_the_lease_and_the_progress(study):
    claim = claimed(study)
    lapse(claim)

    services.renew(claim, progress=0.5, stage=JobStage.NETWORK)

    job = job_of(claim)
    study.refresh_from_db()
    assert (job.progress, job.stage) == (0.5, JobStage.NETWORK)
    assert job.lease_expires_at > timezone.now()
    assert (study.job_summary["progress"], study.job_summary["stage"]) == (0.5, "network")


def test_a_renewal_without_progress_announces_nothing(study, announced):
    claim = claimed(study)
    services.renew(claim, progress=0.5, stage=JobStage.NETWORK)
    announced.clear()

    services.renew(claim, progress=0.5, stage=JobStage.NETWORK)

    assert announced == []


def test_the_job_of_a_dead_worker_is_claimed_by_another_which_alone_may_write(study):
    first = claimed(study)
    lapse(first)

    second = services.claim(job_id=first.job_id, worker="worker-2", model_id=make_model().pk)

    assert second is not None
    assert second.attempt == 2
    for late in (
        lambda: services.renew(first, progress=0.9, stage=JobStage.NETWORK),
        lambda: services.complete(first, segmentation=segmentation()),
        lambda: services.fail(first, reason="Too late."),
    ):
        with pytest.raises(services.ClaimLostError):
            late()
    assert (job_of(first).worker, job_of(first).state) == ("worker-2", JobState.RUNNING)
    assert study.annotations.count() == 0


def test_a_cancelled_job_tells_its_worker(study):
    claim = claimed(study)
    reader = make_user(Role.NEUROLOGIST, site=study.site)

    services.cancel(job_id=claim.job_id, actor=reader)

    with pytest.raises(services.JobCancelledError, match=reader.username):
        services.renew(claim, progress=0.5, stage=JobStage.NETWORK)
    with pytest.raises(services.JobCancelledError):
        services.complete(claim, segmentation=segmentation())
    assert study.annotations.count() == 0


def test_a_lapsed_job_waits_again(study, sent_tasks, django_capture_on_commit_callbacks):
    claim = claimed(study)
    lapse(claim)

    with django_capture_on_commit_callbacks(execute=True):
        assert services.requeue_expired() == 1
        assert services.requeue_expired() == 0

    job = job_of(claim)
    study.refresh_from_db()
    assert (job.state, job.progress, job.attempts, job.lease_token) == (JobState.QUEUED, 0.0, 1, None)
    assert study.state == StudyState.QUEUED
    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")]


def test_a_job_that_lives_is_left_alone(study):
    claim = claimed(study)

    assert services.requeue_expired() == 0

    assert job_of(claim).state == JobState.RUNNING


def test_a_job_that_takes_every_worker_with_it_fails_by_name(study, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    claim = claimed(study)
    lapse(claim)
    services.requeue_expired()
    services.claim(job_id=claim.job_id, worker="worker-2", model_id=make_model().pk)
    lapse(claim)

    assert services.claim(job_id=claim.job_id, worker="worker-3", model_id=make_model().pk) is None
    services.requeue_expired()

    job = job_of(claim)
    study.refresh_from_db()
    assert (job.state, job.reason) == (JobState.FAILED, "The worker died 2 times while it read this study.")
    assert (study.state, study.state_reason) == (StudyState.FAILED, job.reason)
    assert AuditEvent.objects.filter(kind=EventKind.JOB_FAILED).count() == 1


def test_a_queued_job_whose_message_was_lost_is_sent_again_once_a_minute(
    study, sent_tasks, django_capture_on_commit_callbacks
):
    job = services.request(study_id=study.pk, actor=None)
    InferenceJob.objects.filter(pk=job.pk).update(modified=timezone.now() - timedelta(seconds=61))

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()
        services.requeue_expired()

    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")]


@pytest.mark.parametrize(("is_background", "is_sent"), [(False, True), (True, False)])
def test_only_a_job_that_readers_wait_for_is_sent_again_behind_one_in_the_background(
    is_background, is_sent, study, sent_tasks, django_capture_on_commit_callbacks
):
    running = claimed(make_study(uid="9.9"))
    InferenceJob.objects.filter(pk=running.job_id).update(is_background=True)
    job = services.request(study_id=study.pk, actor=None)
    lost_at = timezone.now() - timedelta(seconds=61)
    InferenceJob.objects.filter(pk=job.pk).update(is_background=is_background, modified=lost_at)

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()
        services.requeue_expired()

    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")] * is_sent


def test_jobs_in_the_background_are_sent_again_after_those_that_readers_wait_for(
    study, sent_tasks, django_capture_on_commit_callbacks
):
    lost_at = timezone.now() - timedelta(seconds=61)
    jobs = [services.request(study_id=one.pk, actor=None) for one in (make_study(uid="9.9", site=study.site), study)]
    for job, is_background in zip(jobs, (True, False), strict=True):
        InferenceJob.objects.filter(pk=job.pk).update(is_background=is_background, modified=lost_at)

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()
        services.requeue_expired()

    assert [arguments for _, arguments, _ in sent_tasks] == [(str(jobs[1].pk),), (str(jobs[0].pk),)]


def test_a_queue_behind_a_busy_worker_is_not_sent_again(study, sent_tasks, django_capture_on_commit_callbacks):
    claimed(make_study(uid="9.9"))
    job = services.request(study_id=study.pk, actor=None)
    InferenceJob.objects.filter(pk=job.pk).update(modified=timezone.now() - timedelta(seconds=61))

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()

    assert sent_tasks == []
