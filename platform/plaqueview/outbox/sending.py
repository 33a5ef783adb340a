"""Sending what is due: one node at a time, one transfer after the other, until its peer does not answer."""

import logging
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

from plaqueview.core import clock
from plaqueview.core.errors import UnavailableError
from plaqueview.core.leases import Claim, ClaimLostError
from plaqueview.core.queue import enqueue
from plaqueview.outbox import endings, leases
from plaqueview.outbox.models import Transfer
from plaqueview.outbox.packages import PackageError, package_of
from plaqueview.outbox.requests import SEND_TASK
from plaqueview.pacs import commitments, peers
from plaqueview.pacs.peer import PeerError, PeerProblem

logger = logging.getLogger(__name__)

# Others wait for the same worker.
AT_ONCE: Final = 10


def send_to_node(*, node_id: UUID, random: Random) -> int:
    """What was due for the node is sent, as far as its peer answered; returns how many were tried."""
    for tried in range(AT_ONCE):
        claim = leases.claim_next(node_id=node_id)
        if claim is None:
            return tried
        if not _send(claim, random):
            return tried + 1
    enqueue(SEND_TASK, str(node_id))
    return AT_ONCE


def wake_nodes() -> int:
    """Workers are told of each node for which something is due; a message too many finds nothing to do."""
    due = Transfer.objects.due(clock.now()).order_by().values_list("node_id", flat=True).distinct()
    nodes = list(due)
    for node_id in nodes:
        enqueue(SEND_TASK, str(node_id))
    return len(nodes)


def _send(claim: Claim, random: Random) -> bool:
    """The attempt has ended in one of its named ways; False when the peer will not answer the next one either."""
    transfer = Transfer.objects.with_references().get(pk=claim.row_id)
    try:
        package = package_of(transfer)
        leases.renew(claim)
        answer = peers.store(transfer.node, package, partial(leases.renew, claim))
        if transfer.node.asks_commitment:
            leases.renew(claim)
            endings.await_commitment(claim, commitments.ask(node=transfer.node, instances=package), answer=answer)
        else:
            endings.succeed(claim, answer=answer)
    except ClaimLostError as lost:
        logger.warning("%s", lost)
        return False
    except PackageError as error:
        endings.give_up(claim, answer=str(error))
    except UnavailableError as error:
        logger.warning("transfer %s: attempt %s: the storage is away", transfer.pk, transfer.attempts)
        endings.fail(claim, error=PeerError(PeerProblem.NOT_STORED, error.detail), random=random)
        return False
    except PeerError as error:
        logger.warning("transfer %s: attempt %s: %s", transfer.pk, transfer.attempts, error.problem)
        endings.fail(claim, error=error, random=random)
        return not error.is_about_peer
    return True
