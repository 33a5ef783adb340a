"""The outbox's errands on the default queue."""

from random import SystemRandom
from uuid import UUID

from celery import shared_task

from plaqueview.outbox import services

TIME_LIMIT_S = 600


@shared_task(name="outbox.send_to_node", time_limit=TIME_LIMIT_S)
def send_to_node(node_id: str) -> None:
    """What is due for the node is sent."""
    services.send_to_node(node_id=UUID(node_id), random=SystemRandom())


@shared_task(name="outbox.tend", time_limit=TIME_LIMIT_S)
def tend() -> None:
    """Versions that a node's rule wants are asked for, dead workers' transfers taken up, and workers told."""
    services.request_by_rule()
    services.bury_lapsed()
    services.wake_nodes()
