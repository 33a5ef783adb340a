"""Fetching what is due: one node at a time, one study after the other, until its peer does not answer."""

import logging
from random import Random
from typing import Final
from uuid import UUID

from django.db import transaction

from plaqueview.core import clock
from plaqueview.core.errors import UnavailableError
from plaqueview.core.leases import Claim, ClaimLostError
from plaqueview.core.queue import enqueue
from plaqueview.core.storage import incoming_folder
from plaqueview.inbox import endings, journal, leases, priors
from plaqueview.inbox.basket import FetchBasket
from plaqueview.inbox.models import Fetch
from plaqueview.inbox.requests import FETCH_TASK
from plaqueview.pacs import peers
from plaqueview.pacs.peer import PartlySentError, PeerError, PeerProblem
from plaqueview.pacs.remote_studies import RemoteStudy, StudyQuery
from plaqueview.studies import services as studies
from plaqueview.studies.services import Arrival, Source

logger = logging.getLogger(__name__)

# Others wait for the same worker.
AT_ONCE: Final = 5


class NoSuchStudyError(ValueError):
    """The node has no study of this UID."""


def fetch_from_node(*, node_id: UUID, random: Random) -> int:
    """What was due from the node was fetched, as far as its peer answered; returns how many were tried.

    It is first asked for priors of new studies, which are then due themselves.
    """
    priors.search_due(node_id=node_id, random=random)
    for tried in range(AT_ONCE):
        claim = leases.claim_next(node_id=node_id)
        if claim is None:
            return tried
        if not _fetch(claim, random):
            return tried + 1
    enqueue(FETCH_TASK, str(node_id))
    return AT_ONCE


def wake_nodes() -> int:
    """Workers are told of each node from which something is due; a message too many finds nothing to do."""
    due = Fetch.objects.due(clock.now()).order_by().values_list("node_id", flat=True).distinct()
    nodes = {*due, *priors.due_searches().order_by().values_list("node_id", flat=True)}
    for node_id in nodes:
        enqueue(FETCH_TASK, str(node_id))
    return len(nodes)


def _fetch(claim: Claim, random: Random) -> bool:
    """The attempt has ended in one of its named ways; False when the peer will not answer the next one either."""
    try:
        how = _retrieved(claim)
        endings.succeed(claim, how=how)
    except ClaimLostError as lost:
        logger.info("%s", lost)
    except NoSuchStudyError as error:
        endings.give_up(claim, answer=str(error))
    except UnavailableError as error:
        logger.warning("fetch %s: no room on the disk", claim.row_id)
        endings.fail(claim, error=PeerError(PeerProblem.NOT_SENT, error.detail), random=random)
        return False
    except PartlySentError as error:
        logger.warning("fetch %s: %s", claim.row_id, error.problem)
        endings.end_partly(claim, error=error, random=random)
    except PeerError as error:
        logger.warning("fetch %s: %s", claim.row_id, error.problem)
        endings.fail(claim, error=error, random=random)
        return not error.is_about_peer
    return True


def _retrieved(claim: Claim) -> str:
    """Every instance has its outcome and the studies are settled soon; how they came, in words."""
    fetch = Fetch.objects.with_references().get(pk=claim.row_id)
    _describe(claim, _at_node(fetch))
    # It was asked for before the node's studies came without their patient.
    node_id = fetch.node.pk if fetch.node.deidentifies else None
    arrival = Arrival(
        fetch.node.site, Source.FETCH, fetch.requested_by, fetch.study_instance_uid, deidentified_node_id=node_id
    )
    with incoming_folder() as folder:
        basket = FetchBasket(claim, arrival, folder)
        try:
            how = peers.retrieve(fetch.node, fetch.study_instance_uid, basket)
        except PeerError:
            basket.keep()  # what came before is whole
            raise
        else:
            basket.keep()
            return how
        finally:
            studies.settle_soon(basket.study_ids)


def _at_node(fetch: Fetch) -> RemoteStudy:
    """Raises: NoSuchStudyError, PeerError."""
    found = peers.find(fetch.node, StudyQuery(study_instance_uid=fetch.study_instance_uid), 1)
    same = [one for one in found.studies if one.study_instance_uid == fetch.study_instance_uid]
    if not same:
        raise NoSuchStudyError(f"{fetch.node.address}: the node has no such study")
    return same[0]


@transaction.atomic
def _describe(claim: Claim, study: RemoteStudy) -> None:
    fetch = leases.held_fetch(claim)
    fetch.study_date, fetch.study_description = study.study_date, study.study_description[:256]
    fetch.expected_count = study.instance_count
    fetch.save()
    journal.publish(fetch)
