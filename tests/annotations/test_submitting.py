"""A draft becomes a version, with what its reader said of the lesions."""

import numpy as np
import pytest

from plaqueview.annotations.models import Annotation, Draft
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
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

pytestmark = pytest.mark.django_db


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
    assert version.lesions.get(number=1).statement_kind == (statements[0]["kind"] if statements else "")
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
