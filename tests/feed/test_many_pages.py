"""Many pages come and go at once, and one asks without end."""

import asyncio
from uuid import uuid4

import pytest
from channels_redis.core import RedisChannelLayer
from django.conf import settings

from plaqueview.feed import presence
from plaqueview.feed.presence import Presence
from plaqueview.feed.turns import AT_ONCE, PER_SECOND, Turns

PAGES = 250  # more than the hundred connections that the library would open


@pytest.fixture
def forgets_its_broker():
    """A connection belongs to the loop of its test."""
    presence._broker.cache_clear()
    yield
    presence._broker.cache_clear()


@pytest.mark.usefixtures("empty_broker")
def test_pages_that_come_and_go_at_once_are_all_noted():
    async def come_and_go() -> tuple[int, int]:
        layer = RedisChannelLayer(**settings.CHANNEL_LAYERS["default"]["CONFIG"])
        names = [await layer.new_channel() for _ in range(PAGES)]
        await asyncio.gather(*(layer.group_add("worklist", name) for name in names))
        there = await layer.connection(0).zcard("asgi:group:worklist")
        await asyncio.gather(*(layer.group_discard("worklist", name) for name in names))
        left = await layer.connection(0).zcard("asgi:group:worklist")
        await layer.close_pools()
        return there, left

    assert asyncio.run(come_and_go()) == (PAGES, 0)


@pytest.mark.usefixtures("empty_broker", "forgets_its_broker")
def test_readers_who_come_to_a_study_at_once_are_all_there():
    study_id = uuid4()
    reader = Presence(reader_id=str(uuid4()), reader="neurologist", is_editing=False)

    async def come() -> int:
        sockets = (str(number) for number in range(PAGES))
        await asyncio.gather(*(presence.enter(study_id, socket=socket, presence=reader) for socket in sockets))
        there = await presence.present_at(study_id)
        await presence._broker().aclose()
        return len(there)

    assert asyncio.run(come()) == PAGES


def test_a_socket_that_asks_without_end_waits_for_its_turn():
    turns = Turns()

    at_once = [turns.wait_s(100.0) for _ in range(AT_ONCE)]
    later = [turns.wait_s(100.0) for _ in range(2)]

    assert at_once == [0.0] * AT_ONCE
    assert later == pytest.approx([1 / PER_SECOND, 2 / PER_SECOND])
    assert turns.wait_s(200.0) == 0.0
