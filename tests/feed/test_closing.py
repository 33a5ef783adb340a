"""A close reaches the client with its code, whatever the application does when it hears of the end."""

import asyncio

from plaqueview.feed.closing import CLOSE, closable

RIGHTS_CHANGED = {"type": CLOSE, "code": 4403}


def test_what_closes_the_socket_is_not_ended_before_the_close_is_sent():
    """As the feed does: who looks at the rights beside the socket closes it, and is ended when the socket ends."""
    sent, heard = [], []

    async def application(_scope, receive, send):
        watch = asyncio.create_task(send(RIGHTS_CHANGED))
        heard.append(await receive())
        watch.cancel()

    async def slowly(message):
        for _ in range(10):  # a server under load
            await asyncio.sleep(0)
        sent.append(message)

    asyncio.run(closable(application)({}, asyncio.Event().wait, slowly))

    assert (sent, heard) == ([RIGHTS_CHANGED], [{"type": "websocket.disconnect", "code": 4403}])
