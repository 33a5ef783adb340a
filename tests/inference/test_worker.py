"""Real worker processes, a real broker, and SIGKILL: nothing is lost, and nothing is written twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference_worker.tasks import reader
from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.audit.services import verify_chain
from plaqueview.celery import celery_app
from plaqueview.core.access import Role
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.registry.services import register_shipped
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user
from tests.inference.heads import settled_head
from tests.inference.processes import (
    QUICK,
    SHORT_LEASE,
    inference_worker,
    kill,
    process,
    said,
    wait_until,
    worker,
)
from tests.worker.support import head_volume

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LONG_STACK = (20, 96, 96)
RUN_TIMEOUT_S = 240.0


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "workers.log"


def asked_for(shape=LONG_STACK) -> InferenceJob:
    return services.request(study_id=settled_head(head_volume(shape, (1.6, 2.2, 2.2))).pk, actor=None)


def wait_for_state(job: InferenceJob, state: JobState, log: Path) -> None:
    def is_there() -> bool:
        job.refresh_from_db()
        return job.state == state

    wait_until(is_there, what=f"the job to be {state}", log=log, timeout_s=RUN_TIMEOUT_S)


def wait_for_network(job: InferenceJob, log: Path) -> None:
    def is_there() -> bool:
        job.refresh_from_db()
        return job.stage == JobStage.NETWORK

    wait_until(is_there, what="the network to run", log=log, timeout_s=RUN_TIMEOUT_S)


def require_one_result(job: InferenceJob) -> None:
    study = Study.objects.get()
    annotation = Annotation.objects.get()
    job.refresh_from_db()
    assert (job.state, job.annotation, annotation.version) == (JobState.SUCCEEDED, annotation, 1)
    assert (study.state, study.current_annotation_id) == (StudyState.READY, annotation.pk)
    assert annotation.lesions.count() == annotation.active_count + annotation.inactive_count
    assert AuditEvent.objects.filter(kind=EventKind.JOB_SUCCEEDED).count() == 1
    assert verify_chain().problems == ()


def test_a_job_of_a_killed_worker_is_run_again_by_redelivery(log):
    job = asked_for()
    with inference_worker(log, **SHORT_LEASE) as first:
        wait_for_network(job, log)
        kill(first)
    job.refresh_from_db()
    assert (job.state, Annotation.objects.count()) == (JobState.RUNNING, 0)

    with inference_worker(log):
        wait_for_state(job, JobState.SUCCEEDED, log)

    require_one_result(job)
    assert job.attempts == 2


def test_a_job_whose_worker_and_message_are_both_gone_is_found_by_the_clock(log, tmp_path, empty_broker):
    job = asked_for()
    with inference_worker(log, **SHORT_LEASE) as first:
        wait_for_network(job, log)
        kill(first)
    empty_broker.flushall()

    clock = ("-m", "celery", "--app", "plaqueview.celery:celery_app", "beat", "--schedule", str(tmp_path / "beat"))
    with (
        inference_worker(log),
        worker("default", log=tmp_path / "default.log", **QUICK),
        process(*clock, "--pidfile", "", log=tmp_path / "clock.log", **QUICK),
    ):
        wait_for_state(job, JobState.SUCCEEDED, log)

    require_one_result(job)
    assert job.attempts == 2


def test_a_job_that_is_sent_many_times_is_run_once(log):
    job = asked_for((8, 96, 96))
    for _ in range(4):
        celery_app.send_task("inference.segment", args=[str(job.pk)], queue="inference")

    with inference_worker(log):
        wait_for_state(job, JobState.SUCCEEDED, log)
        # At least: on a slow machine the broker delivers the message of the one that runs once more.
        wait_until(lambda: said(log).count("has ended or is another worker's") >= 4, what="the copies", log=log)

    require_one_result(job)
    assert job.attempts == 1


def test_a_cancelled_job_frees_the_worker_for_the_next(log):
    job = asked_for()
    reader = make_user(Role.NEUROLOGIST, site=job.study.site)
    with inference_worker(log, **SHORT_LEASE):
        wait_for_network(job, log)
        services.cancel(job_id=job.pk, actor=reader)
        other = services.request(
            study_id=settled_head(head_volume(), site=job.study.site, patient_id="P2").pk, actor=None
        )
        wait_for_state(other, JobState.SUCCEEDED, log)

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert Annotation.objects.get().study_id == other.study_id


def test_a_worker_that_ends_in_peace_finishes_its_job_first(log):
    job = asked_for()
    with inference_worker(log) as only:
        wait_for_network(job, log)
        only.terminate()
        only.wait(RUN_TIMEOUT_S)

    require_one_result(job)
    assert job.attempts == 1


def test_a_worker_without_the_registry_s_consent_does_not_start(log):
    """Other weights under the same name and version: results would carry a stamp that is not theirs."""
    facts = reader().shipped
    register_shipped(replace(facts, sha256="0" * 64))

    with pytest.raises(AssertionError, match="changed weights need a new version"), inference_worker(log):
        pass
