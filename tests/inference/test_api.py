"""Jobs over REST: asked for once per key, followed, cancelled, tried again."""

import pytest

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def client(study):
    return token_client(make_user(Role.INTEGRATOR, site=study.site, username="script"))


def test_asking_answers_with_the_place_to_follow(client, study):
    answer = client.post(f"/api/v1/studies/{study.pk}/inferences")

    job = InferenceJob.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/v1/jobs/{job.pk}")
    body = answer.json()
    assert body.pop("requested_at") is not None
    assert body == {
        "id": str(job.pk),
        "study": str(study.pk),
        "series": str(study.flair_series_id),
        "state": "queued",
        "progress": 0.0,
        "stage": "queued",
        "reason": "",
        "attempts": 0,
        "started_at": None,
        "finished_at": None,
        "requested_by": "script",
        "model": None,
        "annotation": None,
    }
    assert client.get(answer.headers["Location"]).json()["id"] == str(job.pk)


def test_the_same_key_gets_the_same_answer_and_does_nothing(client, study):
    address, headers = f"/api/v1/studies/{study.pk}/inferences", {"idempotency-key": "night-run-1"}
    first = client.post(address, headers=headers)
    services.fail(claimed(study, actor=make_user(Role.NEUROLOGIST, site=study.site)), reason="No head was found.")

    again = client.post(address, headers=headers)

    assert (again.status_code, again.headers["Location"], again.json()) == (
        202,
        first.headers["Location"],
        first.json(),
    )
    assert InferenceJob.objects.count() == 1


def test_a_study_without_flair_is_a_conflict(client, study):
    Study.objects.filter(pk=study.pk).update(flair_series=None, state=StudyState.NO_FLAIR)

    answer = client.post(f"/api/v1/studies/{study.pk}/inferences")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_finished_job_names_its_model_and_its_annotation(client, study):
    annotation = services.complete(claimed(study), segmentation=segmentation())

    body = client.get(f"/api/v1/studies/{study.pk}/jobs").json()

    model = make_model()
    (job,) = body["results"]
    assert (job["state"], job["progress"], job["attempts"]) == ("succeeded", 1.0, 1)
    assert job["annotation"] == str(annotation.pk)
    assert job["model"] == {"id": str(model.pk), "name": "phantom-reader", "version": "1.0", "sha256": model.sha256}


def test_jobs_are_listed_by_state_and_study(client, study):
    services.complete(claimed(study), segmentation=segmentation())
    other = make_study(site=study.site, uid="9.9")
    waiting = services.request(study_id=other.pk, actor=None)

    assert [job["id"] for job in client.get("/api/v1/jobs?state=queued").json()["results"]] == [str(waiting.pk)]
    assert client.get(f"/api/v1/jobs?study={study.pk}").json()["count"] == 1
    assert client.get("/api/v1/jobs").json()["count"] == 2
    assert client.get("/api/v1/jobs?state=lost").status_code == 400


def test_a_job_is_cancelled_and_tried_again(client, study):
    job = services.request(study_id=study.pk, actor=None)

    cancelled = client.post(f"/api/v1/jobs/{job.pk}/cancel")
    again = client.post(f"/api/v1/jobs/{job.pk}/retry")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert again.headers["Location"] == f"/api/v1/jobs/{again.json()['id']}"
    assert again.json()["id"] != str(job.pk)
    assert client.post(f"/api/v1/jobs/{again.json()['id']}/retry").status_code == 409


def test_another_site_sees_and_changes_nothing(study):
    job = services.request(study_id=study.pk, actor=None)
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))

    assert stranger.get(f"/api/v1/jobs/{job.pk}").status_code == 404
    assert stranger.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 404
    assert stranger.post(f"/api/v1/studies/{study.pk}/inferences").status_code == 404
    assert stranger.get(f"/api/v1/studies/{study.pk}/jobs").status_code == 404
    assert stranger.get("/api/v1/jobs").json()["count"] == 0
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_a_token_without_the_action_changes_nothing(study):
    job = services.request(study_id=study.pk, actor=None)
    narrow = token_client(make_user(Role.NEUROLOGIST, site=study.site), Action.JOB_READ)

    assert narrow.get(f"/api/v1/jobs/{job.pk}").status_code == 200
    assert narrow.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 403
    assert narrow.post(f"/api/v1/jobs/{job.pk}/retry").status_code == 403
    assert narrow.post(f"/api/v1/studies/{study.pk}/inferences").status_code == 403
    job.refresh_from_db()
    assert (job.state, InferenceJob.objects.count()) == (JobState.QUEUED, 1)


def test_reading_jobs_is_on_record(client, study):
    job = services.request(study_id=study.pk, actor=None)

    for _ in range(3):  # a page, or a script, asks again and again
        client.get(f"/api/v1/jobs/{job.pk}")
        client.get(f"/api/v1/studies/{study.pk}/jobs")
        client.get("/api/v1/jobs")

    events = AuditEvent.objects.filter(kind=EventKind.JOB_READ).order_by("sequence")
    assert [event.object_type for event in events] == ["job", "study", ""]
