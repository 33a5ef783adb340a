"""A study that is in: whole or not, with a FLAIR or not, and asked about once."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from redis import Redis

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import DeniedError, InvalidError, NotFoundError
from plaqueview.studies.models import Series, Study, StudyState
from plaqueview.studies.services import (
    enqueue_overdue,
    load_volume,
    override_flair,
    read_slices,
    set_state,
    settle,
)
from tests.accounts.people import make_user
from tests.imaging.phantoms import enhanced
from tests.studies.dicom_files import T1, WHO_AND_WHEN, receive_series, series

pytestmark = pytest.mark.django_db(transaction=True)


def tasks_in(broker: Redis) -> list[tuple[str, str]]:
    """Name and argument of each message that waits in the default queue, oldest first."""
    messages = [json.loads(raw) for raw in reversed(broker.lrange("default", 0, -1))]
    return [(one["headers"]["task"], one["headers"]["argsrepr"].strip("(),'")) for one in messages]


def test_a_whole_flair_is_queued_and_inference_asked_for_once(empty_broker):
    receive_series(series(10))
    receive_series(series(20, study_uid=Study.objects.get().study_instance_uid, **T1))
    study = Study.objects.get()

    settle(study.pk)
    settle(study.pk)

    study.refresh_from_db()
    assert study.state == StudyState.QUEUED
    assert study.flair_series.series_description == "t2 flair tra"
    assert tasks_in(empty_broker) == [("inference.request_for_study", str(study.pk))]
    flair = study.flair_series
    assert (flair.slice_count, flair.spacing_mm, flair.is_complete, flair.problems) == (10, [5.0, 0.8, 0.5], True, [])
    assert study.series_choice["candidates"][0]["series"] == str(flair.pk)
    assert study.series_choice["reason"]


def test_a_missing_slice_makes_the_study_incomplete_until_it_comes(empty_broker):
    datasets = series(10)
    receive_series(datasets[:4] + datasets[5:])
    study = Study.objects.get()
    settle(study.pk)
    study.refresh_from_db()
    assert (study.state, tasks_in(empty_broker)) == (StudyState.INCOMPLETE, [])
    assert study.state_reason == ("1 slice missing between instance 4 and instance 6: step 10 mm, expected 5 mm")

    receive_series(datasets)
    settle(study.pk)

    study.refresh_from_db()
    assert (study.state, study.state_reason) == (StudyState.QUEUED, "")
    assert len(tasks_in(empty_broker)) == 1


def test_a_study_without_a_flair_says_so(empty_broker):
    receive_series(series(20, **T1))
    study = Study.objects.get()

    settle(study.pk)

    study.refresh_from_db()
    assert study.state == StudyState.NO_FLAIR
    assert study.state_reason == study.series_choice["reason"] != ""
    assert tasks_in(empty_broker) == []


def settled_study() -> Study:
    receive_series(series(10))
    study = Study.objects.latest("created")
    settle(study.pk)
    return study


@pytest.mark.parametrize("state", [StudyState.QUEUED, StudyState.READY, StudyState.FAILED])
def test_another_series_leaves_state_and_result_alone(state, empty_broker):
    study = settled_study()
    set_state(study.pk, state)
    empty_broker.flushall()

    receive_series(series(20, study_uid=study.study_instance_uid, **T1))
    study.refresh_from_db()
    assert study.state == state
    settle(study.pk)

    study.refresh_from_db()
    assert (study.state, tasks_in(empty_broker)) == (state, [])


@pytest.mark.parametrize("state", [StudyState.QUEUED, StudyState.READY, StudyState.FAILED])
def test_more_slices_of_the_flair_ask_again(state, empty_broker):
    datasets = series(12)
    receive_series(datasets[:10])
    study = Study.objects.get()
    settle(study.pk)
    set_state(study.pk, state)
    empty_broker.flushall()

    receive_series(datasets[10:])
    study.refresh_from_db()
    assert study.state == StudyState.RECEIVING
    settle(study.pk)

    study.refresh_from_db()
    assert study.state == StudyState.QUEUED
    assert tasks_in(empty_broker) == [("inference.request_for_study", str(study.pk))]


@pytest.mark.parametrize("state", [StudyState.IN_REVIEW, StudyState.APPROVED])
def test_a_reviewed_study_keeps_its_state(state, empty_broker):
    datasets = series(12)
    receive_series(datasets[:10])
    study = Study.objects.get()
    settle(study.pk)
    set_state(study.pk, state)
    empty_broker.flushall()

    receive_series(datasets[10:])
    settle(study.pk)

    study.refresh_from_db()
    assert (study.state, tasks_in(empty_broker)) == (state, [])


@pytest.mark.parametrize("state", [StudyState.IN_REVIEW, StudyState.APPROVED])
@pytest.mark.parametrize(
    ("number", "automatic"),
    [
        (
            13,
            "series 13 't2 flair tra' is taken as the FLAIR with 120 points; next is series 3 't2 flair tra' with 120",
        ),
        (
            3,
            "series 3 't2 flair tra' and series 3 't2 flair tra' are equally good FLAIRs; a reader has to choose",
        ),
    ],
)
def test_a_reviewed_study_keeps_its_flair_when_another_as_good_comes_late(number, automatic, state, empty_broker):
    study = settled_study()
    flair = study.series.get()
    set_state(study.pk, state)
    empty_broker.flushall()

    receive_series(series(10, study_uid=study.study_instance_uid, SeriesNumber=number))
    settle(study.pk)

    study.refresh_from_db()
    assert (study.flair_series, study.state, tasks_in(empty_broker)) == (flair, state, [])
    assert study.series_choice["reason"] == (
        f"series 3 't2 flair tra' was read and stays the FLAIR; the automatic choice would be: {automatic}"
    )
    assert {one["series"] for one in study.series_choice["candidates"]} == {str(one.pk) for one in study.series.all()}


def test_a_study_that_nobody_reads_takes_the_later_flair(empty_broker):
    study = settled_study()
    set_state(study.pk, StudyState.READY)
    empty_broker.flushall()

    receive_series(series(10, study_uid=study.study_instance_uid, SeriesNumber=13))
    settle(study.pk)

    study.refresh_from_db()
    assert (study.flair_series.series_number, study.state) == (13, StudyState.QUEUED)
    assert tasks_in(empty_broker) == [("inference.request_for_study", str(study.pk))]


def test_only_quiet_studies_are_due(empty_broker, settings):
    settings.QUIET_PERIOD_S = 5.0
    receive_series(series(2))
    receive_series(series(2))
    quiet, busy = Study.objects.order_by("created")
    Study.objects.filter(pk=quiet.pk).update(last_received_at=timezone.now() - timedelta(seconds=6))

    enqueue_overdue()

    assert tasks_in(empty_broker) == [("studies.settle", str(quiet.pk))]
    assert not busy.is_settled


@pytest.mark.parametrize(
    ("job", "is_lost"),
    [(None, True), ({"state": "succeeded"}, True), ({"state": "queued"}, False), ({"state": "running"}, False)],
)
def test_a_lost_request_for_a_job_is_sent_again(job, is_lost, empty_broker):
    study = settled_study()
    Study.objects.update(modified=timezone.now() - timedelta(minutes=1), job_summary=job)
    empty_broker.flushall()

    enqueue_overdue()

    assert tasks_in(empty_broker) == [("inference.request_for_study", str(study.pk))] * is_lost


def test_a_multi_frame_instance_is_a_series_of_its_frames(empty_broker):
    pixels = np.arange(10 * 8 * 8, dtype=np.uint16).reshape(10, 8, 8)
    dataset = enhanced(pixels, [(0.0, 0.0, 5.0 * index) for index in range(10)])
    for keyword, value in {**WHO_AND_WHEN, "SeriesDescription": "t2 flair"}.items():
        setattr(dataset, keyword, value)
    dataset.StudyInstanceUID, dataset.PatientID = "1.2.9", "P9"
    receive_series([dataset])
    study = Study.objects.get()

    settle(study.pk)

    study.refresh_from_db()
    assert study.state == StudyState.QUEUED
    assert (study.flair_series.slice_count, study.flair_series.spacing_mm) == (10, [5.0, 0.8, 0.5])
    slices = read_slices(study.flair_series)
    stacked = load_volume(study.flair_series_id)
    assert [header.frame_number for header in slices.headers] == list(stacked.frame_numbers) == list(range(1, 11))
    assert slices.affine.tolist() == stacked.volume.affine.tolist()


def test_a_readers_choice_stays_and_is_audited(empty_broker):
    receive_series(series(20, **T1))
    study = Study.objects.get()
    settle(study.pk)
    reader = make_user(Role.NEUROLOGIST)

    override_flair(study_id=study.pk, series_id=study.series.get().pk, actor=reader)
    receive_series(series(10, study_uid=study.study_instance_uid))
    settle(study.pk)

    study.refresh_from_db()
    assert (study.flair_series.series_description, study.flair_overridden_by) == ("t1 mprage", reader)
    assert study.state == StudyState.QUEUED
    assert tasks_in(empty_broker) == [("inference.request_for_study", str(study.pk))]
    assert AuditEvent.objects.get(kind=EventKind.FLAIR_CHOSEN).actor_id == reader.pk


@pytest.mark.parametrize(
    ("role", "site", "error"),
    [(Role.INTEGRATOR, "Ljubljana", DeniedError), (Role.NEUROLOGIST, "Maribor", NotFoundError)],
)
def test_who_may_not_override_changes_nothing(role, site, error, empty_broker):
    study = settled_study()
    stranger = make_user(role, site=create_site(name=site))

    with pytest.raises(error):
        override_flair(study_id=study.pk, series_id=study.series.get().pk, actor=stranger)

    study.refresh_from_db()
    assert study.flair_overridden_by is None
    assert not AuditEvent.objects.filter(kind=EventKind.FLAIR_CHOSEN).exists()


def test_a_series_of_another_study_is_no_choice():
    study, other = settled_study(), settled_study()

    with pytest.raises(InvalidError):
        override_flair(study_id=study.pk, series_id=other.series.get().pk, actor=make_user(Role.NEUROLOGIST))


def test_a_series_that_is_no_images_has_no_slices():
    receive_series(series(1, Modality="SR", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33"))
    study = Study.objects.get()

    settle(study.pk)

    assert Series.objects.get().problems == ["the series has no slices"]
    study.refresh_from_db()
    assert study.state == StudyState.NO_FLAIR


def test_the_t1s_before_and_after_contrast_agent_are_named(empty_broker):
    receive_series(series(10))
    study_uid = Study.objects.get().study_instance_uid
    receive_series(series(20, study_uid=study_uid, **{**T1, "AcquisitionTime": "093000"}))
    after = {**T1, "SeriesDescription": "t1 mprage km", "AcquisitionTime": "095000"}
    receive_series(series(30, study_uid=study_uid, **after))
    study = Study.objects.get()

    settle(study.pk)

    study.refresh_from_db()
    t1 = study.series.get(series_description="t1 mprage km")
    assert study.series_choice["post_contrast"]["series"] == str(t1.pk)
    assert "taken as the T1 after contrast agent" in study.series_choice["post_contrast"]["reason"]
    before = study.series.get(series_description="t1 mprage")
    assert (study.series_choice["t1_pair"]["before"], study.series_choice["t1_pair"]["after"]) == (
        str(before.pk),
        str(t1.pk),
    )
