"""By what a session was opened, as django-allauth keeps it in the session."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.sessions.backends.base import SessionBase


def factor_in(session: SessionBase) -> str | None:
    """What was given beside the password: "totp", "webauthn", "recovery_codes" or nothing."""
    return next((method.get("type") for method in reversed(_methods(session)) if method["method"] == "mfa"), None)


def is_by_provider(session: SessionBase) -> bool:
    """The session began at the hospital's own page of sign-in."""
    return any(method["method"] == "socialaccount" for method in _methods(session))


def _methods(session: SessionBase) -> Sequence[Mapping[str, Any]]:
    methods: Sequence[Mapping[str, Any]] = session.get("account_authentication_methods", [])
    return methods
