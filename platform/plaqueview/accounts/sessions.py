"""Who is signed in by a browser's session, found by looking only: of sockets, and of answers before the middleware."""

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet, UUIDField
from django.utils.crypto import constant_time_compare

from plaqueview.accounts import idleness, second_factor
from plaqueview.accounts.models import User
from plaqueview.core.prepared import Prepared, Slot

# What Django keeps of the CSRF cookie; any other it replaces.
SOUND_CSRF: Final = re.compile(r"(?:[A-Za-z0-9]{32}){1,2}")


def user_of_session(cookies: Mapping[str, str]) -> User | None:
    """The user whom all the middleware would let in by these cookies, and change nothing.

    None where more is to be done than to look: nobody is signed in or may be, the session is over or only begins, one
    of its keys or cookies is to be renewed, a second factor is wanted. So what ends a session, or writes into one,
    stands in one place.
    """
    session = session_of(cookies)
    if session is None or not SOUND_CSRF.fullmatch(cookies.get(settings.CSRF_COOKIE_NAME, "0" * 32)):
        return None
    user = signed_in_by(session) if idleness.is_begun(session) else None
    return None if session.modified else user


def session_of(cookies: Mapping[str, str]) -> SessionBase | None:
    """What the browser's cookie names, if there is one; nobody needs to be signed in by it."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    store: SessionBase | None = import_module(settings.SESSION_ENGINE).SessionStore(key) if key else None
    return store


def signed_in_by(session: SessionBase) -> User | None:
    """Its active user; None when they were idle for too long, or have yet to add a second factor that is required."""
    user = None if idleness.is_over(session) else _found_by(session)
    return None if user is None or second_factor.is_wanting(user, session) else user


def _active() -> "QuerySet[User]":
    return (
        User.objects.filter(pk=Slot("pk", UUIDField()), is_active=True).only("username", "password", "role").order_by()
    )


ACTIVE: Final = Prepared(_active)


def _found_by(session: SessionBase) -> User | None:
    """Whom `django.contrib.auth.get_user` finds without ending the session, as after a change of the password, and
    without renewing it, as after one of the secret key.
    """
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    for user in ACTIVE.rows(pk=session[SESSION_KEY]):
        if constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            return user
    return None
