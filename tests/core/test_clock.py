"""What one process writes and another compares is by one clock: the database's."""

from datetime import UTC, datetime, timedelta

import pytest

from plaqueview.core import clock
from tests.core.clocks import needs_a_clock_of_its_own, set_clock

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NEAR = timedelta(minutes=1)


def is_now(found: datetime) -> bool:
    return abs(found - datetime.now(UTC)) < NEAR


@needs_a_clock_of_its_own
@pytest.mark.parametrize("length", [HOUR, -HOUR])
def test_a_machine_whose_clock_is_wrong_tells_the_time_of_the_database(length, monkeypatch):
    monkeypatch.setattr(clock, "_known", None)
    set_clock(monkeypatch, length)

    assert is_now(clock.now())


@needs_a_clock_of_its_own
@pytest.mark.parametrize("length", [HOUR, -HOUR])
def test_a_clock_that_is_set_while_the_process_runs_is_noticed_at_once(length, monkeypatch):
    assert is_now(clock.now())

    set_clock(monkeypatch, length)
    assert is_now(clock.now())

    monkeypatch.undo()
    assert is_now(clock.now())


def test_the_database_is_not_asked_again_at_every_look(django_assert_num_queries):
    clock.now()

    with django_assert_num_queries(0):
        clock.now()
