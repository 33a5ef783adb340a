"""Two readers mark a study alone; their agreement is measured; an adjudicator decides."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site
from plaqueview.annotations import review
from plaqueview.annotations.double_readings import agreement_so_far
from plaqueview.annotations.models import Annotation, Comment, DoubleReading, Draft
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.imaging.agreement import sentence_of
from plaqueview.imaging.lesions import CountingRule
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import (
    NEW,
    Desk,
    desk_of,
    predicted_labels,
    transactions_at_masks,
    without_small_inactive,
)
from tests.inference.scenes import choose_flair, claimed, segmentation

pytestmark = pytest.mark.django_db

URL = "/api/v1/double-readings"


@dataclass(frozen=True)
class Room:
    """Two readers, an adjudicator, one more reader, and who manages the reading, all at one study."""

    ana: Desk
    bor: Desk
    eva: Desk
    cid: Desk
    chief: User

    @property
    def study(self) -> Study:
        return self.ana.study

    @property
    def manage(self) -> Client:
        return token_client(self.chief)

    @property
    def panel(self) -> dict[str, Any]:
        readers = [self.ana.reader.username, self.bor.reader.username]
        return {"study": str(self.study.pk), "readers": readers, "adjudicator": self.eva.reader.username}

    def begin(self, **changes: Any) -> Any:
        return self.manage.post(URL, self.panel | changes, content_type="application/json")

    def seen_by(self, client: Client) -> dict[str, Any]:
        return client.get(f"{URL}/{DoubleReading.objects.get().pk}").json()


@pytest.fixture
def room(desk) -> Room:
    others = [desk_of(desk.study, desk.prediction) for _ in range(3)]
    return Room(desk, *others, make_user(Role.ADMIN, site=desk.study.site, username="chief"))


@pytest.fixture
def blinded(room) -> Room:
    assert room.begin().status_code == 201
    return room


@pytest.fixture
def adjudicated(blinded) -> Room:
    blinded.ana.submitted()
    blinded.bor.submitted(without_small_inactive())
    return blinded


def statuses(client: Client, *addresses: str) -> set[int]:
    return {client.get(f"/api/v1/{address}").status_code for address in addresses}


def versions(client: Client, study: Study) -> list[int]:
    return [one["version"] for one in client.get(f"/api/v1/studies/{study.pk}/annotations").json()["results"]]


def parts(version: Annotation) -> list[str]:
    base = f"annotations/{version.pk}"
    return [base, *(f"{base}/{part}" for part in ("lesions", "mask", "brain-mask", "probability", "mask.nii.gz"))]


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


def everybody(room: Room) -> dict[str, Client]:
    return {"ana": room.ana.client, "bor": room.bor.client, "eva": room.eva.client, "chief": room.manage}


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


# --- adjudication -----------------------------------------------------------------------------------------------------


def test_the_adjudicator_sees_how_far_the_two_agree(adjudicated):
    first, second = predicted_labels(), without_small_inactive()
    inactive = 2 * (second == 1).sum() / ((first == 1).sum() + (second == 1).sum())
    agreement = {
        "dice": pytest.approx(2 * (second > 0).sum() / ((first > 0).sum() + (second > 0).sum())),
        "dice_active": 1.0,
        "dice_inactive": pytest.approx(inactive),
        "lesion_f1": pytest.approx(2 * (2 / 3) / (2 / 3 + 1)),
        "class_kappa": 1.0,
        "lesions_matched": 2,
        "rule": sentence_of(CountingRule()),
    }

    seen = {name: adjudicated.seen_by(client) for name, client in everybody(adjudicated).items()}

    assert {one["state"] for one in seen.values()} == {"adjudication"}
    assert seen["eva"]["agreement"] == seen["chief"]["agreement"] == agreement
    assert seen["ana"]["agreement"] is seen["bor"]["agreement"] is None
    submitted = [str(one.pk) for one in Annotation.objects.filter(author__isnull=False).order_by("version")]
    assert [one["annotation"] for one in seen["eva"]["readings"]] == submitted


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_the_agreement_is_measured(blinded, monkeypatch):
    blinded.ana.submitted()
    draft = blinded.bor.save(NEW, without_small_inactive()).json()["id"]
    seen = transactions_at_masks(monkeypatch)

    blinded.bor.submit(draft)

    assert DoubleReading.objects.get().agreement["lesions_matched"] == 2
    assert seen == [False]


def test_of_two_who_submit_at_once_the_later_one_is_compared(blinded, monkeypatch):
    def as_the_other_submits(draft: Draft, labels: bytes) -> dict[str, object] | None:
        found = agreement_so_far(draft, labels)
        if draft.reader == blinded.bor.reader:
            blinded.ana.submitted()
        return found

    monkeypatch.setattr(review, "agreement_so_far", as_the_other_submits)

    blinded.bor.submitted(without_small_inactive())

    seen = blinded.seen_by(blinded.eva.client)
    assert (seen["state"], seen["agreement"]["lesions_matched"]) == ("adjudication", 2)


def test_readers_who_marked_different_grids_are_not_compared(blinded):
    version = blinded.ana.submitted()
    Annotation.objects.filter(pk=version.pk).update(affine=[2.0 * value for value in version.affine])

    blinded.bor.submitted()

    seen = blinded.seen_by(blinded.eva.client)
    assert (seen["state"], seen["agreement"]) == ("adjudication", None)


def test_once_both_have_submitted_they_are_seen_and_the_prediction_stays_current(adjudicated):
    for desk in (adjudicated.ana, adjudicated.bor, adjudicated.eva, adjudicated.cid):
        assert versions(desk.client, adjudicated.study) == [3, 2, 1]
    row = adjudicated.cid.client.get(f"/api/v1/studies/{adjudicated.study.pk}").json()
    assert (row["state"], row["annotation"]["version"], row["is_under_double_reading"]) == ("ready", 1, True)
    assert [event.details["state"] for event in AuditEvent.objects.filter(kind="double_reading.moved")] == [
        "adjudication"
    ]


def test_neither_readers_version_can_be_approved_by_itself(adjudicated):
    version = Annotation.objects.get(author=adjudicated.ana.reader)

    answer = adjudicated.eva.post(f"annotations/{version.pk}/approve", {})

    assert (answer.status_code, adjudicated.ana.state()) == (409, "ready")


def test_nobody_but_the_adjudicator_works_on_it_then(adjudicated):
    answers = [desk.save(NEW) for desk in (adjudicated.ana, adjudicated.bor, adjudicated.cid)]

    assert [answer.status_code for answer in answers] == [409] * 3
    draft = adjudicated.eva.save(NEW, base=str(Annotation.objects.get(author=adjudicated.bor.reader).pk)).json()
    assert (draft["base_version"], draft["is_blinded"]) == (3, False)
    assert adjudicated.cid.submit(draft["id"]).status_code == 409
    assert Draft.objects.open().count() == 1


def test_the_adjudicators_approved_version_ends_it(adjudicated):
    eva = adjudicated.eva

    version = eva.submitted()
    assert (eva.state(), adjudicated.seen_by(eva.client)["state"]) == ("in_review", "adjudication")
    assert eva.post(f"annotations/{version.pk}/approve", {}).status_code == 200

    assert adjudicated.seen_by(eva.client)["state"] == "done"
    row = adjudicated.cid.client.get(f"/api/v1/studies/{adjudicated.study.pk}").json()
    assert (row["state"], row["annotation"]["id"], row["is_under_double_reading"]) == (
        "approved",
        str(version.pk),
        False,
    )
    assert adjudicated.cid.client.get("/api/v1/studies?reading=read").json()["count"] == 1
    assert adjudicated.cid.save(NEW).status_code == 201


def test_a_returned_adjudication_is_made_again(adjudicated):
    eva = adjudicated.eva
    first = eva.submitted()

    eva.post(f"annotations/{first.pk}/return", {"comment": "Slice 3 again."})

    assert adjudicated.seen_by(eva.client)["state"] == "adjudication"
    assert adjudicated.cid.save(NEW).status_code == 409
    assert eva.submitted().version == 5


# --- called off -------------------------------------------------------------------------------------------------------


def test_a_double_reading_that_is_called_off_gives_the_study_back(blinded):
    version = blinded.ana.submitted()
    blinded.bor.save(NEW)
    address = f"{URL}/{DoubleReading.objects.get().pk}"

    assert blinded.eva.client.delete(address).status_code == 403
    assert blinded.manage.delete(address).status_code == 204

    assert not DoubleReading.objects.exists()
    assert not Draft.objects.open().exists()
    assert statuses(blinded.bor.client, *parts(version)) == {200}
    row = blinded.cid.client.get("/api/v1/studies/next").json()
    assert (row["id"], row["is_under_double_reading"]) == (str(blinded.study.pk), False)
    assert blinded.cid.save(NEW).status_code == 201
    (event,) = AuditEvent.objects.filter(kind="double_reading.moved")
    assert (event.actor_name, event.details["state"]) == ("chief", "called_off")


def test_what_is_over_cannot_be_called_off(adjudicated):
    version = adjudicated.eva.submitted()
    adjudicated.eva.post(f"annotations/{version.pk}/approve", {})

    answer = adjudicated.manage.delete(f"{URL}/{DoubleReading.objects.get().pk}")

    assert (answer.status_code, DoubleReading.objects.count()) == (409, 1)
