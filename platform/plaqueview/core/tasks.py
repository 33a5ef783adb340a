"""The worker's side of core: heartbeats, and forgetting what has served its time."""

from datetime import timedelta
from typing import Any

from celery.signals import heartbeat_sent, worker_ready
from django.core.management import call_command
from django.utils import timezone

from plaqueview.celery import celery_app
from plaqueview.core import health
from plaqueview.core.models import IdempotentRequest
from plaqueview.core.storage import forget_incoming

ANSWERS_KEPT_FOR = timedelta(days=7)
INCOMING_KEPT_FOR_S = 24 * 3600.0

_queues_served: set[str] = set()


@worker_ready.connect
def remember_queues(sender: Any, **_: Any) -> None:  # Any: Celery's consumer is untyped
    """The worker's queues are known, and beat from now on."""
    _queues_served.update(queue.name for queue in sender.task_consumer.queues)
    beat_for_queues()


@heartbeat_sent.connect
def beat_for_queues(**_: Any) -> None:
    """Each queue that this worker serves counts as served."""
    for queue in _queues_served:
        health.beat(health.worker_of_queue(queue))


@celery_app.task(name="core.forget")
def forget() -> None:
    """Old answers, sessions that have ended, and what killed processes left in the store's incoming folder are gone."""
    IdempotentRequest.objects.filter(created__lt=timezone.now() - ANSWERS_KEPT_FOR).delete()
    call_command("clearsessions")
    forget_incoming(older_than_s=INCOMING_KEPT_FOR_S)
