"""Answers that took long to find are given again for a while, as of when they were found."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

from plaqueview import __version__

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# What is found sooner than this is found anew each time: nobody waits for it.
LONG_S: Final = 0.15
# So that who asks all the time costs a hundredth of a core at most.
TIMES_AS_LONG: Final = 100
LONGEST_S: Final = 300


def kept(key: str, find: Callable[[], Answer]) -> Answer:
    """What `find` gives, or what it gave of late: for a hundred times as long as it took, and five minutes at most.

    The answer says itself of when it is, since who reads it must know. `key` holds all that it depends on, whose
    rights it was found by included. Without the cache it is found each time.
    """
    key = f"kept:{__version__}:{key}"
    try:
        answer: Answer | None = cache.get(key)
    except (RedisError, OSError):
        return find()
    return answer if answer is not None else _found(key, find)


def _found(key: str, find: Callable[[], Answer]) -> Answer:
    began = time.monotonic()
    answer = find()
    took_s = time.monotonic() - began
    if took_s >= LONG_S:
        _keep(key, answer, kept_s=min(LONGEST_S, took_s * TIMES_AS_LONG))
    return answer


def _keep(key: str, answer: object, *, kept_s: float) -> None:
    try:
        cache.set(key, answer, timeout=kept_s)
    except (RedisError, OSError):
        logger.warning("an answer that took long is not kept: the cache is away")
