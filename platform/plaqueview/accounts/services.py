"""Every write of sites, users and tokens."""

import hashlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, DateTimeField, Q, QuerySet
from django.utils import timezone

from plaqueview.accounts.models import ApiToken, Site, User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role, require
from plaqueview.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from plaqueview.core.prepared import Prepared, Slot

logger = logging.getLogger(__name__)

LONGEST_TOKEN_LIFE = timedelta(days=366)
LAST_USE_RESOLUTION = timedelta(minutes=1)
SECRET_PREFIX = "pv_"
IMPORT_ACCOUNT = "import"


@dataclass(frozen=True)
class NewToken:
    """`secret` exists here and with whoever is shown it now; nobody can read it again."""

    token: ApiToken
    secret: str


@transaction.atomic
def create_site(*, name: str) -> Site:
    """The site of this name, made if there was none."""
    site, _ = Site.objects.get_or_create(name=name)
    return site


@transaction.atomic
def create_user(
    *, username: str, password: str | None, role: Role, sites: Collection[Site], actor: User | None
) -> User:
    """The account exists and can sign in; `actor` None means somebody at the machine's command line.

    Without a password its owner sets one by a link, or comes from the hospital's own page of sign-in.

    Raises: DeniedError, ConflictError when the name is taken, InvalidError when the password is too weak.
    """
    if actor is not None:
        require(actor, Action.USER_MANAGE)
    name = User.normalize_username(username)  # before it is looked at: one letter may become a text with blanks
    user = User(username=name, role=role)
    _require_free_name(name)
    try:
        user.full_clean(exclude=["password"])
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidError("the account is not acceptable", fields=_refused_fields(error)) from error
    user.set_password(password)
    user.save(force_insert=True)
    user.sites.set(sites)
    audit.record(
        EventKind.ACCOUNT_CREATED, actor=actor, object_type="user", object_id=user.pk, details={"role": role.value}
    )
    return user


def _require_free_name(name: str) -> None:
    """Sign-in takes no notice of case: with `Ana` beside `ana` it would let neither in.

    Who makes accounts at the same time waits, by a lock on the sites that holds up nobody else.
    """
    list(Site.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    taken = User.objects.filter(username__iexact=name).first()
    if taken is not None:
        raise ConflictError(f"there is already an account with the name {taken.username}")
    if name.lower() == IMPORT_ACCOUNT:
        raise ConflictError(f"the name {IMPORT_ACCOUNT} is kept for the account in whose name labels are imported")


def _refused_fields(error: ValidationError) -> dict[str, str]:
    """Those of the account; what is wrong with a password is said of none."""
    named = error.message_dict if hasattr(error, "error_dict") else {"password": error.messages}
    return {name: "; ".join(texts) for name, texts in named.items()}


@transaction.atomic
def import_account() -> User:
    """The account in whose name labels are imported; nobody can sign in with it."""
    account, _ = User.objects.get_or_create(
        username=IMPORT_ACCOUNT, defaults={"role": Role.INTEGRATOR, "is_active": False, "password": make_password(None)}
    )
    return account


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Collection[Action], expires_at: datetime, actor: User | None
) -> NewToken:
    """A secret that speaks for `user`, with no more than the scopes; no scopes mean the whole role.

    A person's tokens are made by that person, an integrator's by those who manage users at all of its sites, and
    neither with a token: a stolen token must not outlive its revocation. `actor` None means somebody at the machine's
    command line.

    Raises: DeniedError, ConflictError when the account is closed, InvalidError for scopes outside of the role or a life
    that is over or too long.
    """
    user = User.objects.select_for_update().get(pk=user.pk)  # else who closes it, or changes its role, misses the token
    if actor is not None:
        _require_right_to_create(actor, user)
    if not user.is_active:
        raise ConflictError("the account is closed; open it, then make a token")
    beyond = set(scopes) - ACTIONS_OF_ROLE[Role(user.role)]
    if beyond:
        raise InvalidError("the token would reach further than the role", fields={"scopes": ", ".join(sorted(beyond))})
    _require_sane_life(expires_at)
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, name=name, token_sha256=_sha256_of(secret), scopes=sorted(scopes), expires_at=expires_at
    )
    audit.record(
        EventKind.TOKEN_CREATED, actor=actor, object_type="token", object_id=token.pk, details={"user": str(user.pk)}
    )
    return NewToken(token=token, secret=secret)


def _require_right_to_create(actor: User, user: User) -> None:
    require(actor, Action.TOKEN_MANAGE)
    if actor.token_id is not None:
        raise DeniedError("a token cannot make tokens; sign in to make one")
    if actor.pk == user.pk:
        return
    require(actor, Action.USER_MANAGE)
    if user.role != Role.INTEGRATOR:
        raise DeniedError("a person's tokens are made by that person; you can make tokens for integrators")
    if user.sites.exclude(pk__in=actor.site_ids()).exists():
        detail = "the integrator has sites that you do not have; an administrator of all of them can make its tokens"
        raise DeniedError(detail)


def _require_sane_life(expires_at: datetime) -> None:
    life = expires_at - timezone.now()
    if not timedelta(0) < life <= LONGEST_TOKEN_LIFE:
        found = f"expires at {expires_at.isoformat()}, need a time within the next {LONGEST_TOKEN_LIFE.days} days"
        raise InvalidError("the token's life is over or too long", fields={"expires_at": found})


@transaction.atomic
def revoke_token(*, token_id: UUID, actor: User) -> None:
    """The token speaks for nobody any more; revoking it again changes nothing.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.TOKEN_MANAGE)
    token = ApiToken.objects.visible_to(actor).select_for_update().filter(pk=token_id).first()
    if token is None:
        raise NotFoundError("no such token, or none that you may see")
    if token.revoked_at is None:
        end_token(token, actor)


def end_token(token: ApiToken, actor: User | None) -> None:
    """The token, which the caller has locked, speaks for nobody any more."""
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at", "modified"])
    audit.record(EventKind.TOKEN_REVOKED, actor=actor, object_type="token", object_id=token.pk)


def _speaking() -> "QuerySet[ApiToken]":
    tokens = ApiToken.objects.valid(at=Slot("now", DateTimeField())).select_related("user")
    return tokens.filter(token_sha256=Slot("token_sha256", CharField())).order_by()


SPEAKING: Final = Prepared(_speaking)


def user_of_token(secret: str) -> User | None:
    """The user for whom the secret speaks now, narrowed to its scopes; None when no valid token has this secret.

    The time of use is kept to the minute, so that reading does not turn into writing.
    """
    now = timezone.now()
    found = SPEAKING.rows(token_sha256=_sha256_of(secret), now=now)
    if not found:
        return None
    (token,) = found
    if token.last_used_at is None or now - token.last_used_at > LAST_USE_RESOLUTION:
        not_lately = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_RESOLUTION)
        ApiToken.objects.filter(not_lately, pk=token.pk).update(last_used_at=now)
    user = token.user
    user.token_id = token.pk
    user.token_scopes = frozenset(map(Action, token.scopes)) if token.scopes else None
    return user


@transaction.atomic
def record_idle_end(*, user_id: str) -> None:
    """The audit knows that the user's session ended by itself."""
    details = {"reason": "idle"}
    audit.record(EventKind.SIGNED_OUT, actor=None, object_type="user", object_id=user_id, details=details)


def _sha256_of(secret: str) -> str:
    """A plain hash is enough: secrets are 256 random bits, which no dictionary holds."""
    return hashlib.sha256(secret.encode()).hexdigest()
