"""The pulse beside slow work."""

import threading
import time

import pytest

from inference_worker.heartbeat import Heartbeat


class Listener:
    """Remembers what it was told, and when."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[float] = []
        self.times_s: list[float] = []
        self.threads: set[str] = set()
        self.is_released = False
        self.error = error

    def beat(self, progress: float) -> None:
        self.told.append(progress)
        self.times_s.append(time.monotonic())
        self.threads.add(threading.current_thread().name)
        if self.error is not None:
            raise self.error

    def release(self) -> None:
        self.is_released = True
        self.threads.add(threading.current_thread().name)


def heartbeat(listener: Listener, *, shortest_s: float = 0.01, longest_s: float = 10.0) -> Heartbeat:
    return Heartbeat(listener.beat, release=listener.release, shortest_s=shortest_s, longest_s=longest_s)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_progress_is_told_from_another_thread():
    listener = Listener()

    with heartbeat(listener) as pulse:
        pulse.report(0.5)
        wait_for(lambda: listener.told == [0.5])

    assert listener.threads == {"heartbeat"}
    assert listener.is_released


def test_fast_progress_is_told_at_a_bounded_rate_and_the_newest_wins():
    listener = Listener()

    with heartbeat(listener, shortest_s=0.1) as pulse:
        for step in range(500):
            pulse.report(step / 1000)
            time.sleep(0.001)
        wait_for(lambda: listener.told[-1:] == [0.499])

    gaps = [later - earlier for earlier, later in zip(listener.times_s, listener.times_s[1:], strict=False)]
    assert min(gaps) >= 0.09
    assert listener.told == sorted(listener.told)


def test_silence_does_not_last():
    listener = Listener()

    with heartbeat(listener, longest_s=0.02):
        wait_for(lambda: len(listener.told) >= 3)

    assert set(listener.told) == {-1.0}


def test_what_a_beat_raises_is_raised_where_the_work_is_done():
    listener = Listener(error=KeyError("lost"))

    with heartbeat(listener) as pulse:
        pulse.report(0.1)
        wait_for(lambda: listener.is_released)
        with pytest.raises(KeyError, match="lost"):
            pulse.report(0.2)

    assert listener.told == [0.1]


def test_leaving_takes_no_time_and_nothing_is_told_afterwards():
    listener = Listener()
    started = time.monotonic()

    with heartbeat(listener, shortest_s=60.0, longest_s=600.0) as pulse:
        pulse.report(0.9)

    assert time.monotonic() - started < 30.0
    assert listener.told == []
    assert listener.is_released
