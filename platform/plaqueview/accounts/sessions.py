"""Who is signed in by a browser's session, found by looking only: for answers before the session's middleware."""

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
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key or not SOUND_CSRF.fullmatch(cookies.get(settings.CSRF_COOKIE_NAME, "0" * 32)):
        return None
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if not idleness.is_begun(session) or idleness.is_over(session):
        return None
    user = _signed_in_by(session)
    if user is None or second_factor.is_wanting(user, session):
        return None
    return None if session.modified else user


def _active() -> "QuerySet[User]":
    return (
        User.objects.filter(pk=Slot("pk", UUIDField()), is_active=True).only("username", "password", "role").order_by()
    )


ACTIVE: Final = Prepared(_active)


def _signed_in_by(session: SessionBase) -> User | None:
    """Whom `django.contrib.auth.get_user` finds without ending the session, as after a change of the password, and
    without renewing it, as after one of the secret key.
    """
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    for user in ACTIVE.rows(pk=session[SESSION_KEY]):
        if constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            return user
    return None
