"""What an attempt leaves behind: delivered, to be tried again, or dead; written by whoever holds the claim."""

from datetime import timedelta
from random import Random
from typing import Final

from django.conf import settings
from django.db import transaction

from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.leases import Claim, backoff_s, put_off
from plaqueview.webhooks import journal
from plaqueview.webhooks.leases import held_delivery
from plaqueview.webhooks.models import ENDED, WAITING, Delivery, DeliveryState
from plaqueview.webhooks.posting import NotDeliveredError

# What a receiver said of each message is of use as long as it may ask for it again.
KEPT_FOR: Final = timedelta(days=30)


@transaction.atomic
def succeed(claim: Claim, *, answer: str) -> None:
    """The receiver has the message. Raises: ClaimLostError."""
    delivery = held_delivery(claim)
    delivery.delivered_at = clock.now()
    _end(delivery, DeliveryState.DELIVERED, answer)
    journal.record_delivery(EventKind.DELIVERY_DELIVERED, delivery, actor=None)


@transaction.atomic
def fail(claim: Claim, *, error: NotDeliveredError, random: Random) -> None:
    """The message is tried again later, or dead after the last attempt.

    What else waits for a receiver that is away waits as long: it would only use up attempts of its own.

    Raises: ClaimLostError.
    """
    delivery = held_delivery(claim)
    if delivery.attempts >= settings.WEBHOOK_MAX_ATTEMPTS:
        _bury(delivery, error.answer)
        return
    wait_s = backoff_s(delivery.attempts, first_s=settings.WEBHOOK_RETRY_S, random=random)
    delivery.next_attempt_at = clock.now() + timedelta(seconds=wait_s)
    _end(delivery, DeliveryState.FAILED, error.answer)
    if error.is_about_receiver:
        waiting = Delivery.objects.filter(webhook=delivery.webhook_id, state__in=WAITING)
        put_off(waiting, until=delivery.next_attempt_at)


@transaction.atomic
def bury_lapsed() -> int:
    """Messages whose every attempt died with its worker are dead; returns how many."""
    locked = Delivery.objects.with_references().select_for_update(of=("self",))
    lapsed = locked.filter(Delivery.objects.lapsed_at(clock.now()), attempts__gte=settings.WEBHOOK_MAX_ATTEMPTS)
    deliveries = list(lapsed)
    for delivery in deliveries:
        _bury(delivery, f"no worker came to the end of it in {delivery.attempts} attempts")
    return len(deliveries)


@transaction.atomic
def forget_old() -> int:
    """Messages that ended long ago are gone; returns how many."""
    old = Delivery.objects.filter(state__in=ENDED, modified__lt=clock.now() - KEPT_FOR)
    count, _ = old.delete()
    return count


def _bury(delivery: Delivery, answer: str) -> None:
    _end(delivery, DeliveryState.DEAD, answer)
    journal.record_delivery(EventKind.DELIVERY_DEAD, delivery, actor=None)


def _end(delivery: Delivery, state: DeliveryState, answer: str) -> None:
    delivery.state, delivery.answer = state, answer[:500]
    delivery.lease_token = delivery.lease_expires_at = None
    if state != DeliveryState.FAILED:
        delivery.next_attempt_at = None
    delivery.save()
