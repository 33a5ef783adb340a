"""Work and events leave after the commit, on a real broker, and never before it."""

import base64
import json
import socket
import time
import uuid

import pytest
from asgiref.sync import async_to_sync
from channels.layers import ChannelLayerManager, get_channel_layer
from django.db import transaction
from redis import Redis

from plaqueview.celery import celery_app
from plaqueview.core.live import WORKLIST, announce, group_name, study_topic
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue

pytestmark = pytest.mark.django_db(transaction=True)

SITE, OTHER_SITE, STUDY = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
EVENT = {"type": "study.changed", "study": str(STUDY), "state": "ready"}


def waiting(broker: Redis, queue: str) -> list[tuple[str, list[str]]]:
    """The tasks in a queue with their arguments, oldest first."""
    messages = [json.loads(message) for message in reversed(broker.lrange(queue, 0, -1))]
    return [(message["headers"]["task"], json.loads(base64.b64decode(message["body"]))[0]) for message in messages]


def test_a_task_is_sent_once_the_transaction_has_committed(empty_broker):
    with transaction.atomic():
        enqueue("inference.segment", "7", queue=INFERENCE_QUEUE)
        before = empty_broker.llen(INFERENCE_QUEUE)

    assert (before, waiting(empty_broker, INFERENCE_QUEUE)) == (0, [("inference.segment", ["7"])])
    assert empty_broker.llen("default") == 0


def test_a_task_of_a_transaction_that_rolls_back_is_never_sent(empty_broker):
    with transaction.atomic():
        enqueue("studies.settle", "7")
        transaction.set_rollback(True)

    assert empty_broker.keys("*") == []


def test_outside_of_a_transaction_a_task_is_sent_at_once(empty_broker):
    enqueue("studies.settle", "7")

    assert waiting(empty_broker, "default") == [("studies.settle", ["7"])]


def test_a_broker_that_is_away_loses_no_committed_work(monkeypatch, caplog):
    monkeypatch.setattr(celery_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(celery_app.amqp, "_producer_pool", None)

    with transaction.atomic():
        enqueue("studies.settle", "7")

    assert messages_of("plaqueview.core.queue", caplog) == [
        "task studies.settle ('7',) was not sent: the broker is away"
    ]


def test_a_broker_that_hangs_holds_who_sends_a_task_for_five_seconds(monkeypatch, caplog, settings):
    limit_s = settings.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"]
    monkeypatch.setattr(celery_app.amqp, "_producer_pool", None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(celery_app.conf, "broker_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()

        with transaction.atomic():
            enqueue("studies.settle", "7")

    assert limit_s == 5
    assert time.monotonic() - began == pytest.approx(limit_s, abs=2.0)
    assert messages_of("plaqueview.core.queue", caplog) == [
        "task studies.settle ('7',) was not sent: the broker is away"
    ]


def messages_of(logger: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == logger]


class Listener:
    """A browser's server process: a channel layer of its own, with one channel in one group."""

    def __init__(self, group: str) -> None:
        self.layer = ChannelLayerManager().make_backend("default")
        self.channel = async_to_sync(self.layer.new_channel)()
        async_to_sync(self.layer.group_add)(group, self.channel)

    def heard(self, broker: Redis) -> int:
        return int(broker.zcard(f"asgi{self.channel.split('!')[0]}!"))

    def receive(self) -> dict:
        return async_to_sync(self.layer.receive)(self.channel)


def test_an_event_reaches_the_listeners_of_its_topics_and_site_after_the_commit(empty_broker):
    mine = Listener(group_name(study_topic(STUDY), SITE))
    elsewhere = Listener(group_name(study_topic(STUDY), OTHER_SITE))
    other_study = Listener(group_name(study_topic(uuid.UUID(int=4)), SITE))

    with transaction.atomic():
        announce(EVENT, topics=(WORKLIST, study_topic(STUDY)), site_id=SITE)
        before = mine.heard(empty_broker)

    assert before == 0
    assert [listener.heard(empty_broker) for listener in (mine, elsewhere, other_study)] == [1, 0, 0]
    assert mine.receive() == {"type": "feed.event", "event": EVENT}


def test_events_share_a_connection_to_the_broker(empty_broker):
    def announced() -> int:
        """How many connections the broker has had."""
        with transaction.atomic():
            announce(EVENT, topics=(WORKLIST, study_topic(STUDY)), site_id=SITE)
        return int(empty_broker.info("stats")["total_connections_received"])

    first = announced()

    assert [announced(), announced()] == [first, first]


def test_an_event_of_a_transaction_that_rolls_back_is_never_sent(empty_broker):
    listener = Listener(group_name(WORKLIST, SITE))

    with transaction.atomic():
        announce(EVENT, topics=(WORKLIST,), site_id=SITE)
        transaction.set_rollback(True)

    assert listener.heard(empty_broker) == 0


def test_a_broker_that_is_away_costs_the_caller_no_more_than_a_warning(settings, caplog):
    config = {"hosts": ["redis://127.0.0.1:1/0"]}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}

    with transaction.atomic():
        announce(EVENT, topics=(WORKLIST,), site_id=SITE)

    assert messages_of("plaqueview.core.live", caplog) == [
        "event study.changed for topic worklist was not sent: the broker is away"
    ]


def test_a_broker_that_hangs_holds_the_caller_for_two_seconds_whatever_there_is_to_tell(settings, caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = {"address": f"redis://127.0.0.1:{silent.getsockname()[1]}/0", **settings.FEED_BROKER}
        layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [host]}}
        settings.CHANNEL_LAYERS = {"default": layer}
        began = time.monotonic()

        with transaction.atomic():
            announce(EVENT, topics=(WORKLIST, study_topic(STUDY)), site_id=SITE)

    assert time.monotonic() - began == pytest.approx(2.0, abs=0.5)
    assert messages_of("plaqueview.core.live", caplog) == [
        "event study.changed for topic worklist was not sent: the broker is away"
    ]


@pytest.mark.parametrize("topic", [WORKLIST, study_topic(STUDY)])
def test_the_name_of_a_group_is_one_that_channels_accepts(topic):
    name = group_name(topic, SITE)

    assert get_channel_layer().require_valid_group_name(name)
    assert len(name) < 100
