"""Role by action by route, at the own site and at another: who may, may; denied means that nothing changed.

Routes are found by introspection. One that has no row here fails, as does a row without a route.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings

from plaqueview.accounts.models import User
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from tests.accounts.people import browser, csrf, prove, token_client
from tests.api.access_rows import FORM, MATRIX, NOT_REST, OPEN, Row
from tests.api.routes import other_routes, proven_routes, rest_routes
from tests.api.scene import Place, make_place, world

pytestmark = pytest.mark.django_db

CASES = [pytest.param(*key, row, id=f"{key[0]} {key[1]}") for key, row in MATRIX.items()]


@pytest.fixture(scope="module")
def places(
    django_db_setup: None, django_db_blocker: Any, running_broker: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Place]]:
    """Two sites, made once; each test's changes roll back."""
    folder = tmp_path_factory.mktemp("store")
    with override_settings(STORAGE_DIR=folder):
        with django_db_blocker.unblock():
            made = make_place("Ljubljana"), make_place("Maribor")
        yield made
        with django_db_blocker.unblock():
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def own(places: tuple[Place, Place]) -> Place:
    return places[0]


@pytest.fixture
def elsewhere(places: tuple[Place, Place]) -> Place:
    return places[1]


def ask(client: Client, method: str, address: str, row: Row, place: Place) -> Any:  # Any: the test client's response
    """The request of the row about the things of the place."""
    for word in address.split("/"):
        if word.startswith("<"):
            name = word.strip("<>").split(":")[1]
            address = address.replace(word, place.parameters[row.names.get(name, name)])
    options: dict[str, Any] = {}
    if method != "GET":
        options = {"data": row.body(place), "headers": csrf(client) | row.headers}
        if row.media_type != FORM:
            options["content_type"] = row.media_type
    answer = getattr(client, method.lower())(f"/{address}", **options)
    if answer.streaming:
        answer.getvalue()  # which closes its file
    return answer


def session_of(user: User, row: Row) -> Client:
    """A browser that is as sure of its user as the row needs it."""
    client = browser(user)
    if row.is_proven:
        prove(client)
    return client


def without_audit(world: dict[str, object]) -> dict[str, object]:
    """The caller was let in and found nothing, which is an event."""
    return {name: rows for name, rows in world.items() if not name.startswith("audit_")}


def assert_refused(answer: Any, status: int, before: dict[str, object]) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert world() == before


def test_every_route_has_a_row_and_every_row_a_route():
    assert set(rest_routes()) - OPEN == set(MATRIX)


def test_every_other_view_is_known():
    assert other_routes() == NOT_REST


@pytest.mark.parametrize(("method", "address", "row"), CASES)
def test_a_stranger_is_refused(method, address, row, own):
    before = world()

    answer = ask(Client(), method, address, row, own)

    assert_refused(answer, 401, before)


@pytest.mark.parametrize(("method", "address", "row"), CASES)
@pytest.mark.parametrize("role", Role)
def test_a_role_gets_what_the_table_says(method, address, row, role, own):
    client = session_of(own.users[role], row)
    is_allowed = row.action is None or row.action in ACTIONS_OF_ROLE[role]
    before = {} if is_allowed else world()

    answer = ask(client, method, address, row, own)

    if is_allowed:
        assert answer.status_code == row.but.get(role, row.status)
    else:
        assert_refused(answer, 403, before)


@pytest.mark.parametrize(("method", "address", "row"), CASES)
@pytest.mark.parametrize("role", Role)
def test_another_site_sees_nothing_and_changes_nothing(method, address, row, role, own, elsewhere):
    client = session_of(elsewhere.users[role], row)
    is_denied = row.action is not None and row.action not in ACTIONS_OF_ROLE[role]
    is_about_callers_own = row.other == row.status != 404
    before = world() if is_denied or not is_about_callers_own else {}

    answer = ask(client, method, address, row, own)

    if is_denied:
        assert_refused(answer, 403, before)
    elif row.other == 404:
        assert_refused(answer, 404, before)
    elif row.other != row.status:
        assert (answer.status_code, answer.content) == (row.other, b"")
        assert without_audit(world()) == without_audit(before)
    else:
        assert answer.status_code == row.but.get(role, row.status)
        if not row.repeats_what_it_was_sent:
            assert [id_ for id_ in own.ids() if id_ in answer.content.decode()] == []


@pytest.mark.parametrize(("method", "address", "row"), [case for case in CASES if case.values[2].action])
def test_a_token_without_the_scope_is_refused(method, address, row, own):
    others = [action for action in Action if action != row.action]
    client = token_client(own.users[Role.ADMIN], *others)
    before = world()

    answer = ask(client, method, address, row, own)

    assert_refused(answer, 403, before)


@pytest.mark.parametrize(("method", "address", "row"), [case for case in CASES if case.values[2].is_proven])
def test_a_session_whose_user_did_not_give_the_password_again_is_refused(method, address, row, own):
    client = browser(own.users[Role.ADMIN])
    before = world()

    answer = ask(client, method, address, row, own)

    assert_refused(answer, 403, before)
    assert answer.json()["code"] == "reauthentication_needed"


def test_what_needs_a_proof_is_in_the_table():
    assert proven_routes() == {key for key, row in MATRIX.items() if row.is_proven}


@pytest.mark.parametrize(("method", "address", "row"), [case for case in CASES if case.values[0] != "GET"])
def test_a_session_that_writes_without_the_csrf_header_is_refused(method, address, row, own, monkeypatch):
    monkeypatch.setattr("tests.api.test_access_matrix.csrf", lambda _: {})
    client = browser(own.users[Role.ADMIN])
    before = world()

    answer = ask(client, method, address, row, own)

    assert_refused(answer, 403, before)
    assert answer.json()["code"] == "csrf_failed"
