"""What an attempt leaves behind: sent, to be committed to, to be tried again, or dead; by the claim's holder."""

from datetime import timedelta
from random import Random
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.leases import Claim, backoff_s, put_off
from plaqueview.outbox import journal
from plaqueview.outbox.leases import held_transfer
from plaqueview.outbox.models import WAITING, Transfer, TransferState
from plaqueview.pacs.models import Commitment, CommitmentState
from plaqueview.pacs.peer import PeerError, PeerProblem

EVENT_OF_END: Final = {
    TransferState.SENT: EventKind.TRANSFER_SENT,
    TransferState.FAILED: EventKind.TRANSFER_FAILED,
    TransferState.DEAD: EventKind.TRANSFER_DEAD,
}


def delay_after(attempts: int, random: Random) -> timedelta:
    """How long the next attempt waits; by the rule of all that is tried again."""
    return timedelta(seconds=backoff_s(attempts, first_s=settings.TRANSFER_RETRY_S, random=random))


@transaction.atomic
def succeed(claim: Claim, *, answer: str) -> None:
    """The peer has every object. Raises: ClaimLostError."""
    transfer = held_transfer(claim)
    transfer.sent_at = clock.now()
    _end(transfer, TransferState.SENT, answer)


@transaction.atomic
def await_commitment(claim: Claim, commitment: Commitment, *, answer: str) -> None:
    """The peer has every object and is asked to keep it; the transfer ends when the peer says so, by `settle_asked`.

    Raises: ClaimLostError.
    """
    transfer = held_transfer(claim)
    transfer.commitment = commitment
    transfer.next_attempt_at = clock.now() + timedelta(seconds=settings.TRANSFER_COMMITMENT_S)
    _end(transfer, TransferState.COMMITTING, f"{answer}; it was asked to commit itself to keep them")


@transaction.atomic
def settle_asked(*, random: Random) -> int:
    """Transfers whose peer has committed itself are sent; those whose peer refused, or is silent for too long, are
    tried again like any that failed. Returns how many have ended.
    """
    locked = Transfer.objects.with_references().select_related("commitment").select_for_update(of=("self",))
    answered = ~Q(commitment__state=CommitmentState.ASKED) | Q(next_attempt_at__lte=clock.now())
    transfers = list(locked.filter(answered, state=TransferState.COMMITTING))
    for transfer in transfers:
        _settle_asked(transfer, random)
    return len(transfers)


def _settle_asked(transfer: Transfer, random: Random) -> None:
    asked = transfer.commitment
    if asked is not None and asked.state == CommitmentState.COMMITTED:
        transfer.sent_at = clock.now()
        _end(transfer, TransferState.SENT, asked.answer)
        return
    silence = f"the peer did not say within {settings.TRANSFER_COMMITMENT_S} s whether it keeps the objects"
    answer = asked.answer if asked is not None and asked.state == CommitmentState.REFUSED else silence
    error = PeerError(PeerProblem.NOT_COMMITTED, f"{transfer.node.address}: {answer}")
    _fail(transfer, error=error, random=random)


@transaction.atomic
def fail(claim: Claim, *, error: PeerError, random: Random) -> None:
    """The transfer is tried again later, or dead after the last attempt.

    What else waits for a peer that is away waits as long: it would only use up attempts of its own.

    Raises: ClaimLostError.
    """
    _fail(held_transfer(claim), error=error, random=random)


def _fail(transfer: Transfer, *, error: PeerError, random: Random) -> None:
    if transfer.attempts >= settings.TRANSFER_MAX_ATTEMPTS:
        _end(transfer, TransferState.DEAD, error.answer)
        return
    transfer.next_attempt_at = clock.now() + delay_after(transfer.attempts, random)
    _end(transfer, TransferState.FAILED, error.answer)
    if error.is_about_peer:
        put_off(Transfer.objects.filter(node=transfer.node_id, state__in=WAITING), until=transfer.next_attempt_at)


@transaction.atomic
def give_up(claim: Claim, *, answer: str) -> None:
    """The transfer is dead, for no later attempt would fare better. Raises: ClaimLostError."""
    _end(held_transfer(claim), TransferState.DEAD, answer)


@transaction.atomic
def bury_lapsed() -> int:
    """Transfers whose every attempt died with its worker are dead; returns how many."""
    locked = Transfer.objects.with_references().select_for_update(of=("self",))
    lapsed = locked.filter(Transfer.objects.lapsed_at(clock.now()), attempts__gte=settings.TRANSFER_MAX_ATTEMPTS)
    transfers = list(lapsed)
    for transfer in transfers:
        _end(transfer, TransferState.DEAD, f"no worker came to the end of it in {transfer.attempts} attempts")
    return len(transfers)


def _end(transfer: Transfer, state: TransferState, answer: str) -> None:
    transfer.state, transfer.answer = state, answer[:500]
    transfer.lease_token = transfer.lease_expires_at = None
    if state not in {TransferState.FAILED, TransferState.COMMITTING}:
        transfer.next_attempt_at = None
    transfer.save()
    if state in EVENT_OF_END:
        journal.record(EVENT_OF_END[state], transfer, actor=None)
    journal.publish(transfer)
