"""What a user, or a node's rule, asks of the outbox: a transfer, once for each version and node."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, AnnotationState, ReviewStep, Step
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.queue import enqueue
from plaqueview.outbox import journal
from plaqueview.outbox.models import Transfer, TransferState
from plaqueview.pacs.models import RemoteNode

SEND_TASK: Final = "outbox.send_to_node"

# An approval is visible once its transaction has committed, some time after the moment that it bears.
LONGEST_APPROVAL: Final = timedelta(minutes=10)
AT_ONCE: Final = 100


@dataclass(frozen=True)
class Requested:
    """`is_new` is False when the same transfer had been asked for before."""

    transfer: Transfer
    is_new: bool


@transaction.atomic
def request(*, annotation_id: UUID, node_id: UUID, actor: User) -> Requested:
    """The approved version is on its way to the node, or there; asked again, it is the same transfer.

    Raises: DeniedError; NotFoundError; ConflictError when the version is not approved, or the node is another site's
    or not in use.
    """
    require(actor, Action.TRANSFER_SEND)
    annotation = Annotation.objects.visible_to(actor).select_related("study").filter(pk=annotation_id).first()
    if annotation is None:
        raise NotFoundError("no such annotation, or none that you may see")
    node = RemoteNode.objects.visible_to(actor).filter(pk=node_id).first()
    if node is None:
        raise NotFoundError("no such node, or none that you may see")
    if node.site_id != annotation.study.site_id:
        raise ConflictError("the node belongs to another site than the study")
    _require_active(node)
    return _requested(annotation, node, approved_at=_approved_at(annotation), actor=actor)


@transaction.atomic
def resend(*, transfer_id: UUID, actor: User) -> Transfer:
    """The same objects are sent once more, whatever became of them before; one that is being sent goes on.

    Raises: DeniedError; NotFoundError; ConflictError when the node is not in use.
    """
    require(actor, Action.TRANSFER_SEND)
    found = Transfer.objects.visible_to(actor).with_references().select_for_update(of=("self",))
    transfer = found.filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFoundError("no such transfer, or none that you may see")
    _require_active(transfer.node)
    if transfer.state != TransferState.SENDING:
        transfer.attempts = 0
        _queue(transfer)
        journal.record(EventKind.TRANSFER_RESENT, transfer, actor=actor)
    return transfer


def request_by_rule() -> int:
    """Each version that was approved since a node's rule was made has a transfer to it; returns how many are new."""
    nodes = RemoteNode.objects.filter(is_active=True, sends_approved_since__isnull=False)
    return sum(_request_for(node) for node in nodes)


@transaction.atomic
def _request_for(node: RemoteNode) -> int:
    steps = list(approvals_for(node)[:AT_ONCE])
    made = [_requested(step.annotation, node, approved_at=step.created, actor=None) for step in steps]
    return sum(one.is_new for one in made)


def approvals_for(node: RemoteNode) -> QuerySet[ReviewStep]:
    """Approvals at the node's site of which it has no transfer, the oldest first; those long dealt with are not read.

    The newest approval that the rule has dealt with says how far it has come.
    """
    reached = Transfer.objects.filter(node=node, requested_by=None).aggregate(last=Max("approved_at"))["last"]
    begin = node.sends_approved_since
    if begin is None:
        return ReviewStep.objects.none()
    if reached is not None:
        begin = max(begin, reached - LONGEST_APPROVAL)
    known = Transfer.objects.filter(node=node, annotation=OuterRef("annotation"))
    return (
        ReviewStep.objects.filter(~Exists(known), step=Step.APPROVED, created__gte=begin)
        .filter(annotation__study__site=node.site_id, annotation__state=AnnotationState.APPROVED)
        .select_related("annotation__study")
        .order_by("created")
    )


def _requested(annotation: Annotation, node: RemoteNode, *, approved_at: datetime, actor: User | None) -> Requested:
    transfer, is_new = Transfer.objects.with_references().get_or_create(
        annotation=annotation,
        node=node,
        defaults={
            "documents": node.documents,
            "approved_at": approved_at,
            "requested_by": actor,
            "next_attempt_at": clock.now(),
        },
    )
    if is_new:
        _queue(transfer)
        journal.record(EventKind.TRANSFER_REQUESTED, transfer, actor=actor)
    return Requested(transfer, is_new)


def _queue(transfer: Transfer) -> None:
    """The transfer is due now, and a worker is told after the commit."""
    transfer.state, transfer.next_attempt_at = TransferState.QUEUED, clock.now()
    transfer.save()
    journal.publish(transfer)
    enqueue(SEND_TASK, str(transfer.node_id))


def _approved_at(annotation: Annotation) -> datetime:
    if annotation.state != AnnotationState.APPROVED:
        raise ConflictError(f"the version is {annotation.state}; only one that is approved is sent")
    approval = annotation.review.filter(step=Step.APPROVED).first()
    if approval is None:
        raise ConflictError("the version was imported with its labels; only one that a reader here approved is sent")
    return approval.created


def _require_active(node: RemoteNode) -> None:
    if not node.is_active:
        raise ConflictError("the node is not in use; an administrator can activate it")
