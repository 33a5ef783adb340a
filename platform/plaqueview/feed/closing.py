"""Closing a socket while its next message is awaited."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]  # Any: ASGI's events
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

CLOSE = "websocket.close"


def closable(application: Application) -> Application:
    """The application, whose close takes effect at once, also while it waits for a message.

    granian holds a close back until the client says something; so the waiting ends first, as if the client had gone.
    """

    async def closable_application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        socket = _Socket(receive, send)
        await application(scope, socket.receive, socket.send)

    return closable_application


class _Socket:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._waiting: asyncio.Future[Message] | None = None
        self._closing: Message | None = None
        self._is_closed = asyncio.Event()

    async def receive(self) -> Message:
        self._waiting = asyncio.ensure_future(self._receive())
        try:
            return await self._waiting
        except asyncio.CancelledError:
            if self._closing is None:
                raise
            # The application ends what runs beside the socket when it hears of the end, and that may be what closes it.
            await self._is_closed.wait()
            return {"type": "websocket.disconnect", "code": self._closing.get("code", 1000)}

    async def send(self, message: Message) -> None:
        if message["type"] != CLOSE:
            await self._send(message)
            return
        self._closing = message
        if self._waiting is not None:
            self._waiting.cancel()
        try:
            await self._send(message)
        finally:
            self._is_closed.set()
