"""The workers that were heard of, and how much waits in the queues that they serve.

Each tells of itself with every heartbeat of Celery's, also while a long task runs; who was killed is known by silence.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import Redis

from plaqueview.celery import celery_app
from plaqueview.core.gpus import Gpu
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE, TRAINING_QUEUE

QUEUES: Final = (DEFAULT_QUEUE, INFERENCE_QUEUE, TRAINING_QUEUE)
KEY: Final = "workers"
ALIVE_FOR: Final = timedelta(seconds=20)
FORGOTTEN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True)
class Worker:
    """One process that works on queues.

    `name` is Celery's; `device` is empty where it computes nothing; `gpus` are those that it may compute on. What is
    free is its own machine's; None where that does not say, or nobody asked.
    """

    name: str
    queues: tuple[str, ...]
    device: str
    started_at: datetime
    seen_at: datetime
    gpus: tuple[Gpu, ...] = ()
    free_memory_bytes: int | None = None
    free_disk_bytes: int | None = None

    @property
    def is_alive(self) -> bool:
        return timezone.now() - self.seen_at < ALIVE_FOR


def tell(worker: Worker) -> None:
    """The worker was heard of. Raises: RedisError."""
    fields = {**asdict(worker), "started_at": worker.started_at.isoformat(), "seen_at": worker.seen_at.isoformat()}
    _broker().hset(KEY, worker.name, json.dumps(fields))


def heard_of() -> Sequence[Worker]:
    """Every worker that was heard of within a day, by name. Raises: RedisError."""
    told = [_read(text) for text in _broker().hvals(KEY)]
    gone = [worker.name for worker in told if timezone.now() - worker.seen_at > FORGOTTEN_AFTER]
    if gone:
        _broker().hdel(KEY, *gone)
    return sorted((worker for worker in told if worker.name not in gone), key=lambda worker: worker.name)


def waiting_by_queue() -> dict[str, int]:
    """How many tasks wait in each queue for a worker, of every priority. Raises: OperationalError of kombu."""
    with celery_app.connection_for_read() as connection:
        return {queue: _waiting_in(queue, connection) for queue in QUEUES}


def is_empty(queue: str) -> bool:
    """Whether no task waits in the queue for a worker; False also while the broker is away, which takes none either."""
    try:
        with celery_app.connection_for_read() as connection:
            return _waiting_in(queue, connection) == 0
    except OperationalError:
        return False


def _waiting_in(queue: str, connection: Connection) -> int:
    """None waits in a queue to which nothing was ever sent, which the broker does not know."""
    channel: Any = connection.channel()  # Any: kombu types what all brokers share, not this
    try:
        return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except connection.channel_errors:
        return 0
    finally:
        channel.close()


@cache
def _broker() -> Redis:
    """Its connections are kept: to make one takes the library longer than anything that is said over it."""
    return Redis.from_url(settings.REDIS_URL)


def _read(text: bytes | str) -> Worker:
    fields = json.loads(text)
    return Worker(
        fields["name"],
        tuple(fields["queues"]),
        fields["device"],
        datetime.fromisoformat(fields["started_at"]),
        datetime.fromisoformat(fields["seen_at"]),
        # Older processes tell none of these.
        tuple(Gpu(**told) for told in fields.get("gpus", ())),
        fields.get("free_memory_bytes"),
        fields.get("free_disk_bytes"),
    )
