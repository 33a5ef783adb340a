"""The OpenAPI document is whole, valid, and the one that the frontend was built from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.routes import rest_routes

SNAPSHOT = Path(__file__).parents[2] / "frontend" / "openapi.json"
OPEN_TO_STRANGERS = {("GET", "/api/v1/sign-in")}
UPDATE = "python manage.py spectacular --format openapi-json --file frontend/openapi.json"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document, made without a warning and valid by OpenAPI's own schema."""
    path = tmp_path_factory.mktemp("schema") / "openapi.json"
    call_command("spectacular", "--fail-on-warn", "--validate", "--format", "openapi-json", "--file", str(path))
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def operations(schema) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_openapi_3_1(schema):
    assert schema["openapi"] == "3.1.1"
    assert schema["info"]["version"] == "0.1.0"


def test_every_route_of_the_api_is_in_it(operations):
    routes = {
        (method, "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address))
        for method, address in rest_routes()
        if address.startswith("api/v1/") and address not in {"api/v1/schema/", "api/v1/docs/"}
    }

    assert {(method, re.sub(r"\{id\}", "{pk}", path)) for method, path in operations} >= routes


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does(operations):
    ids = [operation["operationId"] for operation in operations.values()]

    assert len(ids) == len(set(ids))
    assert [id_ for id_ in ids if not re.fullmatch(r"[a-z][a-z_]*", id_)] == []
    assert [key for key, operation in operations.items() if not (operation.keys() & {"summary", "description"})] == []


def test_every_refusal_is_a_problem(operations):
    for key, operation in operations.items():
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        of_callers = set() if key in OPEN_TO_STRANGERS else {"401", "403", "429"}
        assert {"400", "503"} | of_callers <= set(refusals), key
        for status, answer in refusals.items():
            reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
            assert (reference, list(answer["content"])) == (
                "#/components/schemas/Problem",
                ["application/problem+json"],
            ), (key, status)


def test_every_operation_names_both_ways_to_be_known(operations):
    for key, operation in operations.items():
        known = [{}] if key in OPEN_TO_STRANGERS else [{"token": []}, {"session": [], "csrf": []}]
        assert operation["security"] == known, key


def test_a_list_is_paged(operations):
    for (method, path), operation in operations.items():
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        assert content.get("schema", {}).get("type") != "array", (method, path)


def test_work_that_takes_long_says_where_to_follow_it(operations):
    for key, operation in operations.items():
        if "202" in operation["responses"]:
            assert key[0] == "POST"
            parameters = {parameter["name"] for parameter in operation["parameters"]}
            assert "Idempotency-Key" in parameters, key


def test_the_frontend_was_built_from_this_document(schema):
    assert json.loads(SNAPSHOT.read_text()) == schema, f"the routes have changed; run: {UPDATE}"


def test_it_is_served_to_whoever_asks(schema):
    answer = Client().get("/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})

    assert answer.status_code == 200
    assert answer.json() == schema
