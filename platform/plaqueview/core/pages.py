"""The pages: one HTML file, whose script shows the page that the address names."""

from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

NOT_BUILT = """PlaqueView runs, but its pages are not built: there is no index.html in {folder}.
Build them with `make demo`, or with `npm ci && npm run build` in frontend/, and restart.
The API answers under /api/v1/.
"""


@require_safe
@ensure_csrf_cookie
def index(request: HttpRequest) -> HttpResponse:
    """The frontend's HTML, never cached, so that a new version is seen at the next load; 503 when it is not built.

    On one's own machine, the address's other name leads to the one that cookies and the feed know.
    """
    if _is_other_name(request.get_host()):
        return HttpResponseRedirect(settings.ORIGIN + request.get_full_path())
    path = settings.WEB_DIR / "index.html"
    try:
        html = path.read_bytes()
    except FileNotFoundError:
        text = NOT_BUILT.format(folder=settings.WEB_DIR)
        return HttpResponse(text, status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    return HttpResponse(html, headers={"Cache-Control": "no-cache"})


def _is_other_name(host: str) -> bool:
    name, _, port = host.partition(":")
    origin = urlsplit(settings.ORIGIN)
    return {name, origin.hostname} == {"localhost", "127.0.0.1"} and port == str(origin.port or "")


@require_safe
def feed_elsewhere(_request: HttpRequest) -> HttpResponse:
    """WebSockets have a server of their own; this points a script that came here to it."""
    return HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": settings.FEED_URL})
