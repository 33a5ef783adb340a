"""From whom something comes: the node whose studies are kept without their patient, if it is one of those.

A caller is told by its title and an account by itself, as they are let in; where one of several nodes that bear a title
has the rule, it holds for all of them, and it holds for a node that is not active too.
"""

from uuid import UUID

from plaqueview.accounts.models import Site, User
from plaqueview.pacs.models import NodeKind, RemoteNode


def deidentified_caller(site: Site, ae_title: str) -> UUID | None:
    """The node of the site that calls itself so, if nothing of a patient is kept of what it sends."""
    return _first(site, kind=NodeKind.DIMSE, ae_title=ae_title)


def deidentified_account(site: Site, user: User) -> UUID | None:
    """The node of the site that stores by this account, likewise."""
    return _first(site, kind=NodeKind.DICOMWEB, sender=user)


def _first(site: Site, **named: object) -> UUID | None:
    found = RemoteNode.objects.filter(site=site, deidentifies=True, **named)
    return found.order_by("pk").values_list("pk", flat=True).first()
