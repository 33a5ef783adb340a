"""What sign-in does beyond the library: nobody signs up, and every attempt leaves an audit event."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from plaqueview.accounts.models import User
from plaqueview.accounts.sign_in_methods import factor_in, is_by_provider
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by administrators."""
        return False

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **details: Any) -> HttpResponse:
        response = super().post_login(request, user, **details)
        self._record(EventKind.SIGNED_IN, request, user)
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises: ValidationError while the account, or the caller's address, is locked out after failed attempts."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            self._record_failure(request, credentials, is_locked_out=True)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        self._record_failure(request, credentials, is_locked_out=False)

    def logout(self, request: HttpRequest) -> None:
        self._record(EventKind.SIGNED_OUT, request, request.user)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """The password is this one and the link has ended; no more is written.

        The library writes the whole account as it was before the password was hashed: one that was closed, or had its
        role taken, in that moment would have both again.

        Raises: ImmediateHttpResponse when the account was closed, or its password or link changed, since it was read.
        """
        read = user.password, user.password_link_at
        user.set_password(password)
        with transaction.atomic():
            kept = User.objects.select_for_update().get(pk=user.pk)
            if not kept.is_active or (kept.password, kept.password_link_at) != read:
                error = ValidationError("The account was changed in the same moment; try again.", code="changed")
                raise ImmediateHttpResponse(ErrorResponse(self.request, exception=error, status=HTTPStatus.CONFLICT))
            user.password_link_at = None
            user.save(update_fields=["password", "password_link_at"])
            audit.record(EventKind.PASSWORD_CHANGED, actor=user, object_type="user", object_id=user.pk)

    def _record(self, kind: EventKind, request: HttpRequest, user: Any) -> None:
        details: dict[str, str | bool] = {"address": self.get_client_ip(request)}
        if factor := factor_in(request.session):
            details["second_factor"] = factor
        if is_by_provider(request.session):
            details["openid"] = True
        audit.record(kind, actor=user, object_type="user", object_id=user.pk, details=details)

    def _record_failure(self, request: HttpRequest, credentials: dict[str, Any], *, is_locked_out: bool) -> None:
        """The name that was tried is kept as an account's id only: people type passwords into it."""
        user = User.objects.filter(username__iexact=credentials.get("username", "")).first()
        audit.record(
            EventKind.SIGN_IN_FAILED,
            actor=None,
            object_type="user",
            object_id=user.pk if user else "",
            details={"address": self.get_client_ip(request), "is_locked_out": is_locked_out},
        )


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        """The user ends sessions of their own, on this or another computer."""
        for session in sessions:
            if not session.is_current():  # of that one `logout` tells
                user = session.user
                details = {"address": session.ip, "reason": "ended from another session"}
                audit.record(EventKind.SIGNED_OUT, actor=user, object_type="user", object_id=user.pk, details=details)
            session.end()
