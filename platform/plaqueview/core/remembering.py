"""What may be forgotten at any time, and is found again then: in Django's cache, which may be away."""

import logging
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

AWAY = (RedisError, OSError)


def recalled(key: str) -> Any | None:  # Any: as it was remembered
    """None where nothing is remembered, or the cache is away."""
    try:
        return cache.get(key)
    except AWAY:
        return None


def is_first(key: str, *, within_s: float) -> bool:
    """Whether nobody asked this of the key for so long; everybody is first where the cache is away."""
    try:
        return cache.add(key, 1, timeout=within_s)
    except AWAY:
        return True


def remember(key: str, value: object, *, for_s: float) -> None:
    """Recalled for so long, where the cache is there."""
    try:
        cache.set(key, value, timeout=for_s)
    except AWAY:
        logger.warning("what was found is not remembered: the cache is away")
