"""Every route: REST, DICOMweb, sign-in, health, and the pages."""

from allauth.headless.account import views as sign_in
from allauth.headless.constants import Client
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

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
    "reports",
    "inbox",
    "outbox",
    "training",
    "monitoring",
    "audit",
)

# Only what an account made by an administrator needs: no sign-up, no e-mail, no password reset by e-mail.
sign_in_routes = [
    path("auth/session", sign_in.SessionView.as_api_view(client=Client.BROWSER), name="current_session"),
    path("auth/login", sign_in.LoginView.as_api_view(client=Client.BROWSER), name="login"),
    path("auth/reauthenticate", sign_in.ReauthenticateView.as_api_view(client=Client.BROWSER), name="reauthenticate"),
    path(
        "account/password/change", sign_in.ChangePasswordView.as_api_view(client=Client.BROWSER), name="change_password"
    ),
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
    path("ws/feed", pages.feed_elsewhere, name="feed_elsewhere"),
    re_path(r"^(?:api|dicom-web|_allauth|static|ws)(?:/|$)", problems.not_found),
    re_path(r"^", pages.index, name="index"),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
