"""Signing in with the hospital's own accounts, by OpenID Connect; django-allauth speaks it.

Nobody gets an account by it: an identity is bound to the account of its name when it first comes, and from then on
only that identity opens the account (docs/decisions/0024-openid.md). Source: OpenID Connect Core 1.0.
"""

import logging
from typing import Any
from urllib.parse import urlencode

import requests
from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.errors import ConflictError
from plaqueview.core.problems import not_found

logger = logging.getLogger(__name__)


class OpenIdAdapter(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The identity is that of an account; else the browser is sent back with the reason, which the audit keeps."""
        user = sociallogin.user if sociallogin.is_existing else _account_of(sociallogin)
        if user is None or not user.is_active:
            raise _refusal(request, "no_account", user=user)
        if not sociallogin.is_existing and not _bind(request, sociallogin, user):
            raise _refusal(request, "other_identity", user=user)

    def on_authentication_error(self, request: HttpRequest, _provider: Any, error: Any = None, **_: Any) -> None:
        """The provider refused, was left, or answered nonsense."""  # Any: the library's hook has no types
        raise _refusal(request, "cancelled" if error == AuthError.CANCELLED else "provider", user=None)


def begin(request: HttpRequest) -> HttpResponse:
    """To the hospital's page and, after it, back to `next`; 404 where the department has none."""
    if not settings.OPENID_URL:
        return not_found(request)
    after = request.GET.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(after, allowed_hosts=None)
    try:
        provider = OpenIdAdapter().get_provider(request, settings.OPENID_PROVIDER)
        answer: HttpResponse = provider.redirect(request, "login", next_url=after if is_ours else "/", headless=True)
    except (requests.RequestException, KeyError, ValueError) as error:  # away, or what it says of itself is nonsense
        logger.warning("the OpenID provider cannot be used: %s", type(error).__name__)
        return _sent_back("provider")
    return answer


@transaction.atomic
def unbind(user: User) -> None:
    """The next identity of the account's name is bound to it; for an identity that was made anew.

    Somebody at the machine does it. Raises: ConflictError when none is bound.
    """
    removed, _ = SocialAccount.objects.filter(user=user).delete()
    if not removed:
        raise ConflictError(f"no identity is bound to the account {user.username}")
    audit.record(EventKind.IDENTITY_UNBOUND, actor=None, object_type="user", object_id=user.pk)


def _account_of(sociallogin: SocialLogin) -> User | None:
    """The account of the name in the claim, from what the provider says of the user or, failing that, in its token."""
    told = sociallogin.account.extra_data
    found = [told.get(part, {}).get(settings.OPENID_USERNAME_CLAIM) for part in ("userinfo", "id_token")]
    name = next((name for name in found if isinstance(name, str) and name), None)
    return User.objects.filter(username=name).first() if name else None


@transaction.atomic
def _bind(request: HttpRequest, sociallogin: SocialLogin, user: User) -> bool:
    """False when another identity has the account already."""
    User.objects.select_for_update().get(pk=user.pk)
    if SocialAccount.objects.filter(user=user).exists():
        return False
    sociallogin.connect(request, user)
    audit.record(EventKind.IDENTITY_BOUND, actor=user, object_type="user", object_id=user.pk)
    return True


def _refusal(request: HttpRequest, reason: str, *, user: User | None) -> ImmediateHttpResponse:
    details = {"address": get_adapter().get_client_ip(request), "openid": reason}
    audit.record(
        EventKind.SIGN_IN_FAILED, actor=None, object_type="user", object_id=user.pk if user else "", details=details
    )
    return ImmediateHttpResponse(_sent_back(reason))


def _sent_back(reason: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"/sign-in?{urlencode({'refused': reason})}")
