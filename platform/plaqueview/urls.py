"""Every route: REST, DICOMweb, sign-in, health, and the pages."""

from allauth.headless.account import views as sign_in
from allauth.headless.constants import Client
from allauth.headless.mfa import views as second_factor
from allauth.headless.usersessions.views import SessionsView
from allauth.socialaccount.providers.openid_connect import views as openid_views
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from plaqueview.accounts import openid
from plaqueview.core import health, pages, problems
from plaqueview.operations.readiness import READINESS
from plaqueview.operations.views import metrics

REST_APPS = (
    "accounts",
    "studies",
    "annotations",
    "registry",
    "inference",
    "longitudinal",
    "enhancement",
    "reports",
    "inbox",
    "outbox",
    "webhooks",
    "training",
    "monitoring",
    "audit",
    "operations",
)

# Only what an account made by an administrator needs: no sign-up, no e-mail; a password is set by a link of theirs.
SIGN_IN_VIEWS = {
    "auth/session": (sign_in.SessionView, "current_session"),
    "auth/login": (sign_in.LoginView, "login"),
    "auth/2fa/authenticate": (second_factor.AuthenticateView, "mfa_authenticate"),
    "auth/2fa/reauthenticate": (second_factor.ReauthenticateView, "mfa_reauthenticate"),
    "auth/webauthn/login": (second_factor.LoginWebAuthnView, "login_webauthn"),
    "auth/webauthn/authenticate": (second_factor.AuthenticateWebAuthnView, "authenticate_webauthn"),
    "auth/webauthn/reauthenticate": (second_factor.ReauthenticateWebAuthnView, "reauthenticate_webauthn"),
    "auth/reauthenticate": (sign_in.ReauthenticateView, "reauthenticate"),
    "auth/password/reset": (sign_in.ResetPasswordView, "reset_password"),
    "auth/sessions": (SessionsView, "sessions"),
    "account/password/change": (sign_in.ChangePasswordView, "change_password"),
    "account/authenticators": (second_factor.AuthenticatorsView, "authenticators"),
    "account/authenticators/totp": (second_factor.ManageTOTPView, "manage_totp"),
    "account/authenticators/webauthn": (second_factor.ManageWebAuthnView, "manage_webauthn"),
    "account/authenticators/recovery-codes": (second_factor.ManageRecoveryCodesView, "manage_recovery_codes"),
}
# Where the hospital's page of sign-in sends the browser back to is registered there.
openid_routes = [
    path("openid", openid.begin, name="openid"),
    path("openid/<str:provider_id>/callback", openid_views.callback, name="openid_connect_callback"),
]
sign_in_routes = [
    path(route, view.as_api_view(client=Client.BROWSER), name=name) for route, (view, name) in SIGN_IN_VIEWS.items()
]

readiness = health.Readiness.as_view(checks=READINESS)

api_docs = SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="core/api_docs.html")

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", readiness, name="readyz"),
    path("metrics", metrics, name="metrics"),
    *(path("api/v1/", include(f"plaqueview.{app}.urls")) for app in REST_APPS),
    path("api/v1/", include("plaqueview.pacs.node_urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", api_docs, name="docs"),
    path("dicom-web/", include("plaqueview.pacs.urls")),
    path("_allauth/browser/v1/", include(sign_in_routes)),
    path("_allauth/", include(openid_routes)),
    path("ws/feed", pages.feed_elsewhere, name="feed_elsewhere"),
    re_path(r"^(?:api|dicom-web|_allauth|static|ws)(?:/|$)", problems.not_found),
    re_path(r"^", pages.index, name="index"),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
