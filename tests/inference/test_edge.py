"""The worker's task, in this process, with the network that ships: every way in which a job can end."""

import os
import threading
import time
from typing import NoReturn

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from inference_worker import memory, tasks
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.core.errors import AwayError
from plaqueview.core.leases import UNCLAIMED_AFTER
from plaqueview.core.storage import stored_path
from plaqueview.imaging.regions import Region
from plaqueview.imaging.volume import Volume
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user
from tests.imaging.phantoms import axial_affine
from tests.inference.heads import settled_head
from tests.inference.scenes import make_model

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> InferenceJob:
    return services.request(study_id=settled_head().pk, actor=None)


def run(job: InferenceJob) -> InferenceJob:
    """The worker was handed the job."""
    tasks.segment.apply(args=[str(job.pk)], throw=True)
    job.refresh_from_db()
    return job


def test_a_study_is_read_by_the_model_that_ships(job):
    run(job)

    study = Study.objects.get()
    annotation = Annotation.objects.get()
    model = ModelVersion.objects.get()
    assert (job.state, job.reason, job.attempts, job.annotation) == (JobState.SUCCEEDED, "", 1, annotation)
    assert (study.state, study.current_annotation_id) == (StudyState.READY, annotation.pk)
    assert annotation.shape == (8, 96, 96)
    assert annotation.model_sha256 == model.sha256 == tasks.reader().segmenter.model.sha256
    assert annotation.active_count + annotation.inactive_count == annotation.lesions.count()
    assert set(annotation.seconds) >= {"preprocessing", "network", "lesions"}
    assert annotation.computation == "float32 on the CPU"


def test_a_job_that_is_delivered_twice_is_run_once(job):
    run(job)

    run(job)

    assert (job.attempts, Annotation.objects.count()) == (1, 1)


def test_a_job_that_another_worker_holds_is_left_to_it(job):
    services.claim(job_id=job.pk, worker="another", model_id=make_model().pk)

    run(job)

    assert (job.state, job.worker, job.attempts) == (JobState.RUNNING, "another", 1)


def test_a_series_without_a_head_fails_by_name():
    empty = Volume(np.full((8, 96, 96), 3.0, np.float32), axial_affine((5.0, 2.0, 2.0)))
    job = services.request(study_id=settled_head(empty).pk, actor=None)

    run(job)

    study = Study.objects.get()
    assert job.state == JobState.FAILED
    assert job.reason == study.state_reason
    assert job.reason not in {"", tasks.UNEXPECTED}
    assert study.state == StudyState.FAILED


def test_an_error_of_ours_has_a_generic_reason_and_goes_on_to_the_log(job):
    for key in job.series.instances.values_list("storage_key", flat=True):
        stored_path(key).write_bytes(b"")
        stored_path(key).unlink()

    with pytest.raises(FileNotFoundError):
        run(job)

    job.refresh_from_db()
    assert (job.state, job.reason) == (JobState.FAILED, tasks.UNEXPECTED)


def test_a_series_of_more_voxels_than_a_head_has_is_refused_before_a_file_is_opened(job):
    for instance in job.series.instances.all():
        (one,) = instance.attributes["slices"]
        one["rows"], one["columns"] = 2**14, 2**12
        instance.save()
        stored_path(instance.storage_key).unlink()

    run(job)

    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert job.reason == "series announces 536870912 voxels, need at most 268435456"


def test_a_series_that_needs_more_memory_than_is_free_is_refused_before_a_file_is_opened(job, monkeypatch):
    monkeypatch.setattr(memory, "free_memory_bytes", lambda: 2**20)
    for key in job.series.instances.values_list("storage_key", flat=True):
        stored_path(key).unlink()

    run(job)

    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert job.reason == (
        "The series has 0.1 million voxels, for which the worker needs 0.00302 GiB of memory; 0.000977 GiB are free."
    )


def test_a_full_disk_is_said_by_name(job, settings):
    settings.DISK_RESERVE_BYTES = 2**60

    run(job)

    assert job.state == JobState.FAILED
    assert job.reason.startswith("the storage disk has ")


def test_a_cancelled_job_stops_the_network_and_writes_nothing(job, during_network):
    reader = make_user(Role.NEUROLOGIST, site=job.study.site)
    during_network(lambda: services.cancel(job_id=job.pk, actor=reader))

    run(job)

    assert (job.state, Annotation.objects.count()) == (JobState.CANCELLED, 0)


def test_a_claim_that_was_lost_stops_the_network_and_writes_nothing(job, during_network):
    @transaction.atomic
    def take_over():
        Study.objects.select_for_update().get(pk=job.study_id)
        InferenceJob.objects.filter(pk=job.pk).update(lease_expires_at=job.created)
        services.claim(job_id=job.pk, worker="another", model_id=make_model().pk)

    during_network(take_over)

    run(job)

    assert (job.state, job.worker, Annotation.objects.count()) == (JobState.RUNNING, "another", 0)


def test_a_job_that_takes_too_long_fails_by_name(job, settings):
    settings.JOB_TIME_LIMIT_S = 0

    run(job)

    assert (job.state, job.reason) == (JobState.FAILED, "Inference took longer than 0 s.")


def test_a_network_that_never_comes_back_ends_with_its_process(job, monkeypatch):
    claim = services.claim(job_id=job.pk, worker="hung", model_id=make_model().pk)
    lease = InferenceJob.objects.get(pk=job.pk).lease_expires_at
    statuses: list[int] = []

    def end(status: int) -> NoReturn:
        statuses.append(status)
        raise SystemExit

    monkeypatch.setattr(tasks.os, "_exit", end)
    overdue_s = django_settings.JOB_TIME_LIMIT_S + tasks.OVERDUE_GRACE_S + 1.0
    with pytest.raises(SystemExit):
        tasks.Clock(claim, started_s=time.monotonic() - overdue_s).beat(0.5)

    job.refresh_from_db()
    assert statuses == [os.EX_SOFTWARE]
    assert (job.state, job.lease_expires_at) == (JobState.RUNNING, lease)


def test_a_database_that_is_away_costs_nothing_while_the_lease_lasts(job, monkeypatch, caplog):
    claim = services.claim(job_id=job.pk, worker="patient", model_id=make_model().pk)

    def be_away(*_arguments, **_fields):
        raise OperationalError("the database is locked")

    monkeypatch.setattr(tasks.inference, "renew", be_away)
    tasks.Clock(claim).beat(0.5)

    assert f"job {job.pk}: the lease was not renewed" in caplog.text


def test_a_database_that_goes_away_at_the_end_leaves_the_job_to_its_lease(job, monkeypatch):
    def be_away(*_arguments, **_fields):
        raise OperationalError("the database is locked")

    monkeypatch.setattr(tasks.inference, "complete", be_away)
    with pytest.raises(OperationalError):
        run(job)

    job.refresh_from_db()
    assert (job.state, job.reason) == (JobState.RUNNING, "")


def test_progress_and_stages_only_go_forward(job, monkeypatch):
    told: list[tuple[float, str]] = []
    renew = services.renew

    def listen(claim, *, progress, stage):
        told.append((progress, stage))
        renew(claim, progress=progress, stage=stage)

    monkeypatch.setattr(tasks.inference, "renew", listen)
    monkeypatch.setattr(tasks, "SHORTEST_BEAT_S", 0.001)
    run(job)

    stages = list(dict.fromkeys(stage for _, stage in told))
    order = list(JobStage)
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    assert [order.index(stage) for stage in stages] == sorted(order.index(stage) for stage in stages)
    assert told[-1] == (tasks.SEGMENTED_SHARE, JobStage.SAVING)


@pytest.mark.parametrize(
    ("progress", "stage", "share"),
    [
        (-1.0, JobStage.LOADING, 0.0),
        (0.0, JobStage.PREPROCESSING, 0.05),
        (0.2, JobStage.NETWORK, 0.236),
        (0.94, JobStage.NETWORK, 0.9242),
        (0.95, JobStage.LESIONS, 0.9335),
        (1.0, JobStage.LESIONS, 0.98),
    ],
)
def test_the_network_s_progress_is_a_share_of_the_job(progress, stage, share):
    assert tasks.stage_at(progress) == stage
    assert tasks.share_of_job(progress) == pytest.approx(share)


@pytest.fixture
def during_network(monkeypatch):
    """Lets something happen, on another connection, between two batches, and the heartbeat notice it."""
    monkeypatch.setattr(tasks, "SHORTEST_BEAT_S", 0.001)
    segmenter = tasks.reader().segmenter
    probabilities = segmenter.probabilities

    def let_happen(event):
        def with_event(slices, on_progress):
            elsewhere = threading.Thread(target=lambda: (event(), connection.close()))
            elsewhere.start()
            elsewhere.join()
            for _ in range(200):
                on_progress(0.5)
                threading.Event().wait(0.01)
            return probabilities(slices, on_progress)

        monkeypatch.setattr(segmenter, "probabilities", with_event)

    return let_happen


def test_the_worker_tells_the_regions_once(job):
    """The phantom is as large and as round as a brain, and the atlas takes it for one."""
    run(job)
    annotation = Annotation.objects.get()

    tasks.map_regions.apply(args=[str(annotation.pk)], throw=True)

    told = Annotation.objects.get()
    assert told.region_map_key != ""
    assert told.region_note == ""
    assert told.region_counts.keys() == set(Region)
    tasks.map_regions.apply(args=[str(annotation.pk)], throw=True)
    assert Annotation.objects.get().modified == told.modified


def test_a_job_waits_for_a_bucket_that_is_away_and_uses_up_no_attempt(job, monkeypatch, sent_tasks):
    def away(_series_id):
        raise AwayError("the storage bucket refuses: SlowDown")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(tasks, "load_volume", away)
        for _ in range(django_settings.JOB_MAX_ATTEMPTS + 1):
            run(job)

    study = Study.objects.get()
    assert (job.state, job.attempts, study.state) == (JobState.QUEUED, 0, StudyState.QUEUED)
    assert job.reason == "the storage bucket refuses: SlowDown; it is tried again by itself"
    sent_tasks.clear()
    services.requeue_expired()
    assert sent_tasks == []
    InferenceJob.objects.update(modified=timezone.now() - UNCLAIMED_AFTER)
    services.requeue_expired()
    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")]
    run(job)
    assert (job.state, job.attempts, job.reason) == (JobState.SUCCEEDED, 1, "")


def test_regions_wait_for_a_bucket_that_is_away(job, monkeypatch):
    run(job)
    annotation = Annotation.objects.get()

    def away(_series_id):
        raise AwayError("the storage bucket refuses: SlowDown")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(tasks, "load_volume", away)
        with pytest.raises(AwayError):
            tasks.map_regions.apply(args=[str(annotation.pk)], throw=True)
    tasks.map_regions.apply(args=[str(annotation.pk)], throw=True)

    told = Annotation.objects.get()
    assert (told.region_note, told.region_map_key != "") == ("", True)
