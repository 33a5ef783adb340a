"""Who may send to a node: one worker at a time, as long as it renews the lease of the transfer that it sends."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from plaqueview.core.leases import ClaimLostError, extend, held
from plaqueview.outbox import journal
from plaqueview.outbox.models import Transfer, TransferState
from plaqueview.pacs.models import RemoteNode


@dataclass(frozen=True)
class Claim:
    """The right to send a transfer; `token` is a secret between the worker and the database."""

    transfer_id: UUID
    token: UUID


def lease() -> timedelta:
    return timedelta(seconds=settings.TRANSFER_LEASE_S)


@transaction.atomic
def claim_next(*, node_id: UUID) -> Claim | None:
    """The node's transfer that has been due longest is this worker's; None when there is none, or another sends.

    A peer takes one association at a time from us, and one that hangs holds up no more than one worker.
    """
    node = RemoteNode.objects.select_for_update().filter(pk=node_id, is_active=True).first()
    now, token = timezone.now(), uuid4()
    of_node = Transfer.objects.filter(node=node)
    if node is None or of_node.filter(state=TransferState.SENDING, lease_expires_at__gte=now).exists():
        return None
    due = of_node.due(now).filter(attempts__lt=settings.TRANSFER_MAX_ATTEMPTS)
    transfer_id = due.order_by("next_attempt_at", "created").values_list("pk", flat=True).first()
    if transfer_id is None:
        return None
    of_node.filter(pk=transfer_id).update(
        state=TransferState.SENDING,
        attempts=F("attempts") + 1,
        lease_token=token,
        lease_expires_at=now + lease(),
        modified=now,
    )
    journal.publish(Transfer.objects.with_references().get(pk=transfer_id))
    return Claim(transfer_id, token)


def renew(claim: Claim) -> None:
    """The lease runs anew. Raises: ClaimLostError."""
    if not extend(Transfer.objects.filter(pk=claim.transfer_id), claim.token, lease()):
        raise ClaimLostError(f"transfer {claim.transfer_id} is no longer this worker's")


def held_transfer(claim: Claim) -> Transfer:
    """The transfer, locked, while the claim holds. Raises: ClaimLostError."""
    return held(Transfer.objects.with_references(), claim.transfer_id, claim.token, name="transfer")
