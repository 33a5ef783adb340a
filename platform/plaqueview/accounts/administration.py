"""What administrators do to the accounts of others: make, change, close and open them, and let their owners in.

Whoever makes a way in has just shown that it is them: neither a stolen token nor a session left open is enough. Nobody
does it to their own account, so that somebody is always left who can (docs/decisions/0055-accounts-in-the-browser.md).
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.idleness import SessionStore
from plaqueview.accounts.models import Site, User
from plaqueview.accounts.password_links import PasswordLink, make_link
from plaqueview.accounts.services import IMPORT_ACCOUNT, create_user, end_token
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, Role, require
from plaqueview.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError, ReauthenticationError

NAMES: Final = ("first_name", "last_name")


@dataclass(frozen=True)
class Names:
    """How others call somebody; None leaves the name as it is."""

    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True)
class Rights:
    """What somebody may do, and whose patients they see; None leaves it as it is."""

    role: Role | None = None
    site_ids: Collection[UUID] | None = None


def accounts_of(actor: User) -> QuerySet[User]:
    """The accounts that share a site with the actor, the actor's included.

    Raises: DeniedError.
    """
    require(actor, Action.USER_MANAGE)
    return User.objects.filter(pk__in=actor.colleague_ids())


@transaction.atomic
def add_account(
    *, username: str, names: Names, role: Role, site_ids: Collection[UUID], is_reauthenticated: bool, actor: User
) -> User:
    """The account exists; nobody can sign in to it before its owner has set a password, by a link.

    Raises: DeniedError; ReauthenticationError; ConflictError when the name is taken; InvalidError, also when a site is
    none of the actor's.
    """
    require(actor, Action.USER_MANAGE)
    _require_proof(is_reauthenticated=is_reauthenticated)
    sites = _sites_of(actor, site_ids)
    user = create_user(username=username, password=None, role=role, sites=sites, actor=actor)
    if _rename(user, names):
        user.save(update_fields=NAMES)
    return user


@transaction.atomic
def change_account(*, user_id: UUID, names: Names, rights: Rights, is_reauthenticated: bool, actor: User) -> User:
    """The account is as it was but for what is named. Tokens made for another role speak for nobody any more.

    Raises: DeniedError, also for one's own account; NotFoundError; ReauthenticationError; InvalidError.
    """
    user = _other_account(user_id, actor)
    _require_proof(is_reauthenticated=is_reauthenticated)
    details = {"names": ", ".join(changed)} if (changed := _rename(user, names)) else {}
    if rights.role is not None and rights.role != user.role:
        details |= {"role": rights.role.value, "role_before": user.role}
        user.role = rights.role
        _revoke_tokens(user, actor)
    if rights.site_ids is not None:
        details |= _move(user, _sites_of(actor, rights.site_ids))
    if details:
        user.save(update_fields=[*NAMES, "role"])
        _record(EventKind.ACCOUNT_CHANGED, user, actor, **details)
    return user


@transaction.atomic
def close_account(*, user_id: UUID, is_reauthenticated: bool, actor: User | None) -> User:
    """Nobody can sign in to it any more: its sessions have ended, its tokens and its link open nothing.

    What its owner read and wrote stays under their name. Closing it again changes nothing. `actor` None means somebody
    at the machine's command line.

    Raises: DeniedError, also for one's own account; NotFoundError; ReauthenticationError.
    """
    user = _other_account(user_id, actor)
    _require_proof(is_reauthenticated=is_reauthenticated)
    if user.is_active:
        _revoke_tokens(user, actor)
        _end_sessions(
            user, actor
        )  # while they can be found to be the user's: else they would open when the account does
        user.is_active, user.password_link_at = False, None
        user.save(update_fields=["is_active", "password_link_at"])
        _record(EventKind.ACCOUNT_CLOSED, user, actor)
    return user


@transaction.atomic
def open_account(*, user_id: UUID, is_reauthenticated: bool, actor: User | None) -> User:
    """Its owner can sign in again, as before it was closed; tokens are made anew.

    Raises: as `close_account`, and ConflictError for the account of imports.
    """
    user = _other_account(user_id, actor)
    _require_proof(is_reauthenticated=is_reauthenticated)
    if user.username == IMPORT_ACCOUNT:
        raise ConflictError(f"nobody signs in with the account {IMPORT_ACCOUNT}; labels are imported in its name")
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        _record(EventKind.ACCOUNT_OPENED, user, actor)
    return user


@transaction.atomic
def make_password_link(*, user_id: UUID, is_reauthenticated: bool, actor: User | None) -> PasswordLink:
    """Whoever holds the link can set the account's password, once; a link made before opens nothing any more.

    The password that there is holds until then, and a second factor is asked for after it too.

    Raises: as `close_account`, and ConflictError when the account is closed.
    """
    user = _other_account(user_id, actor)
    _require_proof(is_reauthenticated=is_reauthenticated)
    if not user.is_active:
        raise ConflictError("the account is closed; open it, then make a link")
    link = make_link(user)
    user.save(update_fields=["password_link_at"])
    _record(EventKind.PASSWORD_LINK_CREATED, user, actor)
    return link


@transaction.atomic
def end_sessions(*, user_id: UUID, is_reauthenticated: bool, actor: User) -> None:
    """Its owner has to sign in again, wherever they were signed in; drafts wait for them.

    Raises: as `close_account`.
    """
    user = _other_account(user_id, actor)
    _require_proof(is_reauthenticated=is_reauthenticated)
    _end_sessions(user, actor)


def _other_account(user_id: UUID, actor: User | None) -> User:
    """The account, locked. Locked with it is the actor's: of two who close each other's at once, one comes too late."""
    if actor is None:
        return User.objects.select_for_update().get(pk=user_id)
    if not accounts_of(actor).filter(pk=user_id).exists():
        raise NotFoundError("no such account, or none that you may see")
    if user_id == actor.pk:
        raise DeniedError("nobody manages their own account; another administrator can")
    both = User.objects.select_for_update().filter(pk__in=[user_id, actor.pk]).order_by("pk")
    locked = {user.pk: user for user in both}
    if not locked[actor.pk].is_active or Action.USER_MANAGE not in locked[actor.pk].actions:
        raise DeniedError("your account may not manage others any more")
    user = locked[user_id]
    if user.sites.exclude(pk__in=actor.site_ids()).exists():
        raise DeniedError("the account has sites that you do not have; an administrator of all of them can manage it")
    return user


def _require_proof(*, is_reauthenticated: bool) -> None:
    if not is_reauthenticated:
        raise ReauthenticationError("give your password again; only who has just done so can manage accounts")


def _sites_of(actor: User, site_ids: Collection[UUID]) -> list[Site]:
    sites = list(actor.sites.filter(pk__in=site_ids).order_by("name"))
    if not sites or len(sites) < len(set(site_ids)):
        found = f"found {len(sites)} of {len(set(site_ids))} among your sites, need all of them and at least one"
        raise InvalidError("the account cannot have these sites", fields={"sites": found})
    return sites


def _rename(user: User, names: Names) -> list[str]:
    """Which of the names are other ones now; whoever calls this keeps the user."""
    asked = {name: getattr(names, name) for name in NAMES}
    changed = [name for name, text in asked.items() if text is not None and text != getattr(user, name)]
    for name in changed:
        setattr(user, name, asked[name])
    return changed


def _move(user: User, sites: Collection[Site]) -> dict[str, str]:
    """Whose patients the user sees now, as details of the event."""
    before, after = set(user.site_ids()), {site.pk for site in sites}
    user.sites.set(sites)
    moves = {"sites_added": after - before, "sites_removed": before - after}
    return {name: ", ".join(sorted(map(str, moved))) for name, moved in moves.items() if moved}


def _revoke_tokens(user: User, actor: User | None) -> None:
    for token in user.tokens.select_for_update().filter(revoked_at=None):
        end_token(token, actor)


def _end_sessions(user: User, actor: User | None) -> None:
    for session in UserSession.objects.purge_and_list(user):
        session.end()
        # Once more when that is kept: whoever asked by it meanwhile found it in the database still, and cached it.
        transaction.on_commit(partial(SessionStore().delete, session.session_key))
        _record(EventKind.SIGNED_OUT, user, actor, address=session.ip, reason="ended by an administrator")


def _record(kind: EventKind, user: User, actor: User | None, **details: str | None) -> None:
    audit.record(kind, actor=actor, object_type="user", object_id=user.pk, details=details)
