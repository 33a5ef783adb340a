"""What enhances over REST, as the study page asks for it."""

import pytest

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.enhancement import services
from plaqueview.enhancement.models import Enhancement
from plaqueview.imaging.enhancement import ALGORITHM, SUGGESTION, EnhancementRule
from tests.accounts.people import make_user, token_client
from tests.enhancement.visits import NO_PAIR_REASON, choose_pair, claimed, enhanced, visit
from tests.inference.scenes import make_study
from tests.longitudinal.visits import LASTING, OLD, read_with

pytestmark = pytest.mark.django_db


def asked(study):
    client = token_client(make_user(Role.NEUROLOGIST, site=study.site))
    return client, f"/api/v1/studies/{study.pk}/enhancement"


def test_the_lesions_that_took_it_up_come_with_rule_and_caveat():
    study = visit()
    annotation = read_with(study, OLD, LASTING)
    row = enhanced(study, (LASTING[0], 2.5))
    client, address = asked(study)

    body = client.get(f"{address}?annotation={annotation.pk}").json()

    (uptake,) = body.pop("uptakes")
    (lesion,) = body.pop("lesions")
    assert body == {
        "study": str(study.pk),
        "annotation": str(annotation.pk),
        "state": "succeeded",
        "reason": "",
        "before_series": str(row.before_series_id),
        "after_series": str(row.after_series_id),
        "similarity": 0.9,
        "algorithm": ALGORITHM,
        "rule": EnhancementRule().sentence,
        "suggestion": SUGGESTION,
    }
    assert (uptake["lesion"], uptake["suggests"], uptake["share_in_lesion"]) == (lesion, "active", 1.0)
    assert (uptake["peak_deviations"], uptake["anchor"]) == (7.5, [3, 8, 24])
    event = AuditEvent.objects.get(kind=EventKind.ANNOTATION_READ)
    assert (event.object_id, event.details["part"]) == (str(annotation.pk), "enhancement")


def test_a_study_without_a_pair_says_why():
    study = make_study()
    choose_pair(study, {"before": None, "after": None, "reason": NO_PAIR_REASON})
    read_with(study, OLD)
    client, address = asked(study)

    body, refused = client.get(address).json(), client.post(address)

    assert (body["state"], body["reason"], body["rule"], body["lesions"]) == (None, NO_PAIR_REASON, None, [])
    assert refused.status_code == 409
    assert refused.json()["detail"] == f"uptake of contrast agent is not looked for: {NO_PAIR_REASON}"


def test_it_is_asked_for_and_followed_and_a_failure_says_why():
    study = visit()
    read_with(study, OLD)
    client, address = asked(study)

    assert [client.get(address).json()[name] for name in ("state", "reason")] == [None, ""]
    answer = client.post(address)
    assert (answer.status_code, answer.json()["state"], answer.headers["Location"]) == (202, "queued", address)
    services.fail(claimed(study), reason="The T1s do not look like the same head.")
    assert client.get(address).json()["reason"] == "The T1s do not look like the same head."
    assert (client.post(address).json()["state"], Enhancement.objects.count()) == ("queued", 1)


def test_a_version_of_another_study_is_refused():
    study, other = visit(uid="1"), visit(uid="2")
    annotation = read_with(study, OLD)
    client, _ = asked(study)

    assert client.get(f"/api/v1/studies/{other.pk}/enhancement?annotation={annotation.pk}").status_code == 422
