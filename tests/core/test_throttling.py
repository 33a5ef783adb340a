"""Who asks too often is told to wait, alone."""

import pytest

from plaqueview.core import throttling
from plaqueview.core.access import Role
from tests.accounts.people import browser, make_user, token_client

pytestmark = pytest.mark.django_db

STUDIES = "/api/v1/studies"
FRAMES = "/dicom-web/studies"


@pytest.fixture(autouse=True)
def three_a_minute(settings, monkeypatch):
    """At the twentieth second of a minute that does not end while a test asks."""
    settings.REQUESTS_PER_MINUTE = 3
    monkeypatch.setattr(throttling.time, "time", lambda: 6_000_020.0)


def test_the_fourth_request_of_a_minute_waits_for_the_next(monkeypatch):
    client = token_client(make_user(Role.NEUROLOGIST))
    assert [client.get(STUDIES).status_code for _ in range(3)] == [200, 200, 200]

    refused = client.get(STUDIES)

    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (429, "throttled", "40")
    monkeypatch.setattr(throttling.time, "time", lambda: 6_000_060.0)
    assert client.get(STUDIES).status_code == 200


def test_an_account_is_counted_by_whatever_it_asks_and_no_other_with_it():
    busy, calm = make_user(Role.NEUROLOGIST), make_user(Role.NEUROLOGIST)
    script, page = token_client(busy), browser(busy)
    for client in (script, page, script):
        assert client.get(STUDIES).status_code == 200

    assert (page.get(STUDIES).status_code, browser(calm).get(STUDIES).status_code) == (429, 200)


def test_a_stranger_is_refused_as_ever_and_dicomweb_is_not_counted():
    reader = browser(make_user(Role.NEUROLOGIST))

    assert {browser().get(STUDIES).status_code for _ in range(5)} == {401}
    assert {reader.get(FRAMES).status_code for _ in range(5)} == {204}


def test_without_the_broker_nobody_is_counted(settings, monkeypatch):
    from redis.exceptions import ConnectionError as BrokerAwayError

    def is_away(*_: object, **__: object) -> None:
        raise BrokerAwayError

    monkeypatch.setattr(throttling.cache, "add", is_away)
    client = token_client(make_user(Role.NEUROLOGIST))

    assert {client.get(STUDIES).status_code for _ in range(5)} == {200}
