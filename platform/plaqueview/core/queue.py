"""Work for the workers, named and not held, sent after the commit."""

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

from plaqueview.celery import celery_app

logger = logging.getLogger(__name__)

INFERENCE_QUEUE = "inference"
DEFAULT_QUEUE = "default"
TRAINING_QUEUE = "training"


# Of Redis, which serves 0 before 9; within one, who came first goes first.
FIRST = 0
LATER = 6
LAST = 9


def enqueue(
    task_name: str, /, *arguments: str, queue: str = DEFAULT_QUEUE, delay_s: float = 0.0, priority: int = FIRST
) -> None:
    """The task is sent once the current transaction has committed, and never if it rolls back.

    Arguments are ids, never patient data: they stand in the broker in clear text. A broker that is away costs the
    caller nothing: the row that asks for the work is committed, and a periodic task of the same app finds it.
    """
    transaction.on_commit(lambda: _send(task_name, arguments, queue, delay_s, priority))


def _send(task_name: str, arguments: tuple[str, ...], queue: str, delay_s: float, priority: int) -> None:
    try:
        celery_app.send_task(task_name, args=arguments, queue=queue, countdown=delay_s or None, priority=priority)
    except OperationalError:
        logger.error("task %s %s was not sent: the broker is away", task_name, arguments)
