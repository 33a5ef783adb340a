"""The time that every process agrees on: the database's.

Processes run on several machines, whose clocks may be wrong, or be set while they work. A lease that one writes and
another reads, or the moment when a study fell silent, would then be over an hour early or an hour late.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

# Asked again after so long, and at once when this machine's clock was set meanwhile.
KNOWN_FOR_S: Final = 10.0
# Two machines that keep time differ by less, and so does the way to the database and back.
TOLERANCE: Final = timedelta(seconds=0.5)


@dataclass(frozen=True)
class _Known:
    """How far the database is ahead, asked at a moment of the clock that nobody sets."""

    ahead: timedelta
    at_s: float
    started_s: float  # when that clock stood at 0, by the one that is set

    @property
    def holds(self) -> bool:
        is_fresh = time.monotonic() - self.at_s < KNOWN_FOR_S
        return is_fresh and abs(_started_s() - self.started_s) < TOLERANCE.total_seconds()


_known: _Known | None = None


def now() -> datetime:
    """Now, by the database's clock. For what one process writes and another compares with its own now."""
    return timezone.now() + _ahead()


def _ahead() -> timedelta:
    global _known  # noqa: PLW0603  (the threads of a process share a clock; who asks twice learns the same)
    if connection.vendor != "postgresql":
        return timedelta()  # it is in this process
    known = _known
    if known is None or not known.holds:
        known = _known = _Known(_asked(), time.monotonic(), _started_s())
    return known.ahead


def _asked() -> timedelta:
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        after = datetime.now(UTC)
    ahead = found - (before + (after - before) / 2)
    return ahead if abs(ahead) > TOLERANCE else timedelta()


def _started_s() -> float:
    return time.time() - time.monotonic()
