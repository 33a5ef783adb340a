"""How long a browser's session may be idle: only what its reader does prolongs it, no polling and no open feed.

The browser tells of pointer and keys (`POST /api/v1/me/activity`); every other request is let in or not, and changes
nothing. The absolute age of a session stays what it was at its beginning (docs/decisions/0019-idle-sessions.md).
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

ACTIVE_AT: Final = "active_at"


def is_begun(session: SessionBase) -> bool:
    """Somebody signed in by the session, and it is known since when they are idle."""
    return SESSION_KEY in session and ACTIVE_AT in session


def begin(session: SessionBase) -> None:
    """The session ends at its age, whatever is written to it later; its reader is active now."""
    session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    tell_activity(session)


def tell_activity(session: SessionBase) -> None:
    """The reader is active now."""
    session[ACTIVE_AT] = timezone.now().isoformat()


def seconds_left(session: SessionBase) -> float:
    """Until the session ends if nothing is done: by idleness, or by its age."""
    idle_s = (timezone.now() - datetime.fromisoformat(session[ACTIVE_AT])).total_seconds()
    return min(settings.SESSION_IDLE_S - idle_s, session.get_expiry_age())


def is_over(session: SessionBase) -> bool:
    """The reader was idle for too long."""
    return is_begun(session) and seconds_left(session) <= 0
