"""The inbox's errands on the default queue."""

from random import SystemRandom
from uuid import UUID

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.inbox import services


@shared_task(name="inbox.fetch_from_node")
def fetch_from_node(node_id: str) -> None:
    """What is due from the node is fetched."""
    services.fetch_from_node(node_id=UUID(node_id), random=SystemRandom())


@shared_task(name="inbox.tend", base=FrequentErrand)
def tend() -> None:
    """Priors that a rule wants are asked for, dead workers' fetches taken up, and workers told of what is due."""
    services.request_by_rule()
    services.bury_lapsed()
    services.wake_nodes()
