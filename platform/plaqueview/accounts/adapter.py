"""What sign-in does beyond the library: nobody signs up, and every attempt leaves an audit event."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse

from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by administrators."""
        return False

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **details: Any) -> HttpResponse:
        response = super().post_login(request, user, **details)
        audit.record(EventKind.SIGNED_IN, actor=user, object_type="user", object_id=user.pk)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """The name that was tried is not kept: people type passwords into it."""
        audit.record(EventKind.SIGN_IN_FAILED, actor=None, object_type="user")

    def logout(self, request: HttpRequest) -> None:
        audit.record(EventKind.SIGNED_OUT, actor=request.user, object_type="user", object_id=request.user.pk)
        super().logout(request)
