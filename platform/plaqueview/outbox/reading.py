"""The reads of transfers that the audit keeps."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.outbox.models import Transfer


@transaction.atomic
def read_transfers(*, actor: User) -> QuerySet[Transfer]:
    """The transfers that the actor may see, newest first; the reading is on record.

    Raises: DeniedError.
    """
    require(actor, Action.TRANSFER_READ)
    audit.record_once(EventKind.TRANSFER_READ, actor=actor, object_type="transfers", object_id="", site_id=None)
    return _visible(actor)


@transaction.atomic
def read_transfer(*, transfer_id: UUID, actor: User) -> Transfer:
    """The transfer; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.TRANSFER_READ)
    transfer = _visible(actor).filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFoundError("no such transfer, or none that you may see")
    audit.record_once(
        EventKind.TRANSFER_READ,
        actor=actor,
        object_type="transfer",
        object_id=transfer.pk,
        site_id=transfer.annotation.study.site_id,
    )
    return transfer


def _visible(actor: User) -> QuerySet[Transfer]:
    return Transfer.objects.visible_to(actor).with_references().order_by("-created", "pk")
