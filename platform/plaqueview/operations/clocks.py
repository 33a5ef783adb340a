"""Whether database and broker tell the same time as this machine."""

import time

from django.conf import settings
from django.db import connection
from redis import Redis

from plaqueview.core.errors import UnavailableError
from plaqueview.core.health import BROKER_TIMEOUT_S

# Leases last twenty seconds and more; a clock that is off by a tenth of that takes no job from a living worker.
CLOCK_TOLERANCE_S = 2.0


def check_clocks() -> None:
    """Raises: UnavailableError when the database's or the broker's clock is not this machine's."""
    require_same_time("the broker", broker_time_s())
    if connection.vendor == "postgresql":  # SQLite is in this process
        require_same_time("the database", database_time_s())


def require_same_time(place: str, found_s: float) -> None:
    """Raises: UnavailableError when `found_s`, seconds since 1970, is further from now than the tolerance."""
    ahead_s = found_s - time.time()
    if abs(ahead_s) > CLOCK_TOLERANCE_S:
        direction = "ahead of" if ahead_s > 0 else "behind"
        raise UnavailableError(
            f"{place} is {abs(ahead_s):.1f} s {direction} this machine, at most {CLOCK_TOLERANCE_S:g} s are allowed"
        )


def broker_time_s() -> float:
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=BROKER_TIMEOUT_S, socket_timeout=BROKER_TIMEOUT_S
    ) as broker:
        seconds, microseconds = broker.time()
    return float(seconds) + float(microseconds) / 1e6


def database_time_s() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
