"""One socket: what it listens to, and the pointers that it gets."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from plaqueview.accounts.models import User
from plaqueview.core.errors import InvalidError, PlaqueViewError, TooLargeError
from plaqueview.feed.company import Company
from plaqueview.feed.identity import headers_of, identify
from plaqueview.feed.topics import STUDY, Message, Topic, groups_of, study_in, topic_of
from plaqueview.feed.turns import Turns

logger = logging.getLogger(__name__)

# Codes 4000 to 4999 are the application's own (RFC 6455, section 7.4.2).
NOT_SIGNED_IN = 4401
RIGHTS_CHANGED = 4403

MAX_TOPICS = 200
MAX_MESSAGE_CHARACTERS = 4096


class FeedConsumer(AsyncJsonWebsocketConsumer):
    """Subscriptions come in, events go out; both hold pointers only, so that access stays with REST.

    Who is signed in, and with which sites, is looked up again with every subscription and at every interval; the socket
    is closed when the session, the token or the sites are gone.
    """

    async def connect(self) -> None:
        """Accepts, then closes with a code of its own when nobody is signed in.

        A page of another origin is nobody, whatever cookie it brings. It is not refused in the handshake: granian at
        times leaves a handshake unanswered that is refused before its application waits for a message.
        """
        self.headers = headers_of(self.scope)
        self.listening: dict[Topic, tuple[str, ...]] = {}
        self.turns = Turns()
        self.watch: asyncio.Task[None] | None = None
        await self.accept()
        user = await self.signed_in()
        if user is not None:
            self.company = Company(self, reader_id=user.pk)
            self.watch = asyncio.create_task(self.close_when_rights_change())

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
        for topic in list(self.listening):
            await self._leave(topic)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Every message is answered, a bad one by `{"type": "error"}`; a presence only when it changes something.

        Of very many the later ones wait, and the events of the socket with them.
        """
        await asyncio.sleep(self.turns.wait_s(time.monotonic()))
        try:
            message = _parsed(text_data)
            await self._answer(message)
        except PlaqueViewError as error:
            await self.send_json({"type": "error", "code": error.code, "detail": error.detail})

    async def feed_event(self, message: dict[str, Any]) -> None:  # Any: an event of core.live, as JSON
        """An event of a topic that this socket listens to."""
        await self.send_json(message["event"])

    async def feed_presence(self, message: dict[str, Any]) -> None:  # Any: a pointer of feed.company, as JSON
        """Somebody came to a study that this socket listens to, or left it."""
        study_id = UUID(message["study"])
        if Topic(STUDY, study_id) in self.listening:
            await self.company.tell(study_id)

    async def signed_in(self) -> User | None:
        """The user as the database knows them now; the socket is closed when there is none."""
        user = await database_sync_to_async(identify)(self.headers)
        if user is None:
            await self.close(NOT_SIGNED_IN, "not signed in")
        return user

    async def close_when_rights_change(self) -> None:
        """Runs beside the socket."""
        while True:
            await asyncio.sleep(settings.FEED_RECHECK_S)
            user = await self.signed_in()
            if user is None:
                return
            if not await database_sync_to_async(self._may_keep)(user):
                await self.close(RIGHTS_CHANGED, "your rights have changed")
                return
            await self.company.look_again([topic.study_id for topic in self.listening if topic.study_id])

    def _may_keep(self, user: User) -> bool:
        """The user may still hear every topic, in the same sites."""
        try:
            return all(groups_of(topic, user) == groups for topic, groups in list(self.listening.items()))
        except PlaqueViewError:
            return False

    async def _answer(self, message: Message) -> None:
        answers: Mapping[str, Callable[[Message], Awaitable[None]]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "presence": self._be_present,
            "ping": self._pong,
        }
        kind = message.get("type")
        answer = answers.get(kind) if isinstance(kind, str) else None
        if answer is None:
            raise InvalidError(f"type is missing or unknown, need one of {', '.join(answers)}")
        await answer(message)

    async def _subscribe(self, message: Message) -> None:
        topic = topic_of(message)
        user = await self.signed_in()
        if user is None:
            return
        if topic not in self.listening and len(self.listening) >= MAX_TOPICS:
            raise TooLargeError(f"a socket listens to at most {MAX_TOPICS} topics; unsubscribe from one")
        await self._leave(topic)
        self.listening[topic] = await database_sync_to_async(groups_of)(topic, user)
        for group in self.listening[topic]:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.send_json({"type": "subscribed", **topic.reference})
        if topic.study_id:
            await self.company.tell(topic.study_id)

    async def _unsubscribe(self, message: Message) -> None:
        topic = topic_of(message)
        await self._leave(topic)
        await self.send_json({"type": "unsubscribed", **topic.reference})

    async def _be_present(self, message: Message) -> None:
        study_id = study_in(message)
        groups = self.listening.get(Topic(STUDY, study_id))
        if groups is None:
            raise InvalidError("the socket does not listen to the study; subscribe to it first")
        user = await self.signed_in()
        if user is not None:
            await self.company.enter(study_id, groups=groups, user=user, message=message)

    async def _pong(self, message: Message) -> None:
        await self.send_json({"type": "pong"})

    async def _leave(self, topic: Topic) -> None:
        groups = self.listening.pop(topic, ())
        for group in groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        if groups and topic.study_id:
            await self.company.leave(topic.study_id, groups)


def _parsed(text: str | None) -> Message:
    """Raises: InvalidError when the text is no JSON object; TooLargeError."""
    if text is None:
        raise InvalidError("the message is binary, need a JSON object as text")
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise TooLargeError(f"the message has {len(text)} characters, at most {MAX_MESSAGE_CHARACTERS} are read")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError("the message is no JSON") from error
    if not isinstance(message, dict):
        raise InvalidError("the message is no JSON object")
    return message
