"""Promotion: through the gate, with a password, by two against it; and back in one step."""

import pytest
from django.test import Client

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.registry.models import ModelVersion, Origin, Stage
from plaqueview.registry.services import NewModel, champion, register_new
from plaqueview.training.models import DatasetSnapshot, GateVerdict, Promotion
from plaqueview.training.rules import InclusionRules
from tests.accounts.people import PASSWORD, browser, csrf, token_client
from tests.inference.scenes import make_model
from tests.training.scenes import make_admin

pytestmark = pytest.mark.django_db

RULE = {"rule": "any-plaque Dice", "found": "0.500 against 0.600", "needed": "above -0.02"}


def candidate(*, has_passed: bool, version: str = "trained-1") -> ModelVersion:
    """A model that was trained here and judged against today's champion."""
    today = champion() or make_model()
    model = register_new(
        NewModel(
            name="phantom-reader",
            version=version,
            sha256=version.ljust(64, "0"),
            preprocessing_version="five-steps-1",
            card="# A card",
            facts={},
            caveat="Trained here.",
            onnx_key="models/aa/aa",
            safetensors_key="models/bb/bb",
        ),
        origin=Origin.TRAINED,
    )
    GateVerdict.objects.create(
        candidate=model,
        champion=today,
        snapshot=DatasetSnapshot.objects.create(rules=InclusionRules().as_json()),
        is_passed=has_passed,
        rules=[{**RULE, "is_passed": has_passed}],
        figures=[],
    )
    return model


def session(user=None) -> Client:
    """An administrator who has just given the password again."""
    client = browser(user or make_admin())
    answer = client.post(
        "/_allauth/browser/v1/auth/reauthenticate",
        {"password": PASSWORD},
        content_type="application/json",
        headers=csrf(client),
    )
    assert answer.status_code == 200, answer.json()
    return client


def ask(client: Client, model: ModelVersion, verb: str = "promote", **body):
    body = {"comment": "Better on our scanner."} | body
    return client.post(f"/api/v1/models/{model.pk}/{verb}", body, content_type="application/json", headers=csrf(client))


def stages() -> dict[str, str]:
    return dict(ModelVersion.objects.values_list("version", "stage"))


def test_a_candidate_that_has_passed_is_promoted_by_one_signature():
    model = candidate(has_passed=True)

    answer = ask(session(), model)

    assert (answer.status_code, answer.json()["kind"]) == (200, "promotion")
    assert stages() == {"1.0": Stage.RETIRED, "trained-1": Stage.CHAMPION}
    event = AuditEvent.objects.get(kind=EventKind.MODEL_PROMOTED)
    assert event.details["comment"] == "Better on our scanner."


def test_without_the_password_nothing_is_promoted():
    model = candidate(has_passed=True)

    answer = ask(browser(make_admin()), model)

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")
    assert stages() == {"1.0": Stage.CHAMPION, "trained-1": Stage.CANDIDATE}


def test_a_token_promotes_nothing():
    model = candidate(has_passed=True)

    answer = ask(token_client(make_admin()), model)

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")


def test_a_candidate_that_failed_is_not_promoted_and_the_rule_says_why():
    model = candidate(has_passed=False)

    answer = ask(session(), model)

    assert (answer.status_code, answer.json()["code"]) == (409, "gate_not_passed")
    assert "any-plaque Dice: 0.500 against 0.600, need above -0.02" in answer.json()["detail"]
    assert Promotion.objects.count() == 0


def test_an_override_waits_for_a_second_administrator():
    model = candidate(has_passed=False)
    first, second = session(), session(make_admin())

    asked = ask(first, model, override=True)
    again = ask(first, model, override=True)
    assert (asked.json()["done_at"], stages()["trained-1"]) == (None, Stage.CANDIDATE)
    seconded = ask(second, model, override=True, comment="I agree.")

    assert (again.status_code, again.json()["code"]) == (409, "second_administrator_needed")
    assert (seconded.status_code, seconded.json()["kind"]) == (200, "override")
    assert seconded.json()["by"] != seconded.json()["seconded_by"]
    assert stages() == {"1.0": Stage.RETIRED, "trained-1": Stage.CHAMPION}
    assert AuditEvent.objects.filter(kind=EventKind.MODEL_OVERRIDE_ASKED).count() == 1


def test_a_verdict_against_an_earlier_champion_lets_nobody_pass():
    first, second = candidate(has_passed=True), candidate(has_passed=True, version="trained-2")
    client = session()
    ask(client, first)

    answer = ask(client, second)

    assert (answer.status_code, answer.json()["code"]) == (409, "gate_not_passed")
    assert "no longer the champion" in answer.json()["detail"]


def test_rollback_brings_the_model_before_back_in_one_step():
    model = candidate(has_passed=True)
    ask(session(), model)

    answer = ask(browser(make_admin()), model, "rollback")

    assert (answer.status_code, answer.json()["kind"]) == (200, "rollback")
    assert stages() == {"1.0": Stage.CHAMPION, "trained-1": Stage.RETIRED}
    assert AuditEvent.objects.filter(kind=EventKind.MODEL_ROLLED_BACK).count() == 1


def test_a_rollback_is_not_rolled_back_to_the_bad_model():
    model = candidate(has_passed=True)
    ask(session(), model)
    client = browser(make_admin())
    ask(client, model, "rollback")

    answer = ask(client, ModelVersion.objects.get(version="1.0"), "rollback")

    assert (answer.status_code, stages()["1.0"]) == (409, Stage.CHAMPION)


def test_the_verdict_is_served_rule_by_rule():
    model = candidate(has_passed=False)

    verdict = token_client(make_admin()).get(f"/api/v1/models/{model.pk}/gate").json()

    assert (verdict["is_passed"], verdict["is_current"], verdict["champion_version"]) == (False, True, "1.0")
    assert verdict["rules"] == [{**RULE, "is_passed": False}]
