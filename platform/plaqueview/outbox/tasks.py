"""The outbox's errands on the default queue."""

from random import SystemRandom
from uuid import UUID

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.outbox import services


@shared_task(name="outbox.send_to_node")
def send_to_node(node_id: str) -> None:
    """What is due for the node is sent."""
    services.send_to_node(node_id=UUID(node_id), random=SystemRandom())


@shared_task(name="outbox.tend", base=FrequentErrand)
def tend() -> None:
    """What a node's rule wants is asked for, what peers said is heard, the dead's taken up, and workers are told."""
    services.request_by_rule()
    services.settle_asked(random=SystemRandom())
    services.bury_lapsed()
    services.wake_nodes()
