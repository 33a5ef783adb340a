"""A session ends when its reader was idle for too long, and without a second factor that is required opens nothing."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseBase

from plaqueview.accounts import idleness, second_factor, services
from plaqueview.core.problems import problem

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# What the page needs to ask for the second factor; it is added below /_allauth/.
OPEN_WITHOUT_SECOND_FACTOR = ("/api/v1/me", "/api/v1/me/activity")
CLOSED_WITHOUT_SECOND_FACTOR = ("/api/", "/dicom-web/")


def end_idle_sessions(get_response: GetResponse) -> GetResponse:
    """Between the session and who is signed in by it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        session = request.session
        if idleness.is_over(session):
            services.record_idle_end(user_id=session[SESSION_KEY])
            session.flush()
        elif SESSION_KEY in session and not idleness.is_begun(session):
            idleness.begin(session)
        return get_response(request)

    return middleware


def require_second_factor(get_response: GetResponse) -> GetResponse:
    """After who is signed in by the session is known; tokens have no session."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not _is_open(request.path) and _wants_second_factor(request):
            detail = "this department requires a second factor; add one to your account"
            return problem(HTTPStatus.FORBIDDEN, code="second_factor_needed", detail=detail)
        return get_response(request)

    return middleware


def _is_open(path: str) -> bool:
    return path in OPEN_WITHOUT_SECOND_FACTOR or not path.startswith(CLOSED_WITHOUT_SECOND_FACTOR)


def _wants_second_factor(request: HttpRequest) -> bool:
    return request.user.is_authenticated and second_factor.is_wanting(request.user, request.session)
