"""One socket's part in who is at a study: what it says of its reader, and what it was told of the others."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from typing import Any, Protocol
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from redis.exceptions import RedisError

from plaqueview.accounts.models import User
from plaqueview.annotations.ownership import readers_hidden_from
from plaqueview.core.errors import InvalidError
from plaqueview.feed import presence
from plaqueview.feed.presence import Presence
from plaqueview.feed.topics import Message

logger = logging.getLogger(__name__)

Readers = list[dict[str, object]]


class Socket(Protocol):
    """A consumer of Channels."""

    channel_name: str
    channel_layer: Any  # Any: Channels has no types

    def send_json(self, content: Message) -> Awaitable[None]: ...


class Company:
    """The broker is asked anew for every telling, so that tellings that overtake each other end in the same list.

    A reader who reads a study blinded is not told of the other one.
    """

    def __init__(self, socket: Socket, *, reader_id: UUID) -> None:
        self._socket, self._reader_id = socket, reader_id
        self._told: dict[UUID, Readers] = {}
        self._silences: dict[UUID, asyncio.Task[None]] = {}

    async def enter(self, study_id: UUID, *, groups: tuple[str, ...], user: User, message: Message) -> None:
        """The user is at the study, in the words of their message, until the socket closes or falls silent."""
        is_editing = message.get("is_editing")
        if not isinstance(is_editing, bool):
            raise InvalidError("is_editing is missing or neither true nor false")
        self._end_silence(study_id)
        self._silences[study_id] = asyncio.create_task(self._leave_when_silent(study_id, groups))
        said = Presence(reader_id=str(user.pk), reader=user.get_username(), is_editing=is_editing)
        if await presence.enter(study_id, socket=self._socket.channel_name, presence=said):
            await self._announce(study_id, groups)
        await self.tell(study_id)

    async def leave(self, study_id: UUID, groups: tuple[str, ...]) -> None:
        """The socket's reader is not at the study, nor does the socket hear who is."""
        self._end_silence(study_id)
        self._told.pop(study_id, None)
        if await presence.leave(study_id, socket=self._socket.channel_name):
            await self._announce(study_id, groups)

    async def tell(self, study_id: UUID) -> None:
        """The client knows who is at the study; it is told when that differs from what it was told before."""
        hidden = await database_sync_to_async(readers_hidden_from)(study_id, self._reader_id)
        readers = readers_of(one for one in await presence.present_at(study_id) if UUID(one.reader_id) not in hidden)
        if readers != self._told.get(study_id, []):
            self._told[study_id] = readers
            await self._socket.send_json({"type": "presence.changed", "study": str(study_id), "readers": readers})

    async def look_again(self, study_ids: Iterable[UUID]) -> None:
        """The client knows of those who went with the process that held their socket, without a word."""
        try:
            for study_id in study_ids:
                await self.tell(study_id)
        except (RedisError, OSError):
            logger.warning("who is at a study is not known: the broker is away")

    async def _leave_when_silent(self, study_id: UUID, groups: tuple[str, ...]) -> None:
        await asyncio.sleep(settings.FEED_PRESENCE_S)
        if await presence.leave(study_id, socket=self._socket.channel_name):
            await self._announce(study_id, groups)

    def _end_silence(self, study_id: UUID) -> None:
        silence = self._silences.pop(study_id, None)
        if silence is not None:
            silence.cancel()

    async def _announce(self, study_id: UUID, groups: tuple[str, ...]) -> None:
        for group in groups:
            await self._socket.channel_layer.group_send(group, {"type": "feed.presence", "study": str(study_id)})


def readers_of(present: Iterable[Presence]) -> Readers:
    """Each reader once, by name: one who edits in one window edits."""
    is_editing: dict[str, bool] = {}
    for one in present:
        is_editing[one.reader] = is_editing.get(one.reader, False) or one.is_editing
    return [{"reader": reader, "is_editing": is_editing[reader]} for reader in sorted(is_editing)]
