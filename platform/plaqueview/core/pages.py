"""The pages: one HTML file, whose script shows the page that the address names."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

NOT_BUILT = """PlaqueView runs, but its pages are not built: there is no index.html in {folder}.
Build them with `make demo`, or with `npm ci && npm run build` in frontend/, and restart.
The API answers under /api/v1/.
"""


@require_safe
@ensure_csrf_cookie
def index(_request: HttpRequest) -> HttpResponse:
    """The frontend's HTML, never cached, so that a new version is seen at the next load; 503 when it is not built."""
    path = settings.WEB_DIR / "index.html"
    try:
        html = path.read_bytes()
    except FileNotFoundError:
        text = NOT_BUILT.format(folder=settings.WEB_DIR)
        return HttpResponse(text, status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    return HttpResponse(html, headers={"Cache-Control": "no-cache"})


@require_safe
def feed_elsewhere(_request: HttpRequest) -> HttpResponse:
    """WebSockets have a server of their own; this points a script that came here to it."""
    return HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": settings.FEED_URL})
