"""Who is at a study now: kept in the broker, so that every process of the feed knows the same.

The broker forgets what no socket renews, also when the process that held the socket is gone.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from uuid import UUID

from django.conf import settings
from redis.asyncio import Redis


@dataclass(frozen=True)
class Presence:
    """One socket's word about its reader."""

    reader_id: str
    reader: str
    is_editing: bool


async def enter(study_id: UUID, *, socket: str, presence: Presence) -> bool:
    """The socket's reader is at the study for a while from now; true when that is news."""
    said = json.dumps(asdict(presence))
    lifetime_ms = int(settings.FEED_PRESENCE_S * 1000)
    async with _broker().pipeline() as pipeline:
        pipeline.set(_key_of(study_id, socket), said, px=lifetime_ms, get=True)
        pipeline.sadd(_key_of(study_id), socket)
        pipeline.pexpire(_key_of(study_id), lifetime_ms)
        before, *_ = await pipeline.execute()
    return bool(before != said)


async def leave(study_id: UUID, *, socket: str) -> bool:
    """The socket's reader is not at the study; true when that is news."""
    async with _broker().pipeline() as pipeline:
        pipeline.delete(_key_of(study_id, socket))
        pipeline.srem(_key_of(study_id), socket)
        _, was_there = await pipeline.execute()
    return bool(was_there)


async def present_at(study_id: UUID) -> list[Presence]:
    """What every socket says that was not silent for too long, in no order."""
    sockets = [str(socket) for socket in await _broker().smembers(_key_of(study_id))]
    if not sockets:
        return []
    said = await _broker().mget([_key_of(study_id, socket) for socket in sockets])
    silent = [socket for socket, words in zip(sockets, said, strict=True) if words is None]
    if silent:
        await _broker().srem(_key_of(study_id), *silent)
    return [Presence(**json.loads(words)) for words in said if words is not None]


@cache
def _broker() -> Redis:
    return Redis.from_url(settings.REDIS_URL, decode_responses=True, **settings.FEED_BROKER)


def _key_of(study_id: UUID, socket: str = "") -> str:
    return f"presence:{study_id}:{socket}" if socket else f"presence:{study_id}"
