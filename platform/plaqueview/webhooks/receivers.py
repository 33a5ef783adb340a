"""Every write of webhooks: who administers them, what is refused, and a secret that is shown once."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit.following import last_sequence
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.destinations import is_host, objection_to_literal
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.pacs.tls import trusting
from plaqueview.studies.reading import site_of
from plaqueview.webhooks import journal, signing
from plaqueview.webhooks.models import Webhook, WebhookEvent

PATH: Final = re.compile(r"[!-~]*")  # RFC 3986 has no space and nothing beyond ASCII


@dataclass(frozen=True)
class WebhookSetup:
    """Where the receiver is, and what it is told of."""

    name: str
    url: str
    events: tuple[str, ...]
    ca_certificates: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class ShownOnce:
    """`secret` exists here and with whoever is shown it now; nobody can read it again."""

    webhook: Webhook
    secret: str


def read_webhooks(*, actor: User) -> QuerySet[Webhook]:
    """The webhooks of the actor's sites, by name.

    Raises: DeniedError.
    """
    require(actor, Action.WEBHOOK_MANAGE)
    return Webhook.objects.visible_to(actor)


def read_webhook(*, webhook_id: UUID, actor: User) -> Webhook:
    """Raises: DeniedError, NotFoundError."""
    return _found(read_webhooks(actor=actor), webhook_id)


@transaction.atomic
def create_webhook(*, setup: WebhookSetup, site_id: str, actor: User) -> ShownOnce:
    """The receiver is told of what happens from now on.

    Raises: DeniedError; InvalidError, by field; ConflictError for a name that is taken.
    """
    require(actor, Action.WEBHOOK_MANAGE)
    webhook = Webhook(site=site_of(actor=actor, site_id=site_id), reached=last_sequence())
    _apply(webhook, setup)
    secret = _renewed(webhook)
    _save(webhook, EventKind.WEBHOOK_CREATED, actor)
    return ShownOnce(webhook, secret)


@transaction.atomic
def change_webhook(*, webhook_id: UUID, changes: Mapping[str, Any], actor: User) -> Webhook:  # Any: by field
    """The webhook is as before but for the changes; what happened while it was not in use is not told.

    Raises: DeniedError, NotFoundError, InvalidError, ConflictError as for `create_webhook`.
    """
    webhook = _locked(webhook_id, actor)
    was_active = webhook.is_active
    _apply(webhook, replace(setup_of(webhook), **changes))
    if webhook.is_active and not was_active:
        webhook.reached = last_sequence()
    _save(webhook, EventKind.WEBHOOK_CHANGED, actor)
    return webhook


@transaction.atomic
def renew_secret(*, webhook_id: UUID, actor: User) -> ShownOnce:
    """Every attempt from now on is signed with another secret.

    Raises: DeniedError, NotFoundError.
    """
    webhook = _locked(webhook_id, actor)
    secret = _renewed(webhook)
    _save(webhook, EventKind.WEBHOOK_SECRET_RENEWED, actor)
    return ShownOnce(webhook, secret)


@transaction.atomic
def remove_webhook(*, webhook_id: UUID, actor: User) -> None:
    """The webhook and its messages are gone; the audit still tells of them.

    Raises: DeniedError, NotFoundError.
    """
    webhook = _locked(webhook_id, actor)
    journal.record_webhook(EventKind.WEBHOOK_REMOVED, webhook, actor=actor)
    webhook.delete()


def setup_of(webhook: Webhook) -> WebhookSetup:
    return WebhookSetup(
        name=webhook.name,
        url=webhook.url,
        events=tuple(webhook.events),
        ca_certificates=webhook.ca_certificates,
        is_active=webhook.is_active,
    )


def _renewed(webhook: Webhook) -> str:
    secret = signing.new_secret()
    webhook.secret_sealed = signing.WEBHOOK_SEAL.close(secret)
    return secret


def _apply(webhook: Webhook, setup: WebhookSetup) -> None:
    wrong: dict[str, str] = {}
    if problem := _problem_of_url(setup.url):
        wrong["url"] = problem
    if not setup.events or set(setup.events) - set(WebhookEvent.values):
        wrong["events"] = f"needs one or more of {', '.join(WebhookEvent.values)}"
    if problem := _problem_of_certificates(setup.ca_certificates):
        wrong["ca_certificates"] = problem
    if wrong:
        listed = "; ".join(f"{name} {words}" for name, words in sorted(wrong.items()))
        raise InvalidError(f"the receiver cannot be told as it stands: {listed}", fields=wrong)
    webhook.name, webhook.url, webhook.is_active = setup.name, setup.url, setup.is_active
    webhook.ca_certificates = setup.ca_certificates
    webhook.events = [event for event in WebhookEvent.values if event in setup.events]


def _problem_of_url(url: str) -> str:
    """Why the URL is no receiver's, or nothing."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return "is no URL"
    if parts.scheme != "https" or not parts.hostname or not is_host(parts.hostname) or not has_port:
        return "needs https:// and a host"
    if "@" in parts.netloc:
        return "needs no credentials: the receiver knows a message by its signature"
    if not PATH.fullmatch(url):
        return "needs its special characters written as %20 and the like"
    return objection_to_literal(parts.hostname) or ("needs no #" if "#" in url else "")


def _problem_of_certificates(ca_certificates: str) -> str:
    try:
        trusting(ca_certificates)
    except (ssl.SSLError, ValueError):
        return "needs PEM"
    return ""


def _save(webhook: Webhook, event: EventKind, actor: User) -> None:
    taken = Webhook.objects.filter(site=webhook.site_id, name=webhook.name).exclude(pk=webhook.pk)
    if taken.select_for_update().exists():
        raise ConflictError("the site has a webhook of this name")
    webhook.save()
    journal.record_webhook(event, webhook, actor=actor)


def _locked(webhook_id: UUID, actor: User) -> Webhook:
    require(actor, Action.WEBHOOK_MANAGE)
    return _found(Webhook.objects.visible_to(actor).select_for_update(of=("self",)), webhook_id)


def _found(webhooks: QuerySet[Webhook], webhook_id: UUID) -> Webhook:
    webhook = webhooks.filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFoundError("no such webhook, or none that you may see")
    return webhook
