"""What every row that a worker claims has in common: a lease that it renews, and messages that may be lost.

docs/decisions/0004-jobs-by-lease.md says why. Each app claims, holds and ends its own rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from django.db import models
from django.db.models import F, Q

from plaqueview.core import clock
from plaqueview.core.errors import ConflictError

# A queued row whose message was lost (the broker was away at the commit) is announced again after this long, a few at
# a time and only while no worker is busy, so that a long queue does not fill the broker.
UNCLAIMED_AFTER: Final = timedelta(seconds=60)
UNCLAIMED_AT_ONCE: Final = 10

LONGEST_BACKOFF_S: Final = 3600.0

Row = TypeVar("Row", bound=models.Model)


class ClaimLostError(ConflictError):
    """The lease lapsed and the row is no longer this worker's: what it has is not written."""

    code = "claim_lost"


@dataclass(frozen=True)
class Claim:
    """The right to carry out what a row asks for; `token` is a secret between the worker and the database."""

    row_id: UUID
    token: UUID


def backoff_s(attempts: int, *, first_s: float, random: Random) -> float:
    """Twice as long after each attempt, up to an hour, and of that between half and all, by chance."""
    longest_s = min(first_s * 2.0 ** (attempts - 1), LONGEST_BACKOFF_S)
    return longest_s * random.uniform(0.5, 1.0)


def lapsed_at(now: datetime, state: str) -> Q:
    """With a worker that has not renewed its lease because it died; `state` is that of a row with a worker."""
    return Q(state=state, lease_expires_at__lt=now)


def lease_while(state: str, *, name: str) -> models.CheckConstraint:
    """The database holds that a row in this state has a lease, and no other row has one."""
    leased = Q(state=state, lease_token__isnull=False, lease_expires_at__isnull=False)
    free = ~Q(state=state) & Q(lease_token__isnull=True, lease_expires_at__isnull=True)
    return models.CheckConstraint(condition=leased | free, name=name)


def take(
    claimable: models.QuerySet[Any],  # Any: a row of any app
    *,
    now: datetime,
    running: str,
    length: timedelta,
    **fresh: object,
) -> UUID | None:
    """The secret of who has the one row now, in state `running` with the `fresh` fields; None when it is not free."""
    token = uuid4()
    lease = {"state": running, "lease_token": token, "lease_expires_at": now + length}
    taken = claimable.update(**lease, attempts=F("attempts") + 1, modified=now, **fresh)
    return token if taken else None


def claim_longest_due(
    due: models.QuerySet[Any],  # Any: as above
    *,
    running: str,
    length: timedelta,
    **fresh: object,
) -> Claim | None:
    """The row that has been due longest is this worker's, in state `running` with the `fresh` fields; None without one.

    Called in a transaction that keeps every other worker from claiming a row of the same peer.
    """
    row_id = due.order_by("next_attempt_at", "created").values_list("pk", flat=True).first()
    if row_id is None:
        return None
    token = take(due.filter(pk=row_id), now=clock.now(), running=running, length=length, **fresh)
    return Claim(row_id, token) if token else None


def extend(rows: models.QuerySet[Any], token: UUID, length: timedelta) -> bool:  # Any: as above
    """The lease of the row that the token holds runs anew; False when the token holds none of them."""
    return bool(rows.filter(lease_token=token).update(lease_expires_at=clock.now() + length))


def held(rows: models.QuerySet[Row], pk: UUID, token: UUID, *, name: str) -> Row:
    """The row, locked, while the claim holds; `name` is what users call such a row. Raises: ClaimLostError."""
    row = rows.select_for_update(of=("self",)).filter(pk=pk, lease_token=token).first()
    if row is None:
        raise ClaimLostError(f"{name} {pk} is no longer this worker's")
    return row


def put_off(waiting: models.QuerySet[Any], *, until: datetime) -> None:  # Any: as above
    """What waits for the same peer is not tried before then: it would only use up attempts of its own."""
    waiting.filter(next_attempt_at__lt=until).update(next_attempt_at=until)


def unclaimed(
    rows: models.QuerySet[Any],  # Any: as above
    *,
    queued: str,
    running: str,
) -> Sequence[UUID]:
    """The rows that nobody came for, the oldest first, to be announced again; they count as announced from now on.

    Called in a transaction; none while a worker is busy with one of the rows.
    """
    if rows.filter(state=running).exists():
        return ()
    now = clock.now()
    waiting = rows.filter(state=queued, modified__lt=now - UNCLAIMED_AFTER).order_by("created")
    ids = list(waiting.values_list("pk", flat=True)[:UNCLAIMED_AT_ONCE])
    rows.filter(pk__in=ids).update(modified=now)
    return ids
