"""A study's draft: changed only by who knows its revision, measured as it is saved, gone when it is discarded."""

from base64 import b64encode
from datetime import datetime

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from plaqueview.annotations.models import Annotation, Draft
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Action, Role
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.imaging.lesions import CountingRule
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import (
    ACTIVE,
    LARGE_INACTIVE,
    NEW,
    NOWHERE,
    SMALL_INACTIVE,
    desk_of,
    predicted_labels,
    statement,
    without_small_inactive,
)
from tests.inference.scenes import SHAPE, segmentation

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    """What happened to drafts, as the audit tells it."""
    events = AuditEvent.objects.filter(kind__startswith="draft.").order_by("sequence")
    return [event.kind for event in events]


def test_a_study_has_no_draft_before_somebody_makes_one(desk):
    answer = desk.client.get(desk.draft)

    assert (answer.status_code, answer.json()["detail"]) == (404, "the study has no draft")
    assert desk.client.get(f"{desk.draft}/mask").status_code == 404


def test_a_draft_is_what_was_saved_with_what_it_adds_up_to(desk):
    labels = without_small_inactive()
    said = statement()

    answer = desk.save(NEW, labels, statements=[said])

    body = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    (signed,) = body.pop("statements")
    assert abs((timezone.now() - datetime.fromisoformat(signed.pop("created"))).total_seconds()) < 60
    assert signed == {**said, "author": desk.reader.username}
    active, inactive = body.pop("lesions")
    assert {
        "number": 1,
        "lesion_class": "active",
        "evidence": "prior",
        "statement": said["id"],
    }.items() <= active.items()
    assert {"number": 2, "lesion_class": "inactive", "evidence": None, "statement": None}.items() <= inactive.items()
    volumes_ml = segmentation().lesions.lesions
    assert body.pop("lesion_volumes_ml") == pytest.approx(
        {"active": volumes_ml[0].volume_ml, "inactive": volumes_ml[1].volume_ml}
    )
    assert body.pop("modified") == Draft.objects.get().modified.isoformat()
    assert body == {
        "id": str(Draft.objects.get().pk),
        "study": str(desk.study.pk),
        "series": str(desk.prediction.series_id),
        "base": str(desk.prediction.pk),
        "base_version": 1,
        "revision": 1,
        "is_blinded": False,
        "author": desk.reader.username,
        "counting_rule": CountingRule().sentence,
        "lesion_counts": {"active": 1, "inactive": 1},
        "contradictions": [],
        "counts_by_slice": {"active": [0, 0, 0, 1, 1, 1], "inactive": [0, 1, 1, 1, 0, 0]},
        "counts_by_size": {
            "small": {"active": 0, "inactive": 0},
            "medium": {"active": 0, "inactive": 1},
            "large": {"active": 1, "inactive": 0},
        },
        "size_rule": SIZE_RULE,
    }


def test_the_lesions_of_a_draft_have_the_measures_of_a_version(desk):
    version = {
        row["number"]: row for row in desk.client.get(f"/api/v1/studies/{desk.study.pk}/lesions").json()["results"]
    }

    rows = desk.save(NEW).json()["lesions"]

    assert [row["number"] for row in rows] == [1, 2, 3]
    for row in rows:
        known = version[row["number"]]
        assert row.pop("mean_probability") == pytest.approx(known.pop("mean_probability"), abs=1 / 255)
        assert row.pop("statement") is None
        assert row.pop("id") != known.pop("id")
        assert row == known


def test_a_lesion_keeps_its_id_while_others_change(desk):
    before = {tuple(row["centroid_index"]): row["id"] for row in desk.save(NEW).json()["lesions"]}

    after = desk.save({"if-match": '"1"'}, without_small_inactive()).json()["lesions"]

    assert len(after) == 2
    assert [row["id"] for row in after] == [before[tuple(row["centroid_index"])] for row in after]


def test_the_mask_of_a_draft_is_the_labels_that_were_saved(desk):
    labels = without_small_inactive()
    desk.save(NEW, labels)

    answer = desk.client.get(f"{desk.draft}/mask", headers={"accept": "image/png"})
    again = desk.client.get(f"{desk.draft}/mask", headers={"if-none-match": '"1"'})

    np.testing.assert_array_equal(mask_codec.decode(answer.content), labels)
    assert (answer.headers["ETag"], answer.headers["Cache-Control"]) == ('"1"', "private, no-cache")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert (again.status_code, again.content) == (304, b"")


def test_equal_labels_are_kept_as_equal_bytes_however_they_were_cut_into_runs(desk):
    labels = np.zeros(SHAPE, np.uint8)
    rest = labels.size - 1
    lengths = bytes([0, 1]) + bytes([0, rest & 0x7F | 0x80, rest >> 7])
    cut = mask_codec.encode(labels)[:16] + lengths

    answer = desk.save(NEW, mask=b64encode(cut).decode())

    assert answer.status_code == 201
    assert bytes(Draft.objects.get().mask) == mask_codec.encode(labels)


def test_each_saving_needs_the_revision_that_the_last_one_gave(desk):
    desk.save(NEW)

    second = desk.save({"if-match": '"1"'})
    third = desk.save({"if-match": '"7", "2"'})
    fourth = desk.save({"if-match": "*"})

    assert [(one.status_code, one.headers["ETag"]) for one in (second, third, fourth)] == [
        (200, '"2"'),
        (200, '"3"'),
        (200, '"4"'),
    ]
    assert desk.client.get(desk.draft).headers["ETag"] == '"4"'


@pytest.mark.parametrize("headers", [{"if-match": '"1"'}, {"if-match": 'W/"2"'}, {"if-match": '"02"'}, NEW])
def test_who_knows_another_revision_changes_nothing_and_hears_who_was_quicker(desk, headers):
    other = desk_of(desk.study, desk.prediction)
    desk.save(NEW)
    stored = other.save({"if-match": '"1"'}, without_small_inactive()).json()

    answer = desk.save(headers)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (412, "precondition_failed")
    assert (problem["revision"], problem["author"], problem["modified"]) == (
        2,
        other.reader.username,
        stored["modified"],
    )
    assert desk.client.get(desk.draft).json() == stored


def test_a_revision_of_a_draft_that_is_not_there_is_told_what_became_of_it(desk):
    never = desk.save({"if-match": '"1"'})
    draft = desk.save(NEW).json()
    desk.client.delete(desk.draft, headers={"if-match": '"1"'})
    discarded = desk.save({"if-match": '"1"'})
    draft = desk.save(NEW).json()
    desk.submit(draft["id"])
    submitted = desk.save({"if-match": '"2"'})

    name = desk.reader.username
    assert [answer.status_code for answer in (never, discarded, submitted)] == [412, 412, 412]
    assert [answer.json()["revision"] for answer in (never, discarded, submitted)] == [None, None, None]
    assert never.json()["detail"] == "the study has no draft; If-None-Match: * makes one"
    assert discarded.json()["detail"] == f"the draft was discarded by {name}; If-None-Match: * makes a new one"
    assert submitted.json()["detail"] == f"the draft was submitted by {name}; If-None-Match: * makes a new one"
    assert submitted.json()["author"] == name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"if-match": "1"}, 422),
        ({"if-match": '"1'}, 422),
        ({"if-match": ""}, 422),
        ({"if-match": '"1", '}, 422),
        ({"if-none-match": '"1"'}, 422),
        ({"if-match": '"1"', "if-none-match": "*"}, 422),
    ],
)
def test_a_request_that_does_not_say_what_it_changes_changes_nothing(desk, headers, status):
    desk.save(NEW)

    answers = [desk.save(headers, without_small_inactive())]
    if "if-none-match" not in headers:
        answers.append(desk.client.delete(desk.draft, headers=headers))

    assert {answer.status_code for answer in answers} == {status}
    assert Draft.objects.get().revision == 1


def test_a_revision_never_comes_again_in_a_study(desk):
    desk.save(NEW)
    desk.save({"if-match": '"1"'})
    desk.client.delete(desk.draft, headers={"if-match": '"2"'})

    again = desk.save(NEW)

    assert (again.status_code, again.headers["ETag"]) == (201, '"3"')
    assert desk.save({"if-match": '"2"'}).status_code == 412


def test_a_discarded_draft_is_gone_with_its_mask(desk, announced):
    draft = desk.save(NEW).json()["id"]
    other = desk_of(desk.study, desk.prediction)

    stale = desk.client.delete(desk.draft, headers={"if-match": '"2"'})
    gone = other.client.delete(desk.draft, headers={"if-match": '"1"'})
    again = other.client.delete(desk.draft, headers={"if-match": '"1"'})

    assert [stale.status_code, gone.status_code, again.status_code] == [412, 204, 404]
    assert desk.client.get(desk.draft).status_code == 404
    assert desk.submit(draft).status_code == 404
    row = Draft.objects.get()
    assert (bytes(row.mask), row.statements, row.measures) == (b"", [], {})
    assert announced[-1] == {
        "type": "draft.changed",
        "study": str(desk.study.pk),
        "draft": draft,
        "revision": 0,
        "author": other.reader.username,
    }
    assert Annotation.objects.count() == 1


def test_listeners_hear_of_every_saving_and_of_no_failed_one(desk, announced):
    desk.save(NEW)
    desk.save({"if-match": '"1"'})
    desk.save({"if-match": '"1"'})
    desk.save({"if-match": '"2"'}, mask="no mask")

    assert [(event["type"], event["revision"]) for event in announced] == [("draft.changed", 1), ("draft.changed", 2)]


def test_the_audit_knows_the_first_saving_the_reading_and_the_end(desk):
    desk.save(NEW)
    desk.save({"if-match": '"1"'})
    desk.client.get(desk.draft)
    desk.client.delete(desk.draft, headers={"if-match": "*"})

    assert kinds() == ["draft.created", "draft.read", "draft.discarded"]
    event = AuditEvent.objects.get(kind="draft.discarded")
    assert (event.actor_id, event.object_id, event.site_id) == (
        desk.reader.pk,
        str(Draft.objects.get().pk),
        desk.study.site_id,
    )
    assert event.details == {"study": str(desk.study.pk), "base": str(desk.prediction.pk), "revision": 2}


def test_who_may_read_versions_may_read_the_draft_and_no_more(desk):
    desk.save(NEW)
    integrator = token_client(make_user(Role.INTEGRATOR, site=desk.study.site))
    narrow = token_client(desk.reader, Action.ANNOTATION_READ)

    for client in (integrator, narrow):
        assert client.get(desk.draft).status_code == 200
        assert client.delete(desk.draft, headers={"if-match": "*"}).status_code == 403
    assert Draft.objects.open().count() == 1


def test_the_database_holds_to_one_draft_a_study_and_one_for_each_blinded_reader(desk):
    desk.save(NEW)
    draft = Draft.objects.get()
    fields = {"study": desk.study, "base": desk.prediction, "author": desk.reader, "mask": b""}
    Draft.objects.create(**fields, reader=desk.reader, revision=1)

    for twice in (
        lambda: Draft.objects.create(**fields, revision=9),
        lambda: Draft.objects.create(**fields, reader=desk.reader, revision=9),
        lambda: Draft.objects.filter(pk=draft.pk).update(revision=0),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            twice()

    Draft.objects.create(**fields, reader=desk.reader, revision=10, ended_at=timezone.now())
    assert Draft.objects.open().count() == 2


def test_the_anchors_of_the_scene_lie_where_they_say():
    labels = predicted_labels()

    assert [labels[tuple(at)] for at in (ACTIVE, LARGE_INACTIVE, SMALL_INACTIVE, NOWHERE)] == [2, 1, 1, 0]
