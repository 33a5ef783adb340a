"""The agreement of two readers is measured; an adjudicator decides, or the double reading is called off."""

import pytest

from plaqueview.annotations import review
from plaqueview.annotations.double_readings import agreement_so_far
from plaqueview.annotations.models import Annotation, DoubleReading, Draft
from plaqueview.audit.models import AuditEvent
from plaqueview.imaging.agreement import sentence_of
from plaqueview.imaging.lesions import CountingRule
from tests.annotations.rooms import URL, everybody, parts, statuses, versions
from tests.annotations.scenes import (
    NEW,
    predicted_labels,
    transactions_at_masks,
    without_small_inactive,
)

pytestmark = pytest.mark.django_db


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
