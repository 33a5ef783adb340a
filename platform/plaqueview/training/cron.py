"""When a cron expression is due, in the department's time zone: in the words and by the sets of Celery's crontab.

Every field must match, the day of the month and the day of the week too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from celery.schedules import ParseException, crontab
from django.utils import timezone

LONGEST_DAYS: Final = 4 * 366  # the 29th of February comes within them
WORDS: Final = "needs minute, hour, day of month, month, day of week: 0 2 * * 6"


class CronError(ValueError):
    """The expression is none, or names a day that never comes."""


@dataclass(frozen=True)
class Cron:
    """When it is due; Sunday is weekday 0."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]


def parse_cron(text: str) -> Cron:
    """Raises: CronError."""
    try:
        sets: Any = crontab.from_string(text)  # Any: its stubs do not name its sets
    except (ValueError, ParseException) as error:
        raise CronError(f"{text!r} is no cron expression ({error}); {WORDS}") from error
    times = (tuple(sorted(sets.hour)), tuple(sorted(sets.minute)))
    found = Cron(*times, frozenset(sets.day_of_month), frozenset(sets.month_of_year), frozenset(sets.day_of_week))
    if next_due(found, timezone.now()) is None:
        raise CronError(f"{text!r} is never due")
    return found


def last_due(cron: Cron, at: datetime) -> datetime | None:
    """The latest minute up to this one at which it was due."""
    for day in _days(cron, timezone.localdate(at), -1):
        for moment in reversed(_moments(cron, day)):
            if moment <= at:
                return moment
    return None


def next_due(cron: Cron, after: datetime) -> datetime | None:
    """The first minute after this one at which it is due."""
    for day in _days(cron, timezone.localdate(after), 1):
        for moment in _moments(cron, day):
            if moment > after:
                return moment
    return None


def _days(cron: Cron, first: date, step: int) -> Iterator[date]:
    for number in range(LONGEST_DAYS):
        day = first + timedelta(days=step * number)
        weekday = day.isoweekday() % 7
        if day.month in cron.months and day.day in cron.days and weekday in cron.weekdays:
            yield day


def _moments(cron: Cron, day: date) -> list[datetime]:
    zone = timezone.get_default_timezone()
    times = (time(hour, minute) for hour in cron.hours for minute in cron.minutes)
    return [datetime.combine(day, one, tzinfo=zone) for one in times]
