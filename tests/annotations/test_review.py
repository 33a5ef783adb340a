"""A submitted version is approved or returned, and the study follows."""

import pytest
from django.test import override_settings

from plaqueview.accounts.services import create_site
from plaqueview.annotations import services
from plaqueview.annotations.models import Annotation, AnnotationState, FrozenError, ReviewStep
from plaqueview.annotations.review import MOVES
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.core.errors import InvalidError
from plaqueview.inference import services as inference
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import (
    NEW,
    desk_of,
    without_small_inactive,
)
from tests.inference.scenes import claimed, segmentation

pytestmark = pytest.mark.django_db


def row(annotation: Annotation) -> dict:
    """What is stored of the version, to be compared before and after."""
    return Annotation.objects.filter(pk=annotation.pk).values().get()


# --- approve and return ---------------------------------------------------------------------------------------------


def test_an_approved_version_is_the_study_s_result(desk, announced):
    version = desk.submitted()
    before = row(version)
    reviewer = desk_of(desk.study, desk.prediction)
    announced.clear()

    answer = reviewer.post(f"annotations/{version.pk}/approve", {"comment": "Agreed."})

    assert (answer.status_code, answer.json()["state"], desk.state()) == (200, "approved", "approved")
    assert [(one["step"], one["by"], one["comment"]) for one in answer.json()["review"]] == [
        ("submitted", desk.reader.username, ""),
        ("approved", reviewer.reader.username, "Agreed."),
    ]
    assert desk.study.annotation_summary["state"] == "approved"
    assert [event["type"] for event in announced] == ["study.changed", "annotation.changed"]
    after = row(version)
    assert {name for name in before if before[name] != after[name]} == {"state", "modified"}


def test_a_returned_version_says_why_and_its_study_is_read_again(desk):
    version = desk.submitted()

    silent = desk.post(f"annotations/{version.pk}/return", {})
    blank = desk.post(f"annotations/{version.pk}/return", {"comment": "   "})
    answer = desk.post(f"annotations/{version.pk}/return", {"comment": "Slice 4 is missing."})

    assert (silent.status_code, blank.status_code) == (400, 400)
    assert (answer.status_code, answer.json()["state"], desk.state()) == (200, "returned", "ready")
    assert answer.json()["review"][-1]["comment"] == "Slice 4 is missing."
    assert desk.study.current_annotation_id == version.pk


def test_a_returned_version_is_corrected_by_a_new_one(desk):
    version = desk.submitted()
    desk.post(f"annotations/{version.pk}/return", {"comment": "Again."})

    corrected = desk.submitted(without_small_inactive(), base=str(version.pk))

    assert (corrected.version, corrected.base_id, desk.state()) == (3, version.pk, "in_review")
    assert [one.state for one in Annotation.objects.order_by("version")] == ["predicted", "returned", "submitted"]


@pytest.mark.parametrize("step", ["approve", "return"])
@pytest.mark.parametrize("state", [state for state in AnnotationState if state != AnnotationState.SUBMITTED])
def test_only_what_was_submitted_is_reviewed(desk, step, state):
    version = desk.prediction if state == AnnotationState.PREDICTED else desk.submitted()
    if state == AnnotationState.APPROVED:
        desk.post(f"annotations/{version.pk}/approve", {})
    elif state == AnnotationState.RETURNED:
        desk.post(f"annotations/{version.pk}/return", {"comment": "No."})
    before, steps = row(version), ReviewStep.objects.count()

    answer = desk.post(f"annotations/{version.pk}/{step}", {"comment": "Yes."})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith(f"the version is {state.value}; only one that is submitted")
    assert (row(version), ReviewStep.objects.count()) == (before, steps)


def test_only_the_current_version_is_reviewed(desk):
    first = desk.submitted()
    second = desk.submitted(without_small_inactive())

    answer = desk.post(f"annotations/{first.pk}/approve", {})

    assert answer.status_code == 409
    assert answer.json()["detail"] == "version 2 is not the study's current one; review that"
    assert desk.post(f"annotations/{second.pk}/approve", {}).status_code == 200


def test_a_department_may_ask_for_a_second_reader(desk):
    version = desk.submitted()
    other = desk_of(desk.study, desk.prediction)

    with override_settings(REVIEW_NEEDS_SECOND_READER=True):
        own = desk.post(f"annotations/{version.pk}/approve", {})
        anothers = other.post(f"annotations/{version.pk}/approve", {})

    assert (own.status_code, anothers.status_code) == (403, 200)
    assert own.json()["detail"] == "you are the author; in this department another reader approves"


def test_an_author_may_always_take_the_version_back(desk):
    version = desk.submitted()

    with override_settings(REVIEW_NEEDS_SECOND_READER=True):
        answer = desk.post(f"annotations/{version.pk}/return", {"comment": "I missed one."})

    assert answer.status_code == 200


def test_a_comment_has_a_length(desk):
    draft = desk.save(NEW).json()["id"]

    assert desk.submit(draft, comment="x" * 4001).status_code == 400
    assert Annotation.objects.count() == 1


@pytest.mark.parametrize("comment", ["", " \n", "x" * 4001])
def test_a_return_without_words_or_with_too_many_is_refused_whoever_asks(desk, comment):
    version = desk.submitted()

    with pytest.raises(InvalidError):
        services.give_back(annotation_id=version.pk, comment=comment, actor=desk.reader)

    assert desk.state() == "in_review"


def test_every_step_is_on_record(desk):
    version = desk.submitted()
    desk.post(f"annotations/{version.pk}/return", {"comment": "Patients are not named in the audit."})
    second = desk.submitted(base=str(version.pk))
    desk.post(f"annotations/{second.pk}/approve", {})

    events = AuditEvent.objects.filter(kind__in=["annotation.submitted", "annotation.approved", "annotation.returned"])
    assert [(event.kind, event.object_id, event.details["version"]) for event in events.order_by("sequence")] == [
        ("annotation.submitted", str(version.pk), 2),
        ("annotation.returned", str(version.pk), 2),
        ("annotation.submitted", str(second.pk), 3),
        ("annotation.approved", str(second.pk), 3),
    ]
    assert {event.actor_id for event in events} == {desk.reader.pk}
    assert events.last().details == {"study": str(desk.study.pk), "base": str(desk.prediction.pk), "version": 2}


def test_a_step_is_written_once(desk):
    desk.submitted()
    step = ReviewStep.objects.get()

    for change in (step.save, step.delete):
        with pytest.raises(FrozenError):
            change()


def test_another_site_reviews_nothing(desk):
    version = desk.submitted()
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))

    for step in ("submit", "approve", "return"):
        answer = stranger.post(
            f"/api/v1/annotations/{version.pk}/{step}",
            {"comment": "Mine."},
            content_type="application/json",
            headers={"if-match": "*"},
        )
        assert answer.status_code == 404
    assert desk.state() == "in_review"


def test_the_table_of_moves_leads_from_submitted_alone():
    assert {move.before for move in MOVES.values()} == {AnnotationState.SUBMITTED}
    assert {step.value: (move.after.value, move.study_state.value) for step, move in MOVES.items()} == {
        "approved": ("approved", "approved"),
        "returned": ("returned", "ready"),
    }


# --- readers and the network ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_approved", "state"), [(False, "in_review"), (True, "approved")])
def test_a_prediction_that_comes_late_displaces_no_reader(desk, is_approved, state):
    claim = claimed(desk.study, actor=desk.reader)
    version = desk.submitted(without_small_inactive())
    if is_approved:
        desk.post(f"annotations/{version.pk}/approve", {})

    late = inference.complete(claim, segmentation=segmentation())

    assert (late.version, desk.state()) == (3, state)
    assert (desk.study.current_annotation_id, desk.study.inactive_count) == (version.pk, 1)
    assert desk.study.job_summary["annotation"] == str(late.pk)


def test_a_job_that_starts_or_fails_under_review_leaves_the_study_in_review(desk):
    job = inference.request(study_id=desk.study.pk, actor=desk.reader)
    desk.submitted()
    states = []

    claim = inference.claim(job_id=job.pk, worker="worker-1", model_id=desk.prediction.model_id)
    states.append(desk.state())
    inference.fail(claim, reason="The disk is full.")
    states.append(desk.state())

    assert states == ["in_review", "in_review"]
    assert desk.study.state_reason == ""
    assert desk.study.job_summary["state"] == "failed"


def test_a_prediction_follows_a_version_that_was_returned(desk):
    version = desk.submitted()
    desk.post(f"annotations/{version.pk}/return", {"comment": "No."})

    newer = inference.complete(claimed(desk.study, actor=desk.reader), segmentation=segmentation())

    assert desk.state() == "ready"
    assert desk.study.current_annotation_id == newer.pk


def test_a_draft_outlives_a_new_prediction(desk):
    draft = desk.save(NEW, without_small_inactive()).json()

    inference.complete(claimed(desk.study, actor=desk.reader), segmentation=segmentation())

    assert desk.client.get(desk.draft).json() == draft
    assert desk.submit(draft["id"]).json()["version"] == 3


def test_the_nifti_of_a_readers_version_names_no_model(desk):
    version = desk.submitted()

    answer = desk.client.get(f"/api/v1/annotations/{version.pk}/mask.nii.gz")

    assert answer.status_code == 200
