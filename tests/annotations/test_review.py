"""A draft becomes a version, the version is approved or returned, and the study follows."""

import numpy as np
import pytest
from django.test import override_settings

from plaqueview.accounts.services import create_site
from plaqueview.annotations import services
from plaqueview.annotations.models import Annotation, AnnotationState, Draft, FrozenError, ReviewStep
from plaqueview.annotations.review import MOVES
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.core.errors import InvalidError
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
from plaqueview.inference import services as inference
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import (
    LARGE_INACTIVE,
    NEW,
    NOWHERE,
    SMALL_INACTIVE,
    desk_of,
    predicted_labels,
    statement,
    without_small_inactive,
)
from tests.inference.scenes import claimed, segmentation

pytestmark = pytest.mark.django_db


def row(annotation: Annotation) -> dict:
    """What is stored of the version, to be compared before and after."""
    return Annotation.objects.filter(pk=annotation.pk).values().get()


# --- submit ---------------------------------------------------------------------------------------------------------


def test_a_submitted_draft_is_the_next_version_of_its_reader(desk):
    said = statement()
    draft = desk.save(NEW, without_small_inactive(), statements=[said]).json()

    answer = desk.submit(draft["id"], draft_tag(draft), "The small one is a vessel.")

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/annotations/{draft['id']}"
    assert (body["id"], body["version"], body["state"]) == (draft["id"], 2, "submitted")
    assert (body["author"], body["model"], body["claim"]) == (desk.reader.username, None, "")
    assert (body["base"], body["base_version"]) == (str(desk.prediction.pk), 1)
    assert body["statements"] == draft["statements"]
    assert (body["lesion_counts"], body["counts_by_slice"]) == (draft["lesion_counts"], draft["counts_by_slice"])
    assert body["warnings"] == ["Trained on phantoms."]
    (step,) = body["review"]
    assert (step["step"], step["by"], step["comment"]) == (
        "submitted",
        desk.reader.username,
        "The small one is a vessel.",
    )
    assert desk.client.get(answer.headers["Location"]).json() == body


def draft_tag(draft: dict) -> str:
    return f'"{draft["revision"]}"'


def test_a_version_keeps_every_voxel_of_its_draft_and_the_masks_of_its_base(desk):
    labels = predicted_labels()
    labels[0, 0, 0] = 2  # less than a lesion by the rule, and drawn all the same

    version = desk.submitted(labels)

    np.testing.assert_array_equal(mask_codec.decode(stored_path(version.mask_key).read_bytes()), labels)
    assert version.counting_rule == desk.prediction.counting_rule
    assert (version.active_count, version.inactive_count) == (1, 2)
    for name in ("brain_mask_key", "probability_key", "affine", "slices", "rows", "columns", "series_id"):
        assert getattr(version, name) == getattr(desk.prediction, name)
    assert (version.model_id, version.model_name, version.model_sha256) == (None, "", "")


def test_the_lesions_of_a_version_carry_the_evidence_with_who_and_when(desk):
    other = desk_of(desk.study, desk.prediction)
    draft = desk.save(NEW, statements=[statement(evidence="post_gadolinium")]).json()
    (said,) = draft["statements"]

    other.submit(draft["id"])

    lesions = Annotation.objects.get(pk=draft["id"]).lesions.order_by("number")
    assert [(one.evidence, one.evidence_by, one.evidence_at and one.evidence_at.isoformat()) for one in lesions] == [
        ("post_gadolinium", desk.reader, said["created"]),
        (None, None, None),
        (None, None, None),
    ]
    listed = desk.client.get(f"/api/v1/annotations/{draft['id']}/lesions").json()["results"]
    assert [one["evidence"] for one in listed] == ["post_gadolinium", None, None]


@pytest.mark.parametrize(
    ("statements", "unconfirmed"),
    [([], 1), ([statement()], 0), ([statement("reclassified")], 1), ([statement("added")], 1)],
)
def test_active_lesions_stay_unconfirmed_until_a_reader_says_why(desk, statements, unconfirmed):
    version = desk.submitted(statements=statements)

    assert desk.prediction.unconfirmed_active_count == 1
    assert version.unconfirmed_active_count == unconfirmed
    desk.study.refresh_from_db()
    assert desk.study.annotation_summary["unconfirmed_active_count"] == unconfirmed


def test_a_confirmed_inactive_lesion_leaves_the_active_one_unconfirmed(desk):
    confirmed = statement(anchor=LARGE_INACTIVE, lesion_class="inactive", evidence="reader_opinion")

    version = desk.submitted(statements=[confirmed])

    assert version.unconfirmed_active_count == 1
    assert list(version.lesions.order_by("number").values_list("evidence", flat=True)) == [None, "reader_opinion", None]


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (statement(anchor=NOWHERE), "active lesion confirmed at slice 1, row 0, column 0, but there is no lesion"),
        (statement("added", NOWHERE), "active lesion added at slice 1, row 0, column 0, but there is no lesion"),
        (
            statement("reclassified", SMALL_INACTIVE, lesion_class="inactive"),
            "inactive lesion reclassified at slice 4, row 8, column 24, but there is no lesion",
        ),
        (
            statement(anchor=LARGE_INACTIVE),
            "active lesion confirmed at slice 3, row 8, column 8, but the lesion is inactive",
        ),
    ],
)
def test_a_statement_that_the_mask_contradicts_holds_the_draft_back(desk, said, detail):
    draft = desk.save(NEW, without_small_inactive(), statements=[statement(), said]).json()
    desk.study.refresh_from_db()

    answer = desk.submit(draft["id"])

    (problem,) = answer.json()["errors"]
    assert (answer.status_code, problem["field"]) == (422, "statements.1")
    assert problem["detail"].startswith(detail)
    assert Annotation.objects.count() == 1
    assert (desk.client.get(desk.draft).json(), desk.state()) == (draft, "ready")


def test_a_false_positive_needs_no_lesion(desk):
    gone = statement("false_positive", SMALL_INACTIVE, lesion_class="inactive", reason="vessel")

    version = desk.submitted(without_small_inactive(), statements=[gone])

    assert [one["kind"] for one in version.statements] == ["false_positive"]


def test_the_study_shows_the_submitted_version_and_waits_for_review(desk, announced):
    version = desk.submitted(without_small_inactive())

    assert desk.state() == "in_review"
    assert desk.study.current_annotation_id == version.pk
    assert (desk.study.active_count, desk.study.inactive_count) == (1, 1)
    assert (desk.study.annotation_summary["state"], desk.study.annotation_summary["claim"]) == ("submitted", "")
    assert [event["type"] for event in announced] == [
        "draft.changed",
        "draft.changed",
        "study.changed",
        "annotation.changed",
    ]
    assert (announced[1]["revision"], announced[3]["annotation"], announced[3]["version"]) == (0, str(version.pk), 2)


def test_submitting_again_is_the_same_version(desk):
    draft = desk.save(NEW).json()["id"]
    first = desk.submit(draft, '"1"', "Once.")

    again = desk.submit(draft, '"1"', "Twice.")
    desk.post(f"annotations/{draft}/approve", {})
    later = desk.submit(draft, '"1"')

    assert (first.status_code, again.status_code, later.status_code) == (201, 200, 200)
    assert again.json() == first.json()
    assert later.json()["state"] == "approved"
    assert Annotation.objects.count() == 2


def test_after_a_submission_the_draft_is_gone_and_the_next_one_is_another(desk):
    version = desk.submitted()

    assert desk.client.get(desk.draft).status_code == 404
    assert bytes(Draft.objects.get().mask) == b""
    assert desk.save(NEW, base=str(version.pk)).json()["id"] != str(version.pk)


@pytest.mark.parametrize(("tag", "status"), [('"1"', 412), ('W/"2"', 412), ("2", 422), (None, 428)])
def test_only_the_revision_that_the_reader_saw_is_submitted(desk, tag, status):
    draft = desk.save(NEW).json()["id"]
    desk.save({"if-match": '"1"'}, without_small_inactive())

    answer = desk.post(f"annotations/{draft}/submit", {}, {"if-match": tag} if tag else {})

    assert answer.status_code == status
    assert Annotation.objects.count() == 1


def test_what_was_never_a_draft_is_not_submitted(desk):
    answer = desk.submit(str(desk.prediction.pk))

    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "the version is predicted; only a draft can be submitted",
    )
    assert desk.submit("5f0c5ab6-7a55-4a3c-9d06-0c3f3a0f5f51").status_code == 404


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
