"""A machine whose clock is wrong."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from plaqueview.core import clock

needs_a_clock_of_its_own = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has the clock of this process"
)


def set_clock(monkeypatch: pytest.MonkeyPatch, length: timedelta) -> None:
    """This process believes that it is so much later, until the patch is undone."""

    class Now(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + length

    right = time.time
    monkeypatch.setattr(clock, "datetime", Now)
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + length)
    monkeypatch.setattr(time, "time", lambda: right() + length.total_seconds())
