"""How often one caller may ask: a runaway script is told to wait, and leaves the server to the readers."""

import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # which imports this module
    from rest_framework.views import APIView

WINDOW_S: Final = 60


class CallerThrottle(BaseThrottle):
    """At most `REQUESTS_PER_MINUTE` in each minute of the clock, counted by account over all of the web's processes.

    The framework's own throttle keeps the time of every request in one cache entry, which two processes would
    overwrite for each other; a counter that the broker adds to has no such race. Where the broker is away nobody is
    counted: that is `/readyz`'s to tell.
    """

    def allow_request(self, request: Request, _view: "APIView") -> bool:
        if request.user.pk is None:
            return True  # refused already, or open to strangers
        try:
            return (
                _counted(f"requests:{request.user.pk}:{int(time.time() // WINDOW_S)}") <= settings.REQUESTS_PER_MINUTE
            )
        except RedisError:
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW_S - time.time() % WINDOW_S


def _counted(key: str) -> int:
    """How many requests there were under the key, with this one."""
    cache.add(key, 0, timeout=2 * WINDOW_S)
    return cache.incr(key)
