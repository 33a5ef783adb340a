"""200 open pages: whether each hears everything, how soon, and what a page that never reads does to the others."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from plaqueview.accounts.models import Site
from plaqueview.core.live import WORKLIST, announce
from tests.drills.department import Department
from tests.drills.findings import connection
from tests.drills.traffic import Told, at_work

PAGES, DEAF_PAGES = 200, 5
EVENTS, EVENT_PAUSE_S = 60, 0.5
LATEST_S = 60.0
DEAF_BUFFER_BYTES = 4096


@dataclass
class Heard:
    """By event, when it was sent and when each page heard it."""

    sent_at: dict[str, float] = field(default_factory=dict)
    delays_s: dict[str, list[float]] = field(default_factory=dict)

    def hear(self, message: str) -> None:
        key = json.loads(message).get("study", "")
        if key in self.sent_at:
            self.delays_s.setdefault(key, []).append(time.monotonic() - self.sent_at[key])

    @property
    def count(self) -> int:
        return sum(map(len, self.delays_s.values()))


def open_many_pages(department: Department, told: Told) -> None:
    """Every page hears every event, also beside pages that ask and never read what they are answered."""
    feed = department.services["feed"]
    before = feed.resident_bytes()
    asyncio.run(listen_together(department, told, deaf=0))
    asyncio.run(listen_together(department, told, deaf=DEAF_PAGES))
    after = feed.resident_bytes()
    told.notes.append(f"the feed held {before / 2**20:.0f} MB before and {after / 2**20:.0f} MB afterwards")


async def listen_together(department: Department, told: Told, *, deaf: int) -> None:
    heard, feed = Heard(), department.services["feed"]
    started = time.monotonic()
    pages = await asyncio.gather(*(open_page(department) for _ in range(PAGES)))
    opened_s = time.monotonic() - started
    listeners = [asyncio.create_task(listen(page, heard)) for page in pages]
    with deaf_pages(department, deaf):
        await asyncio.to_thread(speak, heard)
        deadline = time.monotonic() + LATEST_S
        while heard.count < PAGES * EVENTS and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        memory = feed.resident_bytes()
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*(page.close() for page in pages))
    delays = sorted(delay for some in heard.delays_s.values() for delay in some)
    told.notes.append(
        f"{PAGES} pages{f' and {deaf} deaf ones' if deaf else ''}, opened in {opened_s:.1f} s: {len(delays)} of "
        f"{PAGES * EVENTS} heard, median {delays[len(delays) // 2] * 1000:.0f} ms, 99 of 100 within "
        f"{delays[len(delays) * 99 // 100] * 1000:.0f} ms, the last {delays[-1] * 1000:.0f} ms; {memory / 2**20:.0f} MB"
    )
    assert len(delays) == PAGES * EVENTS, f"{PAGES * EVENTS - len(delays)} of {PAGES * EVENTS} events were not heard"


async def open_page(department: Department) -> ClientConnection:
    page = await connect(department.feed_url, **department.feed_options, open_timeout=60)
    await page.send('{"type": "subscribe", "topic": "worklist"}')
    while json.loads(await page.recv()).get("type") != "subscribed":
        pass
    return page


async def listen(page: ClientConnection, heard: Heard) -> None:
    async for message in page:
        heard.hear(str(message))


def speak(heard: Heard) -> None:
    """As the platform does when a study changes."""
    site_id = Site.objects.values_list("pk", flat=True).get()
    for _ in range(EVENTS):
        key = str(uuid4())
        heard.sent_at[key] = time.monotonic()
        announce({"type": "study.changed", "study": key}, topics=(WORKLIST,), site_id=site_id)
        time.sleep(EVENT_PAUSE_S)
    connection.close()


@contextmanager
def deaf_pages(department: Department, count: int) -> Iterator[None]:
    """Within, pages listen to the worklist, ask as fast as they are let, and read nothing."""
    is_over = threading.Event()
    pages = [threading.Thread(target=ask_and_never_read, args=(department, is_over)) for _ in range(count)]
    with at_work(pages, is_over):
        yield


def ask_and_never_read(department: Department, is_over: threading.Event) -> None:
    """Until the feed takes no more of it, and then on, as far as it lets."""
    with socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DEAF_BUFFER_BYTES)
        page.connect(("127.0.0.1", department.ports["feed"]))
        page.sendall(handshake(department))
        page.recv(1024)
        page.settimeout(1.0)
        page.sendall(frame(b'{"type": "subscribe", "topic": "worklist"}'))
        pings = pending = frame(b'{"type": "ping"}') * 100
        while not is_over.is_set():
            with suppress(TimeoutError):
                pending = pending[page.send(pending) :] or pings


def handshake(department: Department) -> bytes:
    """Source: RFC 6455, section 4.1."""
    lines = (
        "GET /ws/feed HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {department.token}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(text: bytes) -> bytes:
    """A short text from a client, masked with zeros. Source: RFC 6455, section 5.2."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
