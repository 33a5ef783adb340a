"""Keys are remembered for their time, and no more of them than there is room for."""

import time

from plaqueview.core.recent import Recent


def at(monkeypatch, seconds: float) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: seconds)


def test_a_key_is_there_until_its_time_is_over(monkeypatch):
    recent = Recent(most=10)
    at(monkeypatch, 100.0)
    recent.add("a", kept_s=5)

    at(monkeypatch, 104.9)
    assert ("a" in recent, "b" in recent) == (True, False)
    at(monkeypatch, 105.0)
    assert "a" not in recent


def test_the_oldest_make_room_for_the_newest():
    recent = Recent(most=2)

    for key in ("a", "b", "a", "c"):
        recent.add(key, kept_s=60)

    assert [key in recent for key in "abc"] == [True, False, True]
