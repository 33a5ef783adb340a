"""A session whose reader was idle for too long ends, whatever asks."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseBase

from plaqueview.accounts import idleness, services

GetResponse = Callable[[HttpRequest], HttpResponseBase]


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
