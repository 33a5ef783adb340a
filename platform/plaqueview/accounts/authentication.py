"""Who asks: a session of the browser, or a token of a script."""

import hashlib
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from plaqueview.accounts.models import ApiToken, User
from plaqueview.core.access import Action

CHALLENGE = 'Bearer realm="plaqueview"'
LAST_USE_RESOLUTION = timedelta(minutes=1)


def user_of_token(secret: str) -> User | None:
    """The user for whom the secret speaks now, narrowed to its scopes; None when no valid token has this secret."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(token_sha256=sha256_of(secret), expires_at__gt=now, revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > LAST_USE_RESOLUTION:
        unseen = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_RESOLUTION)
        ApiToken.objects.filter(unseen, pk=token.pk).update(last_used_at=now)
    user = token.user
    user.token_scopes = frozenset(map(Action, token.scopes)) if token.scopes else None
    return user


def sha256_of(secret: str) -> str:
    """A plain hash is enough: secrets are 256 random bits, which no dictionary holds."""
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer SECRET`. Source: RFC 6750."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user = user_of_token(secret.strip())
        if user is None:
            raise exceptions.AuthenticationFailed("the token is unknown, expired or revoked", code="invalid_token")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; a method that writes also needs the CSRF header."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    def enforce_csrf(self, request: Any) -> None:  # Any: the framework hands its own request or Django's
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise exceptions.PermissionDenied(str(error.detail), code="csrf_failed") from error
