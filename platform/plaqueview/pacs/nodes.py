"""Every write of remote nodes: who administers them, what is refused, and what the audit keeps."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.destinations import is_host, objection_to_literal
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.sealing import SealBrokenError
from plaqueview.pacs import peers
from plaqueview.pacs.models import HEAD_WORDS, NodeKind, RemoteNode, SentDocument, usual_documents
from plaqueview.pacs.peer import PeerError
from plaqueview.pacs.sealing import NODE_SEAL
from plaqueview.pacs.tls import context_of
from plaqueview.studies.reading import site_of

# Source: PS3.5 Table 6.2-1, AE; a backslash parts values.
AE_TITLE: Final = re.compile(r"(?! )[ -\[\]-~]{1,16}(?<! )")
SCHEMES: Final = {"http", "https"}
OF_DIMSE: Final = ("ae_title", "host", "port")


@dataclass(frozen=True)
class NodeSetup:
    """How a node is reached and what it is sent. A secret that is None stays as it is, an empty one is forgotten."""

    name: str
    kind: str
    ae_title: str = ""
    host: str = ""
    port: int | None = None
    url: str = ""
    calling_ae_title: str = ""
    uses_tls: bool = False
    ca_certificates: str = ""
    client_certificate: str = ""
    client_key: str | None = None
    username: str = ""
    password: str | None = None
    token: str | None = None
    documents: tuple[str, ...] = tuple(usual_documents())
    sends_approved: bool = False
    prior_count: int = 0
    prior_years: int = 0
    prior_words: str = HEAD_WORDS
    asks_commitment: bool = False
    deidentifies: bool = False
    sender: str = ""
    is_active: bool = True


SECRETS: Final = ("client_key", "password", "token")
ADDRESS: Final = ("kind", "host", "port", "url")
KEPT_AS_THEY_ARE: Final = {one.name for one in fields(NodeSetup)} - {*SECRETS, "sends_approved", "documents", "sender"}


def read_nodes(*, actor: User) -> QuerySet[RemoteNode]:
    """The nodes of the actor's sites, by name.

    Raises: DeniedError.
    """
    require(actor, Action.NODE_READ)
    return RemoteNode.objects.visible_to(actor).select_related("sender")


def read_node(*, node_id: UUID, actor: User) -> RemoteNode:
    """Raises: DeniedError, NotFoundError."""
    node = read_nodes(actor=actor).filter(pk=node_id).first()
    if node is None:
        raise NotFoundError("no such node, or none that you may see")
    return node


@transaction.atomic
def create_node(*, setup: NodeSetup, site_id: str, actor: User) -> RemoteNode:
    """The site has the node.

    Raises: DeniedError; InvalidError, by field, when it could not be reached as it stands; ConflictError for a name
    that is taken.
    """
    require(actor, Action.NODE_MANAGE)
    node = RemoteNode(site=site_of(actor=actor, site_id=site_id))
    _apply(node, setup)
    _save(node, EventKind.NODE_CREATED, actor)
    return node


@transaction.atomic
def change_node(*, node_id: UUID, changes: Mapping[str, Any], actor: User) -> RemoteNode:  # Any: by field of NodeSetup
    """The node is as before but for the changes; one at another address has forgotten its secrets, unless sent anew.

    Raises: DeniedError, NotFoundError, InvalidError, ConflictError as for `create_node`.
    """
    node = _locked(node_id, actor)
    before = setup_of(node)
    after = replace(before, **changes)
    if any(getattr(before, name) != getattr(after, name) for name in ADDRESS):
        after = replace(
            after, client_key=after.client_key or "", password=after.password or "", token=after.token or ""
        )
    _apply(node, after)
    _save(node, EventKind.NODE_CHANGED, actor)
    return node


@transaction.atomic
def remove_node(*, node_id: UUID, actor: User) -> None:
    """The node is gone; one to which something was sent stays, for the record.

    Raises: DeniedError, NotFoundError, ConflictError.
    """
    node = _locked(node_id, actor)
    _record(EventKind.NODE_REMOVED, node, actor)
    try:
        node.delete()
    except ProtectedError:
        raise ConflictError("there are transfers to this node, which stay on record; deactivate it instead") from None


def echo_node(*, node_id: UUID, actor: User) -> RemoteNode:
    """The peer was asked whether it answers, and the node keeps what it said.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.NODE_MANAGE)
    node = read_node(node_id=node_id, actor=actor)
    try:
        node.echo_problem, node.echo_answer = "", peers.echo(node)
    except PeerError as error:
        node.echo_problem, node.echo_answer = error.problem.value, error.answer
    node.echoed_at, node.echo_answer = timezone.now(), node.echo_answer[:500]
    with transaction.atomic():
        node.save(update_fields=["echo_problem", "echo_answer", "echoed_at"])
        _record(EventKind.NODE_ECHOED, node, actor, problem=node.echo_problem)
    return node


def setup_of(node: RemoteNode) -> NodeSetup:
    """The node's setup, without its secrets."""
    return NodeSetup(
        **{name: getattr(node, name) for name in KEPT_AS_THEY_ARE},
        documents=tuple(node.documents),
        sends_approved=node.sends_approved_since is not None,
        sender=node.sender.username if node.sender else "",
    )


def _apply(node: RemoteNode, setup: NodeSetup) -> None:
    _require_address(setup)
    _require_documents(setup)
    _require_arrivals(setup)
    node.sender = _sender(node, setup.sender)
    for name in KEPT_AS_THEY_ARE:
        setattr(node, name, getattr(setup, name))
    for name in SECRETS:
        if (secret := getattr(setup, name)) is not None:
            setattr(node, f"{name}_sealed", NODE_SEAL.close(secret))
    node.documents = [kind for kind in SentDocument.values if kind in setup.documents]
    if not setup.sends_approved:
        node.sends_approved_since = None
    elif node.sends_approved_since is None:
        node.sends_approved_since = timezone.now()
    if not setup.prior_count:
        node.fetches_priors_since = None
    elif node.fetches_priors_since is None:
        node.fetches_priors_since = timezone.now()
    _require_credentials(node)
    _require_tls(node)


def _require_address(setup: NodeSetup) -> None:
    """An address of the node's own kind, and none of the other's."""
    given = asdict(setup)
    wrong: dict[str, str] = {}
    if setup.kind == NodeKind.DIMSE:
        wrong |= {name: "needed for a DIMSE node" for name in OF_DIMSE if not given[name]}
        wrong |= {name: "not for a DIMSE node" for name in ("url", "username", "token", "password") if given[name]}
        if setup.host and not is_host(setup.host):
            wrong["host"] = "needs a host name or an IP address, with no scheme, port or path"
        elif objection := objection_to_literal(setup.host):
            wrong["host"] = objection
    else:
        wrong |= {name: "not for a DICOMweb node" for name in (*OF_DIMSE, "calling_ae_title") if given[name]}
        if setup.asks_commitment:
            wrong["asks_commitment"] = "DICOMweb knows no storage commitment"
        if problem := _problem_of_url(setup.url):
            wrong["url"] = problem
    for name in ("ae_title", "calling_ae_title"):
        if given[name] and not AE_TITLE.fullmatch(given[name]):
            wrong[name] = "needs 1 to 16 characters without backslash, and no space at either end"
    if wrong:
        raise InvalidError(f"the node cannot be reached as it stands: {_listed(wrong)}", fields=wrong)


def _problem_of_url(url: str) -> str:
    """Why the URL is no DICOMweb root, or nothing."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return "is no URL"
    if parts.scheme not in SCHEMES or not parts.hostname or not is_host(parts.hostname) or not has_port:
        return "needs http:// or https:// and a host"
    if "@" in parts.netloc:
        return "needs its credentials in username and password, not in the address"
    if objection := objection_to_literal(parts.hostname):
        return objection
    return "needs no ? and no #" if parts.query or parts.fragment or "?" in url or "#" in url else ""


def _require_documents(setup: NodeSetup) -> None:
    if not setup.documents or set(setup.documents) - set(SentDocument.values):
        detail = f"needs one or more of {', '.join(SentDocument.values)}"
        raise InvalidError(f"documents {detail}", fields={"documents": detail})


def _require_arrivals(setup: NodeSetup) -> None:
    """A node whose studies come without their patient is known when it sends, and asked for nobody by name."""
    wrong: dict[str, str] = {}
    if setup.kind == NodeKind.DIMSE and setup.sender:
        wrong["sender"] = "not for a DIMSE node, which is known by its AE title"
    if setup.kind == NodeKind.DICOMWEB and setup.deidentifies and not setup.sender:
        wrong["sender"] = "needed: the account by which the node stores here"
    if setup.deidentifies and setup.prior_count:
        wrong["prior_count"] = "needs 0 where studies arrive without their patient, of whom nobody then knows priors"
    if wrong:
        raise InvalidError(f"what the node sends cannot be told: {_listed(wrong)}", fields=wrong)


def _sender(node: RemoteNode, username: str) -> User | None:
    if not username:
        return None
    found = User.objects.filter(username=username, is_active=True, sites=node.site_id).first()
    if found is None or Action.DICOMWEB_STORE not in found.actions:
        detail = "needs the name of an account of the node's site that may store"
        raise InvalidError("the node cannot store by this account", fields={"sender": detail})
    return found


def _require_credentials(node: RemoteNode) -> None:
    if node.username and node.token_sealed:
        raise InvalidError("one way to sign in, not two", fields={"token": "not beside a username"})
    if node.password_sealed and not node.username:
        raise InvalidError("a password is somebody's", fields={"username": "needed with a password"})


def _require_tls(node: RemoteNode) -> None:
    """The certificates can be read, and the key is that of the certificate."""
    if not (node.uses_tls or node.url.startswith("https:")):
        return
    try:
        context_of(node)
    except (ssl.SSLError, ValueError) as error:
        words = str(error) if isinstance(error, SealBrokenError) else "needs PEM; the key without a password"
        raise InvalidError(f"TLS cannot be set up: {words}", fields={"client_certificate": words}) from error


def _listed(wrong: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {words}" for name, words in sorted(wrong.items()))


def _save(node: RemoteNode, event: EventKind, actor: User) -> None:
    taken = RemoteNode.objects.filter(site=node.site_id, name=node.name).exclude(pk=node.pk)
    if taken.select_for_update().exists():
        raise ConflictError("the site has a node of this name")
    node.save()
    _record(event, node, actor)


def _locked(node_id: UUID, actor: User) -> RemoteNode:
    require(actor, Action.NODE_MANAGE)
    node = RemoteNode.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=node_id).first()
    if node is None:
        raise NotFoundError("no such node, or none that you may see")
    return node


def _record(event: EventKind, node: RemoteNode, actor: User, **details: str) -> None:
    audit.record(
        event,
        actor=actor,
        object_type="node",
        object_id=node.pk,
        site_id=node.site_id,
        details={
            "kind": node.kind,
            "address": node.address,
            "is_active": node.is_active,
            "sends_approved": node.sends_approved_since is not None,
            "prior_count": node.prior_count,
            "deidentifies": node.deidentifies,
            **details,
        },
    )
