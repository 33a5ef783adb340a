"""What an attempt leaves behind: done, to be tried again, or dead; written by whoever holds the claim."""

from datetime import timedelta
from random import Random
from typing import Final

from django.conf import settings
from django.db import transaction

from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.leases import Claim, backoff_s, put_off
from plaqueview.inbox import journal
from plaqueview.inbox.leases import held_fetch
from plaqueview.inbox.models import MOST_REMARKS, NOT_SENT, WAITING, Fetch, FetchState
from plaqueview.pacs.peer import PartlySentError, PeerError

NOT_SENT_REASON: Final = "the peer did not send it"
EVENT_OF_END: Final = {
    FetchState.DONE: EventKind.FETCH_DONE,
    FetchState.FAILED: EventKind.FETCH_FAILED,
    FetchState.DEAD: EventKind.FETCH_DEAD,
}


@transaction.atomic
def succeed(claim: Claim, *, how: str) -> Fetch:
    """Every instance that the node sent is kept or accounted for. Raises: ClaimLostError."""
    fetch = held_fetch(claim)
    _end(fetch, FetchState.DONE, f"{_counts(fetch)}, {how}")
    return fetch


@transaction.atomic
def fail(claim: Claim, *, error: PeerError, random: Random) -> None:
    """The study is fetched again later, or not any more after the last attempt.

    What else waits for a peer that is away waits as long.

    Raises: ClaimLostError.
    """
    fetch = held_fetch(claim)
    if fetch.attempts >= settings.FETCH_MAX_ATTEMPTS:
        _end(fetch, FetchState.DEAD, error.answer)
        return
    wait_s = backoff_s(fetch.attempts, first_s=settings.FETCH_RETRY_S, random=random)
    fetch.next_attempt_at = clock.now() + timedelta(seconds=wait_s)
    _end(fetch, FetchState.FAILED, error.answer)
    if error.is_about_peer:
        put_off(Fetch.objects.filter(node=fetch.node_id, state__in=WAITING), until=fetch.next_attempt_at)


@transaction.atomic
def end_partly(claim: Claim, *, error: PartlySentError, random: Random) -> None:
    """Done, with what is missing by name, once a further attempt has brought nothing new; until then as `fail`.

    Raises: ClaimLostError.
    """
    fetch = held_fetch(claim)
    if fetch.attempts < 2 or fetch.accepted_count or not fetch.received_count:
        fail(claim, error=error, random=random)
        return
    missing = [{"sop_instance_uid": uid, "outcome": NOT_SENT, "reason": NOT_SENT_REASON} for uid in error.missing]
    fetch.remarks = [*missing, *fetch.remarks][:MOST_REMARKS]
    _end(fetch, FetchState.DONE, f"{_counts(fetch)}; {error.answer}")


@transaction.atomic
def give_up(claim: Claim, *, answer: str) -> None:
    """The fetch is dead, for no later attempt would fare better. Raises: ClaimLostError."""
    _end(held_fetch(claim), FetchState.DEAD, answer)


@transaction.atomic
def bury_lapsed() -> int:
    """Fetches whose every attempt died with its worker are dead; returns how many."""
    locked = Fetch.objects.with_references().select_for_update(of=("self",))
    lapsed = locked.filter(Fetch.objects.lapsed_at(clock.now()), attempts__gte=settings.FETCH_MAX_ATTEMPTS)
    fetches = list(lapsed)
    for fetch in fetches:
        _end(fetch, FetchState.DEAD, f"no worker came to the end of it in {fetch.attempts} attempts")
    return len(fetches)


def _end(fetch: Fetch, state: FetchState, answer: str) -> None:
    fetch.state, fetch.answer = state, answer[:500]
    fetch.lease_token = fetch.lease_expires_at = None
    if state != FetchState.FAILED:
        fetch.next_attempt_at, fetch.ended_at = None, clock.now()
    fetch.save()
    journal.record(EVENT_OF_END[state], fetch, actor=None)
    journal.publish(fetch)


def _counts(fetch: Fetch) -> str:
    """What came, in words, with the kinds that there were."""
    named = {
        "new": fetch.accepted_count,
        "here already": fetch.duplicate_count,
        "in conflict with what is here": fetch.conflict_count,
        "refused": fetch.rejected_count,
    }
    counts = ", ".join(f"{count} {words}" for words, count in named.items() if count)
    return f"{fetch.received_count} instances: {counts}" if counts else "no instance came"
