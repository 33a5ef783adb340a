"""What asks for a message: an event of the audit, or an administrator who tests a receiver or wants one once more."""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit.following import follow
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.queue import enqueue
from plaqueview.webhooks import journal
from plaqueview.webhooks.messages import TELLINGS, kinds_of, message_of, test_message
from plaqueview.webhooks.models import TEST_EVENT, Delivery, DeliveryState, Webhook
from plaqueview.webhooks.receivers import read_webhook

DELIVER_TASK: Final = "webhooks.deliver"
AT_ONCE: Final = 100


def request_by_event() -> int:
    """Each event since a receiver was last told has its message; returns how many are new."""
    webhooks = Webhook.objects.filter(is_active=True).values_list("pk", flat=True)
    return sum(_request_for(webhook_id) for webhook_id in webhooks)


@transaction.atomic
def _request_for(webhook_id: UUID) -> int:
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id, is_active=True).first()
    if webhook is None:
        return 0
    kinds = kinds_of(webhook.events)
    stretch = follow(after=webhook.reached, kinds=kinds, site_id=webhook.site_id, at_most=AT_ONCE)
    if stretch.reached == webhook.reached:
        return 0
    now = clock.now()
    Delivery.objects.bulk_create(
        Delivery(
            webhook=webhook,
            event=TELLINGS[EventKind(event.kind)].event,
            sequence=event.sequence,
            body=message_of(event),
            next_attempt_at=now,
        )
        for event in stretch.events
    )
    Webhook.objects.filter(pk=webhook_id).update(reached=stretch.reached)
    return len(stretch.events)


@transaction.atomic
def test_webhook(*, webhook_id: UUID, actor: User) -> Delivery:
    """A message of its own is on its way, for an administrator to see whether the receiver takes it.

    Raises: DeniedError, NotFoundError; ConflictError when the webhook is not in use.
    """
    webhook = read_webhook(webhook_id=webhook_id, actor=actor)
    _require_active(webhook)
    now = clock.now()
    delivery = Delivery(webhook=webhook, event=TEST_EVENT, body=test_message(webhook.pk, now))
    _queue(delivery)
    journal.record_delivery(EventKind.WEBHOOK_TESTED, delivery, actor=actor)
    return delivery


@transaction.atomic
def redeliver(*, delivery_id: UUID, actor: User) -> Delivery:
    """The same message, under the same id, is sent once more; one that is being sent goes on.

    Raises: DeniedError; NotFoundError; ConflictError when its webhook is not in use.
    """
    require(actor, Action.WEBHOOK_MANAGE)
    delivery = _found(_visible(actor).select_for_update(of=("self",)), delivery_id)
    _require_active(delivery.webhook)
    if delivery.state != DeliveryState.SENDING:
        delivery.attempts = 0
        _queue(delivery)
        journal.record_delivery(EventKind.DELIVERY_ASKED_AGAIN, delivery, actor=actor)
    return delivery


def read_deliveries(*, actor: User) -> QuerySet[Delivery]:
    """The messages to the actor's sites' receivers, newest first.

    Raises: DeniedError.
    """
    require(actor, Action.WEBHOOK_MANAGE)
    return _visible(actor)


def read_delivery(*, delivery_id: UUID, actor: User) -> Delivery:
    """Raises: DeniedError, NotFoundError."""
    return _found(read_deliveries(actor=actor), delivery_id)


def _visible(actor: User) -> QuerySet[Delivery]:
    return Delivery.objects.visible_to(actor).with_references().order_by("-created", "pk")


def _found(deliveries: QuerySet[Delivery], delivery_id: UUID) -> Delivery:
    delivery = deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFoundError("no such delivery, or none that you may see")
    return delivery


def _queue(delivery: Delivery) -> None:
    """The message is due now, and a worker is told after the commit."""
    delivery.state, delivery.next_attempt_at = DeliveryState.QUEUED, clock.now()
    delivery.save()
    enqueue(DELIVER_TASK, str(delivery.webhook_id))


def _require_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise ConflictError("the webhook is not in use; activate it first")
