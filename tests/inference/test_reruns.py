"""Many studies read again by the champion: which, behind which others, and what becomes of their old results."""

import json
from datetime import date

import pytest

from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob, JobState, Rerun, RerunStudy
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user, token_client
from tests.api.scene import make_draft
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return create_site(name="Ljubljana")


@pytest.fixture
def admin(site):
    return make_user(Role.ADMIN, site=site)


@pytest.fixture
def studies(site) -> list[Study]:
    """Four studies that version 1.0 has read, on four days; version 2.0 is the champion since."""
    make_model("1.0")
    found = [make_study(site=site, uid=f"1.{number}") for number in range(4)]
    for number, study in enumerate(found):
        services.complete(claimed(study), segmentation=segmentation())
        Study.objects.filter(pk=study.pk).update(study_date=date(2024, 1 + number, 1))
    make_model("2.0")
    return found


def read_again(job: InferenceJob) -> Annotation:
    claim = services.claim(job_id=job.pk, worker="worker-2", model_id=ModelVersion.objects.get(version="2.0").pk)
    assert claim is not None
    return services.complete(claim, segmentation=segmentation())


def standing(rerun: Rerun) -> dict[str, int]:
    return {state: count for state, count in services.standing_of(rerun).as_json().items() if count}


def test_a_study_keeps_its_state_and_its_old_results_stamp(studies, admin):
    rerun = services.request_rerun(selection=services.Selection(studied_until=date(2024, 1, 31)), actor=admin)
    services.spread(rerun.pk)

    (job,) = InferenceJob.objects.filter(state=JobState.QUEUED)
    study = Study.objects.get(pk=studies[0].pk)
    assert (job.study, job.is_background, study.state) == (study, True, StudyState.READY)
    read_again(job)
    study.refresh_from_db()
    versions = Annotation.objects.filter(study=study).order_by("version")
    assert [version.model_version for version in versions] == ["1.0", "2.0"]
    assert (study.state, study.current_annotation_id) == (StudyState.READY, versions[1].pk)
    assert standing(rerun) == {"succeeded": 1}


def test_the_filter_chooses_and_the_rest_is_counted_by_reason(studies, admin):
    read_again(services.request(study_id=studies[0].pk, actor=admin))
    Study.objects.filter(pk=studies[1].pk).update(state=StudyState.APPROVED)
    make_draft(Annotation.objects.get(study=studies[2]).pk, admin)
    old = ModelVersion.objects.get(version="1.0")

    whole = services.foresee(selection=services.Selection(), actor=admin)
    of_old = services.foresee(selection=services.Selection(model_id=old.pk), actor=admin)
    late = services.foresee(selection=services.Selection(studied_from=date(2024, 5, 1)), actor=admin)

    by_readers = {"a reader's version is in review or approved": 1, "a reader works on a draft": 1}
    assert (whole.model.version, whole.study_count) == ("2.0", 1)
    assert whole.left_out == {**by_readers, "the champion has read it": 1}
    assert (of_old.study_count, of_old.left_out) == (1, by_readers)
    assert (late.study_count, late.left_out) == (0, {})
    with pytest.raises(ConflictError, match="no study is left to be read again"):
        services.request_rerun(selection=services.Selection(studied_from=date(2024, 5, 1)), actor=admin)
    assert not Rerun.objects.exists()


def test_new_studies_go_first(studies, admin, site, empty_broker, django_capture_on_commit_callbacks):
    rerun = services.request_rerun(selection=services.Selection(), actor=admin)
    with django_capture_on_commit_callbacks(execute=True):
        services.spread(rerun.pk)
        new = services.request(study_id=make_study(site=site, uid="9.9").pk, actor=None)

    first = json.loads(empty_broker.lrange("inference", -1, -1)[0])
    assert json.loads(first["headers"]["argsrepr"].replace("'", '"').replace("(", "[").replace(",)", "]")) == [
        str(new.pk)
    ]
    assert empty_broker.llen("inference") == 1
    assert empty_broker.llen("inference\x06\x166") == 4


def test_asking_for_a_study_by_hand_brings_its_job_forward(
    studies, admin, sent_tasks, django_capture_on_commit_callbacks
):
    rerun = services.request_rerun(selection=services.Selection(), actor=admin)
    services.spread(rerun.pk)

    with django_capture_on_commit_callbacks(execute=True):
        job = services.request(study_id=studies[2].pk, actor=admin)

    assert (job.is_background, job.reruns.get().rerun) == (False, rerun)
    assert Study.objects.get(pk=studies[2].pk).state == StudyState.QUEUED
    assert sent_tasks == [("inference.segment", (str(job.pk),), "inference")]


def test_spreading_twice_gives_each_study_one_job(studies, admin):
    rerun = services.request_rerun(selection=services.Selection(), actor=admin)

    services.spread(rerun.pk)
    services.spread(rerun.pk)

    assert standing(rerun) == {"queued": 4}
    assert InferenceJob.objects.filter(is_background=True).count() == 4


def test_a_reader_who_takes_up_a_study_is_not_disturbed(studies, admin):
    rerun = services.request_rerun(selection=services.Selection(), actor=admin)
    Study.objects.filter(pk=studies[0].pk).update(state=StudyState.IN_REVIEW)
    services.spread(rerun.pk)
    make_draft(Annotation.objects.get(study=studies[1]).pk, admin)
    job = InferenceJob.objects.get(study=studies[1], is_background=True)

    claim = services.claim(job_id=job.pk, worker="worker-2", model_id=make_model("2.0").pk)

    job.refresh_from_db()
    assert (claim, job.state, job.reason) == (None, JobState.CANCELLED, "A reader took up the study first.")
    assert RerunStudy.objects.get(study=studies[0]).note.startswith("the study is in_review")
    assert standing(rerun) == {"queued": 2, "cancelled": 1, "refused": 1}


def test_a_job_that_fails_leaves_the_study_with_its_result(studies, admin):
    rerun = services.request_rerun(selection=services.Selection(studied_until=date(2024, 1, 31)), actor=admin)
    services.spread(rerun.pk)
    (job,) = InferenceJob.objects.filter(state=JobState.QUEUED)
    claim = services.claim(job_id=job.pk, worker="worker-2", model_id=make_model("2.0").pk)

    services.fail(claim, reason="No head was found.")

    study = Study.objects.get(pk=studies[0].pk)
    assert (study.state, study.active_count, standing(rerun)) == (StudyState.READY, 1, {"failed": 1})


def test_cancelling_stops_what_has_not_begun(studies, admin):
    rerun = services.request_rerun(selection=services.Selection(), actor=admin)
    services.spread(rerun.pk)
    job = InferenceJob.objects.filter(is_background=True).first()
    services.claim(job_id=job.pk, worker="worker-2", model_id=make_model("2.0").pk)

    services.cancel_rerun(rerun_id=rerun.pk, actor=admin)
    services.cancel_rerun(rerun_id=rerun.pk, actor=admin)

    assert standing(rerun) == {"running": 1, "cancelled": 3}
    assert set(Study.objects.values_list("state", flat=True)) == {StudyState.READY}
    assert AuditEvent.objects.filter(kind=EventKind.RERUN_CANCELLED, object_id=str(rerun.pk)).count() == 1


def test_it_is_asked_for_and_followed_over_rest(studies, admin, site):
    client = token_client(admin)
    old = ModelVersion.objects.get(version="1.0")
    body = {"sites": [str(site.pk)], "studied_from": "2024-02-01", "model": str(old.pk)}

    preview = client.post("/api/v1/reruns/preview", body, content_type="application/json").json()
    answer = client.post("/api/v1/reruns", body, content_type="application/json")

    assert (preview["study_count"], preview["left_out"], preview["model"]["version"]) == (3, {}, "2.0")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/v1/reruns/{answer.json()['id']}")
    followed = client.get(answer.headers["Location"]).json()
    assert followed["standing"] == {
        "waiting": 3, "queued": 0, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0, "refused": 0,
    }  # fmt: skip
    assert followed["selection"] == {"studied_from": "2024-02-01", "studied_until": None, "model": str(old.pk)}
    assert client.get("/api/v1/reruns").json()["count"] == 1
    unknown = client.post("/api/v1/reruns", {"model": str(site.pk)}, content_type="application/json")
    assert (unknown.status_code, unknown.json()["detail"]) == (422, "the model is unknown")
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))
    assert stranger.get(answer.headers["Location"]).status_code == 404
    assert stranger.get("/api/v1/reruns").json()["count"] == 0
