"""Who may fetch from a node: one worker at a time, as long as it renews the lease of the fetch that it carries out."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.core import clock
from plaqueview.core.leases import Claim, ClaimLostError, claim_longest_due, extend, held
from plaqueview.inbox import journal
from plaqueview.inbox.models import Fetch, FetchState
from plaqueview.pacs.models import RemoteNode


def lease() -> timedelta:
    return timedelta(seconds=settings.FETCH_LEASE_S)


@transaction.atomic
def claim_next(*, node_id: UUID) -> Claim | None:
    """The node's fetch that has been due longest is this worker's; None when there is none, or another fetches."""
    node = RemoteNode.objects.select_for_update().filter(pk=node_id, is_active=True).first()
    now = clock.now()
    of_node = Fetch.objects.filter(node=node)
    if node is None or of_node.filter(state=FetchState.FETCHING, lease_expires_at__gte=now).exists():
        return None
    due = of_node.due(now).filter(attempts__lt=settings.FETCH_MAX_ATTEMPTS)
    claim = claim_longest_due(
        due,
        running=FetchState.FETCHING,
        length=lease(),
        accepted_count=0,
        duplicate_count=0,
        conflict_count=0,
        rejected_count=0,
        remarks=[],
    )
    if claim is not None:
        journal.publish(Fetch.objects.with_references().get(pk=claim.row_id))
    return claim


def renew(claim: Claim) -> None:
    """The lease runs anew. Raises: ClaimLostError, also once the fetch was cancelled."""
    if not extend(Fetch.objects.filter(pk=claim.row_id), claim.token, lease()):
        raise ClaimLostError(f"fetch {claim.row_id} is no longer this worker's")


def held_fetch(claim: Claim) -> Fetch:
    """The fetch, locked, while the claim holds. Raises: ClaimLostError."""
    return held(Fetch.objects.with_references(), claim.row_id, claim.token, name="fetch")
