"""Who may send to a receiver: one worker at a time, for as long as one message takes at most."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.core import clock
from plaqueview.core.leases import Claim, claim_longest_due, held
from plaqueview.webhooks.models import Delivery, DeliveryState, Webhook

# A message has a quarter of this to be answered, so the lease is never renewed.
LEASE: Final = timedelta(seconds=60)


@transaction.atomic
def claim_next(*, webhook_id: UUID) -> Claim | None:
    """The receiver's message that has been due longest is this worker's; None when there is none, or another sends."""
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id, is_active=True).first()
    now = clock.now()
    of_webhook = Delivery.objects.filter(webhook=webhook)
    if webhook is None or of_webhook.filter(state=DeliveryState.SENDING, lease_expires_at__gte=now).exists():
        return None
    due = of_webhook.due(now).filter(attempts__lt=settings.WEBHOOK_MAX_ATTEMPTS)
    return claim_longest_due(due, running=DeliveryState.SENDING, length=LEASE)


def held_delivery(claim: Claim) -> Delivery:
    """The message, locked, while the claim holds. Raises: ClaimLostError."""
    return held(Delivery.objects.with_references(), claim.row_id, claim.token, name="delivery")
