"""How long a browser's session may be idle: only what its reader does prolongs it, no polling and no open feed.

The browser tells of pointer and keys (`POST /api/v1/me/activity`); every other request is let in or not, and changes
nothing. The absolute age of a session stays what it was at its beginning (docs/decisions/0019-idle-sessions.md).
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import cached_db, db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

ACTIVE_AT: Final = "active_at"


class SessionStore(cached_db.SessionStore):
    """A session as the database has it; the cache may not have heard yet of what was written last.

    Django signs sessions under the name of their class, which therefore is the same here.
    """

    def load(self) -> dict[str, Any]:
        return db.SessionStore.load(self)


def is_begun(session: SessionBase) -> bool:
    """Somebody signed in by the session, and it is known since when they are idle."""
    return SESSION_KEY in session and ACTIVE_AT in session


def begin(session: SessionBase) -> None:
    """The session ends at its age, whatever is written to it later; its reader is active now."""
    session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    session[ACTIVE_AT] = timezone.now().isoformat()


@transaction.atomic
def tell_activity(session: SessionBase) -> SessionBase:
    """The reader is active now. Gives the session as it is then.

    Whoever saves a session saves all of it as they read it: one click may tell of activity and ask for a passkey's
    challenge at once. So this reads and writes under a lock, and what others wrote since `session` was read stays.
    A session that somebody ended meanwhile stays ended.
    """
    if not Session.objects.select_for_update().filter(pk=session.session_key).first():
        return session
    stored = SessionStore(session.session_key)
    stored[ACTIVE_AT] = timezone.now().isoformat()
    stored.save()
    return stored


def seconds_left(session: SessionBase) -> float:
    """Until the session ends if nothing is done: by idleness, or by its age."""
    idle_s = (timezone.now() - datetime.fromisoformat(session[ACTIVE_AT])).total_seconds()
    return min(settings.SESSION_IDLE_S - idle_s, session.get_expiry_age())


def is_over(session: SessionBase) -> bool:
    """The reader was idle for too long."""
    return is_begun(session) and seconds_left(session) <= 0
