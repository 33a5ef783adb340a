"""The worker's side of core: heartbeats, and forgetting what has served its time."""

import math
import time
from datetime import timedelta
from typing import Any

from celery.signals import heartbeat_sent, worker_ready
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from plaqueview.celery import celery_app
from plaqueview.core import health, workers
from plaqueview.core.disk import forget_incoming, free_disk_bytes
from plaqueview.core.gpus import gpus
from plaqueview.core.models import IdempotentRequest
from plaqueview.core.queue import INFERENCE_QUEUE, TRAINING_QUEUE
from plaqueview.imaging.free_memory import free_memory_bytes

ANSWERS_KEPT_FOR = timedelta(days=7)
BEATS_EVERY_S = 4.5  # every third beat of Celery's, of which one may come late and another be lost
INCOMING_KEPT_FOR_S = 24 * 3600.0

_queues_served: set[str] = set()
_names: list[str] = []
_started_at = timezone.now()
_last_beat_at = -math.inf


@worker_ready.connect
def remember_queues(sender: Any, **_: Any) -> None:  # Any: Celery's consumer is untyped
    """The worker's queues are known, and beat from now on."""
    _queues_served.update(queue.name for queue in sender.task_consumer.queues)
    _names[:] = [sender.hostname]
    beat_for_queues()


@heartbeat_sent.connect
def beat_now_and_then(**_: Any) -> None:
    """Celery's own heart beats every two seconds, also where nothing else happens."""
    if time.monotonic() - _last_beat_at > BEATS_EVERY_S:
        beat_for_queues()


def beat_for_queues() -> None:
    """Each queue that this worker serves counts as served, and the worker as alive."""
    global _last_beat_at  # noqa: PLW0603  # one heart a process
    _last_beat_at = time.monotonic()
    for queue in _queues_served:
        health.beat(health.worker_of_queue(queue))
    for name in _names:
        workers.tell(_worker(name))


def _worker(name: str) -> workers.Worker:
    device = _device()
    return workers.Worker(
        name,
        tuple(sorted(_queues_served)),
        device,
        _started_at,
        seen_at=timezone.now(),
        gpus=gpus() if device == "cuda" else (),
        free_memory_bytes=free_memory_bytes(),
        free_disk_bytes=_free_disk_bytes(),
    )


def _free_disk_bytes() -> int | None:
    """None where the storage is away: a worker without it is alive all the same."""
    try:
        return free_disk_bytes()
    except OSError:
        return None


def _device() -> str:
    """What the worker computes on; empty where it computes nothing."""
    if TRAINING_QUEUE in _queues_served:
        return str(settings.TRAINING_DEVICE)
    return str(settings.INFERENCE_DEVICE) if INFERENCE_QUEUE in _queues_served else ""


@celery_app.task(name="core.forget")
def forget() -> None:
    """Old answers, sessions that have ended, and what killed processes left in the store's incoming folder are gone."""
    IdempotentRequest.objects.filter(created__lt=timezone.now() - ANSWERS_KEPT_FOR).delete()
    call_command("clearsessions")
    forget_incoming(older_than_s=INCOMING_KEPT_FOR_S)
