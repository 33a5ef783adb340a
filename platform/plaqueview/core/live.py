"""Events for the browser: pointers to what changed, never the data itself, sent after the commit."""

import asyncio
import logging
import os
import threading
from collections.abc import Mapping
from functools import cache
from typing import Final
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WORKLIST = "worklist"
TRAINING = "training"

# So long a caller waits for a broker that hangs, which the feed's own sockets bear with for half a minute: hundreds of
# times what an event takes, and a tenth of a job's lease.
LONGEST_S: Final = 2.0

Event = Mapping[str, str | int | float]


def study_topic(study_id: UUID) -> str:
    return f"study.{study_id}"


def upload_topic(upload_id: UUID) -> str:
    return f"upload.{upload_id}"


def announce(event: Event, *, topics: tuple[str, ...], site_id: UUID) -> None:
    """Listeners of the topics within the site hear of the event once the current transaction has committed.

    A broker that is away costs the listeners a refresh, not the caller its transaction, and one that hangs no more than
    two seconds.
    """
    transaction.on_commit(lambda: _send(event, topics, site_id))


def group_name(topic: str, site_id: UUID) -> str:
    """The name of the Channels group: letters, digits, hyphens and full stops, under 100 characters."""
    return f"{site_id}.{topic}"


def _send(event: Event, topics: tuple[str, ...], site_id: UUID) -> None:
    asyncio.run_coroutine_threadsafe(_send_to_all(event, topics, site_id), _loop(os.getpid())).result()


async def _send_to_all(event: Event, topics: tuple[str, ...], site_id: UUID) -> None:
    """A broker that could not be told of one topic, or in time, is not told of the next ones."""
    layer = get_channel_layer()
    until = asyncio.get_running_loop().time() + LONGEST_S
    for topic in topics:
        try:
            async with asyncio.timeout_at(until):
                await layer.group_send(group_name(topic, site_id), {"type": "feed.event", "event": dict(event)})
        except (RedisError, OSError):
            logger.warning("event %s for topic %s was not sent: the broker is away", event["type"], topic)
            return


@cache
def _loop(_process: int) -> asyncio.AbstractEventLoop:
    """The loop that sends, in a thread of its own; a child that was forked has no thread of its parent's.

    It keeps its connection to the broker: a loop for each event, with a new connection, takes eight times as long.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="live", daemon=True).start()
    return loop
