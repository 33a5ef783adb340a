"""A user sees where they are signed in, and ends what they do not know."""

import pytest

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user

pytestmark = pytest.mark.django_db

ROUTES = "/_allauth/browser/v1"
SESSIONS = f"{ROUTES}/auth/sessions"
ME = "/api/v1/me"


@pytest.fixture
def ana() -> User:
    return make_user(Role.NEUROLOGIST, username="ana")


def signed_in(username: str, agent: str):
    client = browser()
    client.defaults["HTTP_USER_AGENT"] = agent
    body = {"username": username, "password": PASSWORD}
    client.post(f"{ROUTES}/auth/login", body, content_type="application/json", headers=csrf(client))
    return client


def sessions_of(client) -> dict[str, dict]:
    return {session["user_agent"]: session for session in client.get(SESSIONS).json()["data"]}


def end(client, *ids: int):
    return client.delete(SESSIONS, {"sessions": ids}, content_type="application/json", headers=csrf(client))


def test_each_sign_in_is_listed_with_its_browser_and_address(ana):
    ward, home = signed_in("ana", "Ward"), signed_in("ana", "Home")

    found = sessions_of(home)

    assert {name: (session["ip"], session["is_current"]) for name, session in found.items()} == {
        "Ward": ("127.0.0.1", False),
        "Home": ("127.0.0.1", True),
    }
    assert ward.get(ME).status_code == 200


def test_another_session_is_ended_and_that_is_recorded(ana):
    ward, home = signed_in("ana", "Ward"), signed_in("ana", "Home")

    answer = end(home, sessions_of(home)["Ward"]["id"])

    assert [session["user_agent"] for session in answer.json()["data"]] == ["Home"]
    assert (ward.get(ME).status_code, home.get(ME).status_code) == (401, 200)
    event = AuditEvent.objects.get(kind="account.signed_out")
    assert (event.actor_name, event.details) == (
        "ana",
        {"address": "127.0.0.1", "reason": "ended from another session"},
    )


def test_sessions_of_others_are_neither_seen_nor_ended(ana):
    make_user(Role.ADMIN, username="bor")
    ward, stranger = signed_in("ana", "Ward"), signed_in("bor", "Elsewhere")
    foreign = sessions_of(ward)["Ward"]["id"]

    assert list(sessions_of(stranger)) == ["Elsewhere"]
    assert end(stranger, foreign).status_code == 400
    assert ward.get(ME).status_code == 200


def test_a_session_that_is_over_is_not_listed(ana):
    ward, home = signed_in("ana", "Ward"), signed_in("ana", "Home")
    ward.delete(f"{ROUTES}/auth/session", headers=csrf(ward))

    assert list(sessions_of(home)) == ["Home"]
