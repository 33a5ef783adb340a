"""Registrations and changes over REST, as the viewer asks for them."""

import pytest

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.imaging.brightened_spots import BRIGHTENING_SUGGESTION
from plaqueview.imaging.brightening import BrighteningRule
from plaqueview.imaging.longitudinal import SUGGESTION, ChangeRule
from plaqueview.longitudinal import services
from plaqueview.longitudinal.models import Registration
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import transactions_at_masks
from tests.longitudinal.visits import LASTING, NEW, OLD, STILL, brightened_in, claimed, read_with, registered, visits

pytestmark = pytest.mark.django_db


def reader_of(study):
    return token_client(make_user(Role.NEUROLOGIST, site=study.site))


def test_a_registration_is_asked_for_and_followed():
    study, prior = visits()
    client = reader_of(study)

    asked = client.post(f"/api/v1/studies/{study.pk}/registrations", {"prior": str(prior.pk)}, "application/json")

    assert asked.status_code == 202
    registration = Registration.objects.get()
    assert asked.headers["Location"] == f"/api/v1/registrations/{registration.pk}"
    assert client.get(asked.headers["Location"]).json() == asked.json()
    assert asked.json() == {
        "id": str(registration.pk),
        "study": str(study.pk),
        "prior": str(prior.pk),
        "fixed_series": str(study.flair_series_id),
        "moving_series": str(prior.flair_series_id),
        "state": "queued",
        "reason": "",
        "matrix": None,
        "similarity_before": None,
        "similarity": None,
        "seconds": None,
        "created": asked.json()["created"],
        "finished_at": None,
    }


def test_one_that_is_there_is_given_at_once():
    study, prior = visits()
    registered(study, prior)
    client = reader_of(study)

    asked = client.post(f"/api/v1/studies/{study.pk}/registrations", {"prior": str(prior.pk)}, "application/json")

    assert asked.status_code == 200
    assert (asked.json()["state"], asked.json()["matrix"], asked.json()["similarity"]) == (
        "succeeded",
        list(STILL),
        0.9,
    )


def test_they_are_listed_for_one_prior_or_for_all():
    study, prior, first = visits(3)
    to_first, to_prior = registered(study, first), registered(study, prior)
    client = reader_of(study)

    listed = client.get(f"/api/v1/studies/{study.pk}/registrations").json()
    of_first = client.get(f"/api/v1/studies/{study.pk}/registrations?prior={first.pk}").json()

    assert [one["id"] for one in listed["results"]] == [str(to_prior.pk), str(to_first.pk)]
    assert [one["id"] for one in of_first["results"]] == [str(to_first.pk)]


def test_a_study_that_is_no_prior_is_refused():
    study, prior = visits()

    answer = reader_of(study).post(
        f"/api/v1/studies/{prior.pk}/registrations", {"prior": str(study.pk)}, "application/json"
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"] == "prior has to be an earlier study of the same patient"


def test_the_changes_between_two_visits():
    study, prior = visits()
    version, prior_version = read_with(study, LASTING, NEW), read_with(prior, OLD, LASTING)
    registration = registered(study, prior)

    answer = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    assert answer.status_code == 200
    body = answer.json()
    changes, protocol, brightening = body.pop("changes"), body.pop("protocol"), body.pop("brightening")
    assert (brightening["without_growth"], brightening["spots"]) == (0, [])
    assert body == {
        "study": str(study.pk),
        "prior": str(prior.pk),
        "annotation": str(version.pk),
        "prior_annotation": str(prior_version.pk),
        "registration": str(registration.pk),
        "rule": ChangeRule().sentence,
        "suggestion": SUGGESTION,
        "counts": {"new": 1, "enlarging": 0, "stable": 1, "shrinking": 0, "resolved": 1},
        "not_compared": [],
        "prior_not_compared": [],
    }
    assert [(one["change"], one["lesions"], one["prior_lesions"], one["anchor"]) for one in changes] == [
        ("new", [1], [], [4, 24, 16]),
        ("resolved", [], [1], [2, 8, 8]),
        ("stable", [2], [2], [3, 8, 24]),
    ]
    # Only what is new or enlarging is evidence for a class, and no class has changed by it.
    assert [one["suggests"] for one in changes] == ["active", None, None]
    assert version.lesions.get(number=1).evidence is None
    assert ({one["verdict"] for one in protocol["differences"]} & {"warning"}, protocol["caution"]) == (set(), "")
    new, resolved, _ = changes
    assert (new["volume_ml"], new["prior_volume_ml"]) == (version.lesions.get(number=1).volume_ml, 0.0)
    assert resolved["prior_volume_ml"] == prior_version.lesions.get(number=1).volume_ml


def test_what_became_brighter_is_told_with_the_lesions_in_it():
    """A lesion that lasts, a new one, and a place that no mask has: the largest first."""
    study, prior = visits()
    read_with(study, LASTING, NEW)
    read_with(prior, LASTING)
    elsewhere = ((-10.0, 0.0, -8.0), 2.5)
    registered(study, prior, brightening=brightened_in(NEW, (LASTING[0], 3.5), elsewhere))

    found = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}").json()["brightening"]

    spots = found.pop("spots")
    assert found == {
        "rule": BrighteningRule().sentence,
        "suggestion": BRIGHTENING_SUGGESTION,
        "note": "",
        "without_growth": 2,
    }
    assert [(one["lesions"], one["change"], one["suggests"]) for one in spots] == [
        ([1], "new", "active"),
        ([2], "stable", "active"),
        ([], None, "active"),
    ]
    assert [one["anchor"] for one in spots[1:]] == [[3, 8, 24], [1, 16, 6]]
    voxels = sum(length for _, length in spots[2]["runs"])
    assert spots[2]["volume_ml"] == pytest.approx(voxels * 0.004)


def test_a_registration_of_an_earlier_release_says_nothing_of_brightening():
    study, prior = visits()
    read_with(study, LASTING)
    read_with(prior, LASTING)
    registration = registered(study, prior)
    Registration.objects.filter(pk=registration.pk).update(brightening=None)
    address = f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}"
    assert reader_of(study).get(address).json()["brightening"] is None

    on_another_grid = {**brightened_in(LASTING).as_json(), "shape": [3, 3, 3]}
    Registration.objects.filter(pk=registration.pk).update(brightening=on_another_grid)

    assert reader_of(study).get(address).json()["brightening"] is None


def test_the_matrix_of_the_registration_is_used():
    """The prior's head lay 12 mm to the side: what looks new and resolved by the scanner's positions is one lesion."""
    study, prior = visits()
    read_with(study, ((-4.0, 0.0, 0.0), 3.2))
    read_with(prior, ((8.0, 0.0, 0.0), 3.2))
    matrix = list(STILL)
    matrix[3] = 12.0
    registered(study, prior, matrix)

    body = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}").json()

    assert body["counts"] == {"new": 0, "enlarging": 0, "stable": 1, "shrinking": 0, "resolved": 0}


def test_an_older_version_is_compared_when_it_is_named():
    study, prior = visits()
    first = read_with(study, NEW)
    read_with(study, LASTING)
    read_with(prior, LASTING)
    registered(study, prior)

    body = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}&annotation={first.pk}").json()

    assert (body["annotation"], body["counts"]["new"], body["counts"]["resolved"]) == (str(first.pk), 1, 1)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda _: None, "registration of the two studies is running"),
        (
            lambda claim: services.fail(claim, reason="No head was found."),
            "could not be registered: No head was found.",
        ),
    ],
)
def test_changes_wait_for_the_registration(end, reason):
    study, prior = visits()
    read_with(study, LASTING)
    read_with(prior, LASTING)
    end(claimed(study, prior))

    answer = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert reason in answer.json()["detail"]


def test_changes_of_studies_that_nobody_registered_say_so():
    study, prior = visits()
    read_with(study, LASTING)
    read_with(prior, LASTING)

    answer = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    assert answer.status_code == 409
    assert answer.json()["detail"] == "the two studies are not registered; ask for their registration first"


def test_changes_need_a_prior_and_a_version_of_this_study():
    study, prior = visits()
    read_with(study, LASTING)
    other = read_with(prior, LASTING)
    client = reader_of(study)

    without = client.get(f"/api/v1/studies/{study.pk}/changes")
    foreign = client.get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}&annotation={other.pk}")

    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "prior")
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "annotation")


def test_reading_changes_puts_both_versions_on_record():
    study, prior = visits()
    versions = {str(read_with(study, LASTING).pk), str(read_with(prior, LASTING).pk)}
    registered(study, prior)

    reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    events = AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ)
    assert {event.object_id for event in events} == versions
    assert {event.details["part"] for event in events} == {"changes"}


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_two_versions_are_compared(monkeypatch):
    study, prior = visits()
    read_with(study, LASTING), read_with(prior, LASTING)
    registered(study, prior)
    client = reader_of(study)
    seen = transactions_at_masks(monkeypatch)

    answer = client.get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    assert answer.status_code == 200
    assert seen == [False, False]


def test_a_reading_that_shows_nothing_is_not_on_record():
    study, prior = visits()
    read_with(study, LASTING), read_with(prior, LASTING)

    answer = reader_of(study).get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}")

    assert answer.status_code == 409
    assert not AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ).exists()
