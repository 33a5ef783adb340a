"""What a reader prefers is kept for that reader, and nothing else is."""

import pytest

from plaqueview.accounts.models import Preferences
from plaqueview.accounts.services import create_site
from plaqueview.core.access import Action, Role
from tests.accounts.people import browser, csrf, make_user, token_client

pytestmark = pytest.mark.django_db

URL = "/api/v1/me/preferences"
KEYS = {"approve": ["a"], "next": ["n", "Shift+ArrowRight"], "undo": []}


def put(client, body):
    return client.put(URL, body, content_type="application/json", headers=csrf(client))


def test_a_reader_who_chose_nothing_has_no_keys():
    assert browser(make_user(Role.NEUROLOGIST)).get(URL).json() == {"keys": {}}


def test_what_was_put_is_what_is_read_and_by_nobody_else():
    ana, bor = browser(make_user(Role.NEUROLOGIST)), browser(make_user(Role.NEUROLOGIST))

    assert put(ana, {"keys": {"undo": ["z"]}}).json() == {"keys": {"undo": ["z"]}}
    assert put(ana, {"keys": KEYS}).json() == {"keys": KEYS}

    assert ana.get(URL).json() == {"keys": KEYS}
    assert bor.get(URL).json() == {"keys": {}}
    assert Preferences.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "keys"),
        ({"keys": KEYS, "theme": "dark"}, 400, "theme"),
        ({"keys": ["a"]}, 400, "keys"),
        ({"keys": {"approve": "a"}}, 400, "keys.approve"),
        ({"keys": {"approve": ["x" * 65]}}, 400, "keys.approve.0"),
        ([], 400, "non_field_errors"),
        ({"keys": {f"command {number}": ["x" * 60] for number in range(300)}}, 413, None),
    ],
)
def test_what_is_no_preference_is_refused(body, status, field):
    client = browser(make_user(Role.NEUROLOGIST))

    answer = put(client, body)

    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])
    assert not Preferences.objects.exists()


def test_a_token_with_scopes_moves_no_keys():
    client = token_client(make_user(Role.NEUROLOGIST), Action.STUDY_READ)

    assert client.put(URL, {"keys": KEYS}, content_type="application/json").status_code == 403
    assert not Preferences.objects.exists()


def test_readers_are_those_of_the_callers_sites_by_name():
    site = create_site(name="Ljubljana")
    integrator = make_user(Role.INTEGRATOR, site=site, username="bridge")
    make_user(Role.NEUROLOGIST, site=site, username="bor")
    ana = make_user(Role.NEUROLOGIST, site=site, username="ana")
    ana.first_name, ana.last_name = "Ana", "Novak"
    ana.save()
    make_user(Role.ADMIN, site=site, username="chief")
    make_user(Role.NEUROLOGIST, site=create_site(name="Maribor"), username="eva")
    gone = make_user(Role.NEUROLOGIST, site=site, username="gone")
    gone.is_active = False
    gone.save()

    body = token_client(integrator).get("/api/v1/readers").json()

    assert body["results"] == [
        {"username": "ana", "name": "Ana Novak"},
        {"username": "bor", "name": "bor"},
        {"username": "chief", "name": "chief"},
    ]
