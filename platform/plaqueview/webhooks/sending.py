"""Sending what is due: one receiver at a time, one message after the other, until it does not answer."""

import logging
from random import Random
from typing import Final
from uuid import UUID

from plaqueview.core import clock
from plaqueview.core.leases import Claim, ClaimLostError
from plaqueview.core.queue import enqueue
from plaqueview.webhooks import endings, leases
from plaqueview.webhooks.models import Delivery
from plaqueview.webhooks.posting import NotDeliveredError, post
from plaqueview.webhooks.requests import DELIVER_TASK

logger = logging.getLogger(__name__)

# Others wait for the same worker.
AT_ONCE: Final = 20


def deliver(*, webhook_id: UUID, random: Random) -> int:
    """What was due for the receiver is sent, as far as it answered; returns how many were tried."""
    for tried in range(AT_ONCE):
        claim = leases.claim_next(webhook_id=webhook_id)
        if claim is None:
            return tried
        if not _deliver(claim, random):
            return tried + 1
    enqueue(DELIVER_TASK, str(webhook_id))
    return AT_ONCE


def wake_receivers() -> int:
    """Workers are told of each receiver for which something is due; a message too many finds nothing to do."""
    due = Delivery.objects.due(clock.now()).order_by().values_list("webhook_id", flat=True).distinct()
    webhooks = list(due)
    for webhook_id in webhooks:
        enqueue(DELIVER_TASK, str(webhook_id))
    return len(webhooks)


def _deliver(claim: Claim, random: Random) -> bool:
    """The attempt has ended in one of its named ways; False when the receiver will not answer the next one either."""
    delivery = Delivery.objects.with_references().get(pk=claim.row_id)
    try:
        endings.succeed(claim, answer=post(delivery))
    except ClaimLostError as lost:
        logger.warning("%s", lost)
        return False
    except NotDeliveredError as error:
        logger.warning("delivery %s: attempt %s was not taken", delivery.pk, delivery.attempts)
        endings.fail(claim, error=error, random=random)
        return not error.is_about_receiver
    return True
