"""What a draft holds: a mask on the grid of its base, and what readers say of its lesions."""

import json
from base64 import b64encode
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from plaqueview.annotations.measuring import LARGEST_MASK_BYTES
from plaqueview.annotations.models import Draft, Evidence
from plaqueview.annotations.statements import MOST_STATEMENTS, Statement, StatementKind
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import CountingRule
from tests.annotations.scenes import (
    LARGE_INACTIVE,
    NEW,
    NOWHERE,
    SMALL_INACTIVE,
    desk_of,
    make_desk,
    predicted_labels,
    statement,
    without_small_inactive,
)
from tests.inference.scenes import SHAPE, make_study

pytestmark = pytest.mark.django_db

NOT_THERE = f"there is no lesion by the rule: {CountingRule().sentence}"
HEADER_ALONE = mask_codec.HEADER.pack(mask_codec.MAGIC, *SHAPE)
NEED = "need one of artefact, vessel, normal_variant, choroid_plexus, not_demyelinating, or other: and what"


def refused(desk, **changes) -> dict:
    answer = desk.save(NEW, **changes)
    assert answer.status_code == 422, answer.content
    assert not Draft.objects.exists()
    return answer.json()


def test_a_mask_on_another_grid_is_refused_before_it_is_read(desk):
    header = mask_codec.HEADER.pack(mask_codec.MAGIC, 6, 32, 33)

    problem = refused(desk, mask=b64encode(header).decode())

    assert problem["errors"] == [
        {"field": "mask", "detail": "mask has the shape (6, 32, 33), its base has (6, 32, 32)"}
    ]


def test_a_label_that_means_nothing_is_refused(desk):
    labels = predicted_labels()
    labels[0, 0, 0] = 3

    assert "need 0 (background), 1 (inactive), 2 (active)" in refused(desk, labels=labels)["detail"]


@pytest.mark.parametrize(
    ("mask", "detail"),
    [
        ("not base64!", "mask is no base64"),
        ("QUJD", "mask has 3 bytes, the header alone needs 16"),
        (b64encode(b"NIFT" + bytes(12)).decode(), "mask begins with b'NIFT', need b'PVM1'"),
        (
            b64encode(mask_codec.encode(np.zeros(SHAPE, np.uint8))[:16]).decode(),
            "runs cover 0 voxels, the shape needs 6144",
        ),
        (
            b64encode(bytes(LARGEST_MASK_BYTES + 1)).decode(),
            f"mask has {LARGEST_MASK_BYTES + 1} bytes, at most {LARGEST_MASK_BYTES} are accepted",
        ),
    ],
)
def test_what_is_no_mask_is_refused_by_name(desk, mask, detail):
    assert refused(desk, mask=mask)["detail"] == detail


def test_a_longer_text_than_any_mask_is_refused_unread(desk):
    answer = desk.save(NEW, mask="A" * (LARGEST_MASK_BYTES * 4 // 3 + 8))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "mask"


def test_an_empty_mask_is_a_draft_without_lesions(desk):
    body = desk.save(NEW, np.zeros(SHAPE, np.uint8)).json()

    assert (body["lesions"], body["lesion_counts"]) == ([], {"active": 0, "inactive": 0})
    assert body["lesion_volumes_ml"] == {"active": 0.0, "inactive": 0.0}


# --- the base -------------------------------------------------------------------------------------------------------


def test_the_base_is_any_version_of_the_study_also_an_old_one(desk):
    newer = desk.submitted(without_small_inactive())

    answer = desk.save(NEW, base=str(desk.prediction.pk))
    changed = desk.save({"if-match": answer.headers["ETag"]}, base=str(newer.pk))

    assert (answer.status_code, answer.json()["base_version"]) == (201, 1)
    assert (changed.status_code, changed.json()["base_version"]) == (200, 2)


def test_a_version_of_another_study_is_no_base(desk):
    other = make_desk(make_study(site=desk.study.site, uid="1.2.4"))

    assert refused(desk, base=str(other.prediction.pk))["errors"][0]["field"] == "base"
    assert refused(desk, base="5f0c5ab6-7a55-4a3c-9d06-0c3f3a0f5f51")["errors"][0]["field"] == "base"


# --- statements -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (statement(anchor=[6, 0, 0]), "the anchor (6, 0, 0) lies outside of the grid (6, 32, 32)"),
        (statement(evidence=None), "a confirmation needs its evidence, one of post_gadolinium, prior, reader_opinion"),
        (
            statement("false_positive"),
            f"the reason of a false positive is '', {NEED}",
        ),
        (
            statement("false_positive", reason="other:"),
            f"the reason of a false positive is 'other:', {NEED}",
        ),
    ],
)
def test_a_statement_says_what_it_has_to(desk, said, detail):
    problem = refused(desk, statements=[statement(), said])

    assert problem["errors"] == [{"field": "statements.1", "detail": detail}]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "doubted"},
        {"anchor": [1, 2]},
        {"anchor": [-1, 0, 0]},
        {"anchor": [0.5, 0, 0]},
        {"lesion_class": "old"},
        {"evidence": "guess"},
        {"id": "one"},
        {"reason": "x" * 501},
    ],
)
def test_a_statement_of_another_shape_is_refused_by_field(desk, changes):
    answer = desk.save(NEW, statements=[statement(**changes)])

    assert answer.status_code == 400
    (field,) = changes
    assert answer.json()["errors"][0]["field"].startswith(f"statements.0.{field}")
    assert not Draft.objects.exists()


def test_more_statements_than_anybody_makes_are_refused(desk):
    answer = desk.save(NEW, statements=[statement()] * (MOST_STATEMENTS + 1))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "statements.non_field_errors")


def test_two_statements_never_share_an_id(desk):
    said = statement()

    assert "same id" in refused(desk, statements=[said, said])["detail"]


@pytest.mark.parametrize("reason", ["artefact", "choroid_plexus", "other: a widened perivascular space"])
def test_a_false_positive_has_a_reason(desk, reason):
    said = statement("false_positive", SMALL_INACTIVE, lesion_class="inactive", reason=reason)

    answer = desk.save(NEW, without_small_inactive(), statements=[said])

    assert answer.json()["statements"][0]["reason"] == reason


def test_a_statement_stays_with_who_said_it_and_a_changed_one_is_another_readers(desk):
    other = desk_of(desk.study, desk.prediction)
    first, second = statement(), statement("reclassified", LARGE_INACTIVE)
    before = desk.save(NEW, statements=[first, second]).json()["statements"]

    forged = {**first, "author": "somebody", "created": "1999-01-01T00:00:00Z"}
    after = other.save({"if-match": '"1"'}, statements=[forged, {**second, "reason": "dark on T1"}]).json()[
        "statements"
    ]

    assert after[0] == before[0]
    assert (after[1]["author"], after[1]["reason"]) == (other.reader.username, "dark on T1")
    assert after[1]["created"] > before[1]["created"]


def test_what_was_said_of_the_base_stays_with_who_said_it(desk):
    said = statement()
    version = desk.submitted(statements=[said])
    other = desk_of(desk.study, desk.prediction)

    draft = other.save(NEW, base=str(version.pk), statements=[said]).json()

    assert draft["statements"] == version.statements
    assert draft["statements"][0]["author"] == desk.reader.username


def test_the_last_word_on_a_lesion_counts_and_a_reclassification_takes_a_confirmation_back(desk):
    confirmed, reclassified = statement(), statement("reclassified", lesion_class="inactive")
    labels = predicted_labels()
    labels[labels == 2] = 1

    kept = desk.save(NEW, statements=[reclassified, confirmed]).json()["lesions"][0]
    taken_back = desk.save({"if-match": '"1"'}, labels, statements=[confirmed, reclassified]).json()["lesions"][0]

    assert (kept["evidence"], kept["statement"]) == ("prior", confirmed["id"])
    assert (taken_back["evidence"], taken_back["statement"]) == (None, reclassified["id"])


def test_a_confirmation_that_the_mask_contradicts_is_no_evidence(desk):
    wrong = statement(anchor=LARGE_INACTIVE)
    lost = statement(anchor=NOWHERE)

    body = desk.save(NEW, statements=[wrong, lost]).json()

    assert [row["evidence"] for row in body["lesions"]] == [None, None, None]
    assert [row["statement"] for row in body["lesions"]] == [None, wrong["id"], None]
    assert body["contradictions"] == [
        {
            "statement": lost["id"],
            "detail": f"active lesion confirmed at slice 1, row 0, column 0, but {NOT_THERE}",
        },
        {
            "statement": wrong["id"],
            "detail": "active lesion confirmed at slice 3, row 8, column 8, but the lesion is inactive",
        },
    ]


def test_a_statement_survives_its_json():
    said = Statement(
        id=uuid4(),
        kind=StatementKind.CONFIRMED,
        anchor=(1, 2, 3),
        lesion_class=LesionClass.ACTIVE,
        evidence=Evidence.PRIOR,
        reason="",
        author="neurologist",
        created=timezone.now(),
    )

    for statement_ in (said, replace(said, kind=StatementKind.ADDED, evidence=None, reason="new since June")):
        assert Statement.from_json(json.loads(json.dumps(statement_.as_json()))) == statement_
