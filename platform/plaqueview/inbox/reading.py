"""The reads of fetches that the audit keeps."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.inbox.models import Fetch


@transaction.atomic
def read_fetches(*, actor: User) -> QuerySet[Fetch]:
    """The fetches that the actor may see, newest first; the reading is on record.

    Raises: DeniedError.
    """
    require(actor, Action.FETCH_READ)
    audit.record_once(EventKind.FETCH_READ, actor=actor, object_type="fetches", object_id="", site_id=None)
    return _visible(actor)


@transaction.atomic
def read_fetch(*, fetch_id: UUID, actor: User) -> Fetch:
    """The fetch; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.FETCH_READ)
    fetch = _visible(actor).filter(pk=fetch_id).first()
    if fetch is None:
        raise NotFoundError("no such fetch, or none that you may see")
    audit.record_once(
        EventKind.FETCH_READ, actor=actor, object_type="fetch", object_id=fetch.pk, site_id=fetch.node.site_id
    )
    return fetch


def _visible(actor: User) -> QuerySet[Fetch]:
    return Fetch.objects.visible_to(actor).with_references().order_by("-created", "pk")
