"""The webhooks' errands on the default queue."""

from random import SystemRandom
from uuid import UUID

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.webhooks import services


@shared_task(name="webhooks.deliver")
def deliver(webhook_id: str) -> None:
    """What is due for the receiver is sent."""
    services.deliver(webhook_id=UUID(webhook_id), random=SystemRandom())


@shared_task(name="webhooks.tend", base=FrequentErrand)
def tend() -> None:
    """What happened has its messages, dead workers' messages are taken up, and workers are told of what is due."""
    services.request_by_event()
    services.bury_lapsed()
    services.wake_receivers()


@shared_task(name="webhooks.forget")
def forget() -> None:
    """Messages that ended long ago are gone."""
    services.forget_old()
