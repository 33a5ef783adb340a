"""Who opened a socket: the session of a browser at our origin, or the token of a script."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http.cookie import parse_cookie

from plaqueview.accounts.authentication import user_of_token
from plaqueview.accounts.models import User
from plaqueview.accounts.sessions import session_of, signed_in_by

BEARER: Final = "bearer "


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:  # Any: ASGI's scope
    """The handshake's headers by lower-case name. Source: the ASGI specification, Connection Scope."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def is_allowed_origin(headers: Mapping[str, str]) -> bool:
    """True for a page of our own origin, and for a script, which sends a token and no origin.

    A browser always sends the origin, and sends cookies to any server that a foreign page names; so a session without
    our origin is refused. Source: RFC 6455, section 10.2.
    """
    origin = headers.get("origin")
    return origin == settings.ORIGIN or (origin is None and _token_of(headers) is not None)


def identify(headers: Mapping[str, str]) -> User | None:
    """The active user who opened the socket, as the database knows them now; None when nobody is signed in.

    A page of another origin is nobody.
    """
    if not is_allowed_origin(headers):
        return None
    token = _token_of(headers)
    return user_of_token(token) if token is not None else _user_of_session(headers)


def _token_of(headers: Mapping[str, str]) -> str | None:
    credentials = headers.get("authorization", "")
    return credentials[len(BEARER) :].strip() if credentials.lower().startswith(BEARER) else None


def _user_of_session(headers: Mapping[str, str]) -> User | None:
    session = session_of(parse_cookie(headers.get("cookie", "")))
    return None if session is None else signed_in_by(session)
