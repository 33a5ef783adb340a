"""`/metrics`: for whoever holds the token of the settings, and not there without one."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from plaqueview.core.problems import not_found, problem
from plaqueview.operations.metrics import exposition


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures; 401 without `Authorization: Bearer TOKEN`, 404 where the settings have no token."""
    if not settings.METRICS_TOKEN:
        return not_found(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        refused = problem(HTTPStatus.UNAUTHORIZED, code="not_authenticated", detail="figures need the metrics token")
        refused.headers["WWW-Authenticate"] = 'Bearer realm="plaqueview metrics"'
        return refused
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})
