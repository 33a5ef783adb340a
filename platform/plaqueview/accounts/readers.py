"""Readers: the people who may mark plaques."""

from uuid import UUID

from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, require
from plaqueview.core.errors import InvalidError

READING_ROLES = [role for role, actions in ACTIONS_OF_ROLE.items() if Action.ANNOTATION_EDIT in actions]


def read_readers(*, actor: User) -> QuerySet[User]:
    """The readers of the actor's sites, by username.

    Raises: DeniedError.
    """
    require(actor, Action.STUDY_READ)
    return _readers().filter(pk__in=actor.colleague_ids()).order_by("username")


def reader_of_site(username: str, *, site_id: UUID, field: str) -> User:
    """The reader whose studies the site's are; `field` is where the caller named them.

    Raises: InvalidError when there is none of this name.
    """
    reader = readers_of_site(site_id).filter(username=username).first()
    if reader is None:
        found = "this is no reader of the study's site; GET /api/v1/readers lists them"
        raise InvalidError("the reader cannot read this study", fields={field: found})
    return reader


def readers_of_site(site_id: UUID) -> QuerySet[User]:
    """Who may read the site's studies now."""
    return _readers().filter(sites=site_id)


def _readers() -> QuerySet[User]:
    return User.objects.filter(is_active=True, role__in=READING_ROLES)
