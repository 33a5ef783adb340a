"""Errands go on when the time of the clock's machine is set back."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from plaqueview.celery import celery_app
from plaqueview.core.beat import Scheduler

pytestmark = pytest.mark.django_db(transaction=True)  # a clock closes the connections that it finds

HOUR = timedelta(hours=1)
EVERY_S = 10


@pytest.fixture
def task() -> PeriodicTask:
    """An errand that was run two seconds ago."""
    interval = IntervalSchedule.objects.create(every=EVERY_S, period=IntervalSchedule.SECONDS)
    run_at = timezone.now() - timedelta(seconds=2)
    return PeriodicTask.objects.create(name="tend", task="outbox.tend", interval=interval, last_run_at=run_at)


def test_an_errand_waits_its_interval_at_most_after_the_time_was_set_back_while_the_clock_stood_still(task):
    PeriodicTask.objects.update(last_run_at=task.last_run_at + HOUR)

    scheduler = Scheduler(app=celery_app, lazy=True)

    assert scheduler.schedule["tend"].is_due() == (False, pytest.approx(EVERY_S, abs=1))


@pytest.mark.parametrize("jump", [HOUR, timedelta()])
def test_an_errand_waits_its_interval_at_most_after_the_time_was_set_while_the_clock_ran(task, jump):
    scheduler = Scheduler(app=celery_app, lazy=True)
    scheduler.producer = None
    scheduler.tick()
    (event,) = scheduler._heap
    # What was noted before the time was set back lies in the future.
    scheduler._heap = [event._replace(time=event.time + jump.total_seconds())]
    PeriodicTask.objects.update(last_run_at=task.last_run_at + jump)
    event.entry.last_run_at += jump

    scheduler.tick()

    (event,) = scheduler._heap
    assert event.time - timezone.now().timestamp() <= EVERY_S
