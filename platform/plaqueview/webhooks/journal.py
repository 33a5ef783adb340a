"""What the audit keeps of webhooks: who was told where, and never a secret or an address's path."""

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.webhooks.models import Delivery, Webhook


def record_webhook(kind: EventKind, webhook: Webhook, *, actor: User) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="webhook",
        object_id=webhook.pk,
        site_id=webhook.site_id,
        details={
            "address": webhook.address,
            "events": ", ".join(webhook.events),
            "is_active": webhook.is_active,
        },
    )


def record_delivery(kind: EventKind, delivery: Delivery, *, actor: User | None) -> None:
    """None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="delivery",
        object_id=delivery.pk,
        site_id=delivery.webhook.site_id,
        details={
            "webhook": str(delivery.webhook_id),
            "address": delivery.webhook.address,
            "event": delivery.event,
            "attempts": delivery.attempts,
            "answer": delivery.answer,
        },
    )
