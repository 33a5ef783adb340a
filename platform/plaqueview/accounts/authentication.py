"""Who asks: a session of the browser, or a token of a script."""

from typing import Any

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, get_reauthentication_flows
from django.http import QueryDict
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from plaqueview.accounts.models import User
from plaqueview.accounts.services import user_of_token

CHALLENGE = 'Bearer realm="plaqueview"'


def user_of(request: Request) -> User:
    """The user who asks, for a view that is open to users only.

    Raises: NotAuthenticated when nobody is signed in.
    """
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def is_reauthenticated(request: Request) -> bool:
    """Whether the user has just given password, code or passkey; never with a token, which has none to give.

    Nor by an account that has none of them, which allauth lets pass: whoever finds its session open would pass too.
    """
    user = user_of(request)
    if user.token_id is not None or not get_reauthentication_flows(user):
        return False
    return did_recently_reauthenticate(request._request)  # noqa: SLF001  (Django's)


def secret_in(authorization: str) -> str | None:
    """What a header of the scheme Bearer holds; None for any other. Source: RFC 6750."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer SECRET`."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        secret = secret_in(request.headers.get("Authorization", ""))
        if secret is None:
            return None
        user = user_of_token(secret)
        if user is None:
            raise InvalidTokenError
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; a method that writes also needs the CSRF header."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    def enforce_csrf(self, request: Any) -> None:  # Any: the framework hands its own request or Django's
        try:
            super().enforce_csrf(_WithoutBody(request))  # type: ignore[arg-type]  # it answers as the request does
        except exceptions.PermissionDenied as error:
            raise CsrfFailedError(error.detail) from error


class _WithoutBody:
    """The request as the CSRF check sees it: a token among the form's fields does not count.

    To look for one Django reads the body, an upload of gigabytes before its sender is known to be allowed anything.
    """

    POST = QueryDict()

    def __init__(self, request: Any) -> None:  # Any: as above
        self._request = request

    def __getattr__(self, name: str) -> Any:  # Any: whatever the request has by this name
        return getattr(self._request, name)


class InvalidTokenError(exceptions.AuthenticationFailed):
    default_detail = "the token is unknown, expired or revoked"
    default_code = "invalid_token"


class CsrfFailedError(exceptions.PermissionDenied):
    default_code = "csrf_failed"
