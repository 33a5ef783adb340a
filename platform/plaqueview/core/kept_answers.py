"""Answers that took long to find are given again for a while, as of when they were found."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from plaqueview import __version__
from plaqueview.core.remembering import recalled, remember

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
    answer: Answer | None = recalled(key)
    return answer if answer is not None else _found(key, find)


def _found(key: str, find: Callable[[], Answer]) -> Answer:
    began = time.monotonic()
    answer = find()
    took_s = time.monotonic() - began
    if took_s >= LONG_S:
        remember(key, answer, for_s=min(LONGEST_S, took_s * TIMES_AS_LONG))
    return answer
