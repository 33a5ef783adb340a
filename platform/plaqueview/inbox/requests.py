"""What a user asks of the inbox: a study of a node, once at a time; to stop fetching it, or to try again."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.queue import enqueue
from plaqueview.inbox import journal
from plaqueview.inbox.models import OPEN, Fetch, FetchState
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.remote_studies import UID

FETCH_TASK: Final = "inbox.fetch_from_node"


@dataclass(frozen=True)
class Requested:
    """`is_new` is False when the study is on its way already."""

    fetch: Fetch
    is_new: bool


@transaction.atomic
def request(*, node_id: UUID, study_instance_uid: str, actor: User) -> Requested:
    """The node's study is on its way here; asked for again meanwhile, it is the same fetch.

    Raises: DeniedError, NotFoundError; InvalidError for what is no UID; ConflictError when the node is not in use.
    """
    require(actor, Action.FETCH_REQUEST)
    node = RemoteNode.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=node_id).first()
    if node is None:
        raise NotFoundError("no such node, or none that you may see")
    if not UID.fullmatch(study_instance_uid):
        detail = "needs digits and full stops, 64 at most"
        raise InvalidError("study_instance_uid is no UID", fields={"study_instance_uid": detail})
    _require_fetchable(node)
    return requested(Fetch(node=node, study_instance_uid=study_instance_uid, requested_by=actor))


def requested(fetch: Fetch) -> Requested:
    """The fetch, or the open one of the same study, in the caller's transaction, which has locked the node."""
    same = Fetch.objects.with_references().filter(node=fetch.node, study_instance_uid=fetch.study_instance_uid)
    known = same.filter(state__in=OPEN).first()
    if known is not None:
        return Requested(known, is_new=False)
    _queue(fetch)
    journal.record(EventKind.FETCH_REQUESTED, fetch, actor=fetch.requested_by)
    return Requested(fetch, is_new=True)


@transaction.atomic
def cancel(*, fetch_id: UUID, actor: User) -> Fetch:
    """The fetch stops at its next instance; what has come is kept. One that is over stays as it is.

    Raises: DeniedError, NotFoundError.
    """
    fetch = _locked(fetch_id, actor)
    if fetch.state in OPEN:
        fetch.state, fetch.ended_at, fetch.next_attempt_at = FetchState.CANCELLED, clock.now(), None
        fetch.lease_token = fetch.lease_expires_at = None
        fetch.answer = f"stopped after {fetch.received_count} instances, which are kept or accounted for"
        fetch.save()
        journal.record(EventKind.FETCH_CANCELLED, fetch, actor=actor)
        journal.publish(fetch)
    return fetch


@transaction.atomic
def retry(*, fetch_id: UUID, actor: User) -> Fetch:
    """The study is fetched once more, with all its attempts before it; one that is being fetched goes on.

    Raises: DeniedError, NotFoundError; ConflictError when the node is not in use, or the study on its way by another.
    """
    fetch = _locked(fetch_id, actor)
    _require_fetchable(fetch.node)
    others = Fetch.objects.filter(node=fetch.node, study_instance_uid=fetch.study_instance_uid, state__in=OPEN)
    if others.exclude(pk=fetch.pk).exists():
        raise ConflictError("the study is on its way already, by another fetch")
    if fetch.state != FetchState.FETCHING:
        fetch.attempts = 0
        _queue(fetch)
        journal.record(EventKind.FETCH_RETRIED, fetch, actor=actor)
    return fetch


def _queue(fetch: Fetch) -> None:
    """The fetch is due now, and a worker is told after the commit."""
    fetch.state, fetch.next_attempt_at, fetch.ended_at = FetchState.QUEUED, clock.now(), None
    fetch.save()
    journal.publish(fetch)
    enqueue(FETCH_TASK, str(fetch.node_id))


def _locked(fetch_id: UUID, actor: User) -> Fetch:
    require(actor, Action.FETCH_REQUEST)
    found = Fetch.objects.visible_to(actor).with_references().select_for_update(of=("self",))
    fetch = found.filter(pk=fetch_id).first()
    if fetch is None:
        raise NotFoundError("no such fetch, or none that you may see")
    return fetch


def _require_fetchable(node: RemoteNode) -> None:
    if not node.is_active:
        raise ConflictError("the node is not in use; an administrator can activate it")
    if node.deidentifies:
        raise ConflictError(
            "the node's studies are de-identified on arrival and only sent here: a fetch would name one"
        )
