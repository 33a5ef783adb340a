"""Who may send to a node: one worker at a time, as long as it renews the lease of the transfer that it sends."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.core import clock
from plaqueview.core.leases import Claim, ClaimLostError, claim_longest_due, extend, held
from plaqueview.outbox import journal
from plaqueview.outbox.models import Transfer, TransferState
from plaqueview.pacs.models import RemoteNode


def lease() -> timedelta:
    return timedelta(seconds=settings.TRANSFER_LEASE_S)


@transaction.atomic
def claim_next(*, node_id: UUID) -> Claim | None:
    """The node's transfer that has been due longest is this worker's; None when there is none, or another sends.

    A peer takes one association at a time from us, and one that hangs holds up no more than one worker.
    """
    node = RemoteNode.objects.select_for_update().filter(pk=node_id, is_active=True).first()
    now = clock.now()
    of_node = Transfer.objects.filter(node=node)
    if node is None or of_node.filter(state=TransferState.SENDING, lease_expires_at__gte=now).exists():
        return None
    due = of_node.due(now).filter(attempts__lt=settings.TRANSFER_MAX_ATTEMPTS)
    claim = claim_longest_due(due, running=TransferState.SENDING, length=lease())
    if claim is not None:
        journal.publish(Transfer.objects.with_references().get(pk=claim.row_id))
    return claim


def renew(claim: Claim) -> None:
    """The lease runs anew. Raises: ClaimLostError."""
    if not extend(Transfer.objects.filter(pk=claim.row_id), claim.token, lease()):
        raise ClaimLostError(f"transfer {claim.row_id} is no longer this worker's")


def held_transfer(claim: Claim) -> Transfer:
    """The transfer, locked, while the claim holds. Raises: ClaimLostError."""
    return held(Transfer.objects.with_references(), claim.row_id, claim.token, name="transfer")
