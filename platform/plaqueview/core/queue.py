"""Work for the workers, named and not held, sent after the commit."""

from django.db import transaction

from plaqueview.celery import celery_app

INFERENCE_QUEUE = "inference"
DEFAULT_QUEUE = "default"


def enqueue(task_name: str, /, *arguments: str, queue: str = DEFAULT_QUEUE, delay_s: float = 0.0) -> None:
    """The task is sent once the current transaction has committed, and never if it rolls back.

    Arguments are ids, never patient data: they stand in the broker in clear text.
    """
    transaction.on_commit(
        lambda: celery_app.send_task(task_name, args=arguments, queue=queue, countdown=delay_s or None)
    )
