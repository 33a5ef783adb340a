"""What took long to find is given again, as long as that is worth it and no longer."""

from types import SimpleNamespace

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as BrokerAwayError

from plaqueview.core import kept_answers
from plaqueview.core.kept_answers import kept

pytestmark = pytest.mark.usefixtures("empty_broker")


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The seconds that each search takes, by a clock that moves only there."""
    moments = [0.0]
    monkeypatch.setattr(kept_answers, "time", SimpleNamespace(monotonic=lambda: moments[0]))
    return moments


def search(clock: list[float], *, took_s: float):
    def find() -> dict[str, int]:
        clock[0] += took_s
        return {"at": int(clock[0])}

    return find


def test_what_took_long_is_given_again_to_the_same_question(clock):
    find = search(clock, took_s=2)

    assert [kept("a", find), kept("a", find), kept("b", find)] == [{"at": 2}, {"at": 2}, {"at": 4}]


@pytest.mark.parametrize(("took_s", "kept_s"), [(0.5, 50), (2, 200), (3, 300), (40, 300)])
def test_it_is_kept_a_hundred_times_as_long_and_five_minutes_at_most(clock, took_s, kept_s):
    kept("a", search(clock, took_s=took_s))

    key = next(key for key in cache._cache.get_client().keys("*kept:*"))
    assert kept_s - 1 <= cache._cache.get_client().ttl(key) <= kept_s


def test_what_is_found_at_once_is_found_anew(clock):
    find = search(clock, took_s=0.1)
    clock[0] = 0.95

    assert [kept("a", find), kept("a", find)] == [{"at": 1}, {"at": 1}]
    assert clock[0] == pytest.approx(1.15)


def test_without_the_cache_it_is_found_each_time(clock, monkeypatch):
    def away(*_args: object, **_options: object) -> None:
        raise BrokerAwayError("connection refused")

    monkeypatch.setattr(cache, "get", away)
    find = search(clock, took_s=2)

    assert [kept("a", find), kept("a", find)] == [{"at": 2}, {"at": 4}]
