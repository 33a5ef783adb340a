"""A session ends when its reader does nothing, whatever the page asks meanwhile."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from plaqueview.accounts.idleness import tell_activity
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.feed.identity import identify
from tests.accounts.people import browser, csrf, make_user, token_client

pytestmark = pytest.mark.django_db

ME, ACTIVITY = "/api/v1/me", "/api/v1/me/activity"
NOW = timezone.now()


@pytest.fixture
def clock(monkeypatch):
    """Sets the time of the server, in minutes after now."""

    def at(minutes: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=minutes))

    at(0)
    return at


@pytest.fixture
def ana():
    return make_user(Role.NEUROLOGIST, username="ana")


def headers_of_socket(client) -> dict[str, str]:
    cookie = f"plaqueview_sessionid={client.cookies['plaqueview_sessionid'].value}"
    return {"cookie": cookie, "origin": "http://testserver"}


def test_polling_and_the_feed_do_not_prolong_a_session(ana, clock):
    client = browser(ana)
    answers = []
    for minutes in (0, 10, 20, 29, 31):
        clock(minutes)
        listener = identify(headers_of_socket(client))
        answers.append((listener is not None, client.get(ME).status_code))

    assert answers == [(True, 200)] * 4 + [(False, 401)]
    assert Session.objects.count() == 0
    ended = AuditEvent.objects.get(kind=EventKind.SIGNED_OUT)
    assert (ended.actor_name, ended.object_id, ended.details) == ("system", str(ana.pk), {"reason": "idle"})


def test_what_the_reader_does_prolongs_it_and_looking_how_long_does_not(ana, clock):
    client = browser(ana)
    token = csrf(client)
    client.get(ME)
    clock(20)
    looked = client.get(ACTIVITY).json()
    told = client.post(ACTIVITY, headers=token).json()
    clock(49)

    assert looked == {"idle_s": 1800, "seconds_left": 600}
    assert told == {"idle_s": 1800, "seconds_left": 1800}
    assert client.get(ACTIVITY).json()["seconds_left"] == 60
    clock(51)
    assert client.post(ACTIVITY, headers=token).status_code == 401
    assert client.get(ME).status_code == 401


def test_no_activity_outlives_the_age_of_a_session(ana, clock, settings):
    settings.SESSION_COOKIE_AGE = 3600
    client = browser(ana)
    token = csrf(client)
    client.get(ME)
    left = []
    for minutes in (20, 40, 59, 61):
        clock(minutes)
        answer = client.post(ACTIVITY, headers=token)
        left.append(answer.json()["seconds_left"] if answer.status_code == 200 else answer.status_code)

    assert left == [1800, 1200, 60, 401]


def session_of(client) -> SessionStore:
    return SessionStore(client.cookies["plaqueview_sessionid"].value)


def test_what_another_request_writes_to_the_session_meanwhile_stays(ana, clock):
    """One click may tell of activity and ask for a passkey's challenge, which waits in the session for its answer."""
    client = browser(ana)
    client.get(ME)
    telling = session_of(client)
    assert telling["active_at"] == NOW.isoformat()
    asking = session_of(client)
    asking["challenge"] = "of a passkey"
    asking.save()
    clock(1)
    tell_activity(telling)

    cached = session_of(client)
    kept = DatabaseStore(cached.session_key)
    expected = ("of a passkey", (NOW + timedelta(minutes=1)).isoformat())
    assert [(store["challenge"], store["active_at"]) for store in (cached, kept)] == [expected, expected]


def test_a_session_that_was_ended_meanwhile_stays_ended(ana, clock):
    client = browser(ana)
    client.get(ME)
    telling = session_of(client)
    assert telling["active_at"] == NOW.isoformat()
    session_of(client).flush()
    tell_activity(telling)

    assert (Session.objects.count(), dict(session_of(client).items())) == (0, {})


def test_a_token_has_no_idleness(ana):
    client = token_client(ana)

    assert client.get(ACTIVITY).json() == {"idle_s": 1800, "seconds_left": None}
    assert client.post(ACTIVITY).json() == {"idle_s": 1800, "seconds_left": None}
