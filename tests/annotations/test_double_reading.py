"""Two readers mark a study alone, and neither sees what the other does."""

from uuid import uuid4

import pytest

from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Comment, DoubleReading, Draft
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.annotations.rooms import URL, everybody, parts, statuses, versions
from tests.annotations.scenes import (
    NEW,
    without_small_inactive,
)
from tests.inference.scenes import choose_flair, claimed, segmentation

pytestmark = pytest.mark.django_db


# --- beginning --------------------------------------------------------------------------------------------------------


def test_a_study_under_double_reading_is_out_of_the_queue(room):
    answer = room.begin()

    body = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{URL}/{body['id']}")
    assert body["readings"] == [
        {"reader": reader, "is_submitted": False, "annotation": None} for reader in room.panel["readers"]
    ]
    assert {**room.panel, "state": "reading", "requested_by": "chief", "agreement": None}.items() <= body.items()
    row = room.cid.client.get(f"/api/v1/studies/{room.study.pk}").json()
    assert (row["is_under_double_reading"], row["state"], row["annotation"]["version"]) == (True, "ready", 1)
    assert room.cid.client.get("/api/v1/studies/next").status_code == 204
    (event,) = AuditEvent.objects.filter(kind="double_reading.created")
    assert (event.actor_name, event.details) == ("chief", {"study": str(room.study.pk), "state": "reading"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"readers": ["chief", "chief"]}, "readers"),
        ({"readers": ["chief", "stranger"]}, "readers"),
        ({"adjudicator": "stranger"}, "adjudicator"),
        ({"adjudicator": "bridge"}, "adjudicator"),
    ],
)
def test_it_takes_three_readers_of_the_studys_site(room, changes, field):
    make_user(Role.NEUROLOGIST, site=create_site(name="Elsewhere"), username="stranger")
    make_user(Role.INTEGRATOR, site=room.study.site, username="bridge")

    answer = room.begin(**changes)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not DoubleReading.objects.exists()


def test_only_who_manages_the_reading_begins_one(room):
    answer = room.cid.client.post(URL, room.panel, content_type="application/json")

    assert (answer.status_code, DoubleReading.objects.count()) == (403, 0)


def test_what_a_reader_has_touched_cannot_be_read_blinded(room):
    room.cid.save(NEW)
    with_draft = room.begin()
    room.cid.client.delete(room.cid.draft, headers={"if-match": "*"})
    version = room.cid.submitted()
    in_review = room.begin()
    room.cid.post(f"annotations/{version.pk}/return", {"comment": "Look again."})
    returned = room.begin()

    answers = [with_draft, in_review, returned]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert [answer.json()["detail"].partition(";")[0] for answer in answers] == [
        "the study has a draft",
        "the study is in_review",
        "a reader has marked the study before",
    ]
    assert not DoubleReading.objects.exists()


def test_a_study_is_under_one_double_reading_at_a_time(blinded):
    assert blinded.begin().status_code == 409
    assert blinded.begin(study=str(uuid4())).status_code == 404
    assert DoubleReading.objects.count() == 1


# --- blinded ----------------------------------------------------------------------------------------------------------


def test_a_blinded_readers_draft_is_theirs_alone(blinded):
    ana, bor = blinded.ana, blinded.bor
    draft = ana.save(NEW).json()

    assert (draft["is_blinded"], draft["author"]) == (True, ana.reader.username)
    for client in (bor.client, blinded.eva.client, blinded.cid.client, blinded.manage):
        assert statuses(client, f"studies/{blinded.study.pk}/draft", f"studies/{blinded.study.pk}/draft/mask") == {404}
    assert bor.submit(draft["id"]).status_code == 404
    assert bor.client.delete(bor.draft, headers={"if-match": "*"}).status_code == 404
    assert bor.save(NEW, without_small_inactive()).status_code == 201
    assert ana.client.get(ana.draft).json() == draft


def test_a_blinded_version_is_seen_by_its_author_only_and_changes_nothing_for_others(blinded, announced):
    ana, others = blinded.ana, [blinded.bor.client, blinded.eva.client, blinded.cid.client, blinded.manage]
    before = blinded.cid.client.get(f"/api/v1/studies/{blinded.study.pk}").json()

    version = ana.submitted(without_small_inactive())

    assert statuses(ana.client, *parts(version)) == {200}
    assert versions(ana.client, blinded.study) == [2, 1]
    for client in others:
        assert statuses(client, *parts(version)) == {404}
        assert versions(client, blinded.study) == [1]
        for step in ("approve", "return", "submit"):
            address = f"/api/v1/annotations/{version.pk}/{step}"
            headers = {"if-match": "*"}
            answer = client.post(address, {"comment": "no"}, content_type="application/json", headers=headers)
            assert answer.status_code == 404
    assert blinded.cid.client.get(f"/api/v1/studies/{blinded.study.pk}").json() == before
    assert len(blinded.bor.client.get(f"/api/v1/studies/{blinded.study.pk}/lesions").json()["results"]) == 3
    assert announced == []
    assert blinded.bor.save(NEW, base=str(version.pk)).status_code == 422


def test_the_other_reader_learns_that_one_has_submitted_and_not_what(blinded):
    version = blinded.ana.submitted()

    seen = {name: blinded.seen_by(client) for name, client in everybody(blinded).items()}

    assert seen["ana"]["readings"][0]["annotation"] == str(version.pk)
    for name in ("bor", "eva", "chief"):
        assert seen[name]["readings"][0] == {
            "reader": blinded.ana.reader.username, "is_submitted": True, "annotation": None
        }  # fmt: skip
    assert {one["state"] for one in seen.values()} == {"reading"}
    assert [one["agreement"] for one in seen.values()] == [None] * 4


def test_what_a_blinded_reader_says_reaches_nobody(room, announced):
    address = f"studies/{room.study.pk}/comments"
    before = room.ana.post(address, {"text": "Motion on slice 3."}).json()
    room.begin()
    announced.clear()

    said = room.ana.post(address, {"text": "Two new plaques."}).json()

    assert announced == []
    for client in (room.bor.client, room.eva.client, room.cid.client, room.manage):
        listed = client.get(f"/api/v1/{address}").json()
        assert [one["id"] for one in listed["results"]] == [before["id"]]
        assert client.post(f"/api/v1/comments/{said['id']}/resolve").status_code == 404
    assert Comment.objects.get(pk=said["id"]).resolved_at is None
    assert len(room.ana.client.get(f"/api/v1/{address}").json()["results"]) == 2


def test_whose_turn_it_is_not_writes_no_draft(blinded):
    blinded.ana.submitted()

    answers = [desk.save(NEW) for desk in (blinded.ana, blinded.eva, blinded.cid)]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert answers[0].json()["detail"] == "you have submitted your reading; the study waits for the other reader"
    assert not Draft.objects.open().exists()


def test_who_takes_no_part_does_not_know_of_it(blinded):
    address = f"double-readings/{DoubleReading.objects.get().pk}"

    assert statuses(blinded.cid.client, address) == {404}
    assert blinded.cid.client.get(URL).json()["count"] == 0
    for client in everybody(blinded).values():
        assert client.get(URL, {"study": str(blinded.study.pk), "state": "reading"}).json()["count"] == 1
        assert client.get(URL, {"state": "done"}).json()["count"] == 0


def test_a_new_prediction_is_shown_to_both(blinded):
    blinded.ana.submitted()
    study = Study.objects.get()
    choose_flair(study, study.flair_series, content="with a slice that came late")

    inference.complete(claimed(study), segmentation=segmentation())

    row = blinded.bor.client.get(f"/api/v1/studies/{blinded.study.pk}").json()
    assert (row["annotation"]["version"], row["annotation"]["author"]) == (3, None)
