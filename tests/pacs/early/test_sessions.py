"""Whatever becomes of a session between two frames, the second is answered as in the ordinary way."""

from datetime import timedelta
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import ACTIONS_OF_ROLE, Role
from tests.accounts.people import csrf, make_user
from tests.pacs.early.answers import ROUTES, as_installed, cookies_of, only_early, ordinary, page, with_chance_removed

pytestmark = pytest.mark.django_db


class Reader:
    """Somebody at a page, to whom something happens."""

    def __init__(self, user: User, client: Client, patch: pytest.MonkeyPatch) -> None:
        self.user, self.client, self.patch = user, client, patch
        self.key = client.cookies[settings.SESSION_COOKIE_NAME].value

    @property
    def store(self) -> SessionBase:
        return import_module(settings.SESSION_ENGINE).SessionStore(self.key)

    @property
    def session(self) -> set[str] | None:
        """What is known of the session that the page was opened with; None when it is over."""
        kept = Session.objects.filter(session_key=self.key).first()
        return None if kept is None else set(kept.get_decoded())

    @property
    def events(self) -> list[str]:
        theirs = AuditEvent.objects.filter(Q(actor_id=self.user.pk) | Q(object_id=str(self.user.pk)))
        return list(theirs.order_by("sequence").values_list("kind", flat=True))


def sign_out(reader: Reader):
    reader.client.delete(f"{ROUTES}/auth/session", headers=csrf(reader.client))
    reader.client.cookies[settings.SESSION_COOKIE_NAME] = reader.key  # the browser of a thief keeps it


def end_elsewhere(reader: Reader):
    other = page(reader.user)
    ended = UserSession.objects.get(session_key=reader.key).pk
    body = {"sessions": [ended]}
    other.delete(f"{ROUTES}/auth/sessions", body, content_type="application/json", headers=csrf(other))


def change_password(reader: Reader):
    reader.user.set_password("another-9912-zzkq")
    reader.user.save()


def close_account(reader: Reader):
    User.objects.filter(pk=reader.user.pk).update(is_active=False)


def leave_site(reader: Reader):
    reader.user.sites.clear()


def get_role_without_pictures(reader: Reader):
    reader.patch.setitem(ACTIONS_OF_ROLE, Role.INTEGRATOR, frozenset())
    User.objects.filter(pk=reader.user.pk).update(role=Role.INTEGRATOR)


def be_idle(reader: Reader):
    later = timezone.now() + timedelta(minutes=31)
    reader.patch.setattr(timezone, "now", lambda: later)


def grow_old(reader: Reader):
    """Active all the time, and signed in for longer than a session lasts."""
    later = timezone.now() + timedelta(hours=12, seconds=1)
    store = reader.store
    store["active_at"] = later.isoformat()
    store.save()
    reader.patch.setattr(timezone, "now", lambda: later)


def need_second_factor(reader: Reader):
    reader.patch.setattr(settings, "SECOND_FACTOR_REQUIRED", True)


def have_second_factor(reader: Reader):
    reader.patch.setattr(settings, "SECOND_FACTOR_REQUIRED", True)
    Authenticator.objects.create(user=reader.user, type=Authenticator.Type.TOTP, data={})


def turn_secret_key(reader: Reader):
    reader.patch.setattr(settings, "SECRET_KEY_FALLBACKS", [settings.SECRET_KEY])
    reader.patch.setattr(settings, "SECRET_KEY", "another-secret-key-0123456789-abcdefghijklmnop")


def lose_secret_key(reader: Reader):
    reader.patch.setattr(settings, "SECRET_KEY", "another-secret-key-0123456789-abcdefghijklmnop")


def come_by_another_backend(reader: Reader):
    store = reader.store
    store[BACKEND_SESSION_KEY] = "plaqueview.gone.Backend"
    store.save()


def begin_anew(reader: Reader):
    """As a session is that another version of the server opened."""
    store = reader.store
    del store["active_at"]
    store.save()


def guess_key(reader: Reader):
    reader.client.cookies[settings.SESSION_COOKIE_NAME] = "0" * 32


def have_short_key(reader: Reader):
    reader.client.cookies[settings.SESSION_COOKIE_NAME] = "0"


def have_no_key(reader: Reader):
    del reader.client.cookies[settings.SESSION_COOKIE_NAME]


def have_broken_csrf(reader: Reader):
    reader.client.cookies[settings.CSRF_COOKIE_NAME] = "short"


# What happens between two frames, and the status of the second.
CHANGES = [
    (sign_out, 401),
    (end_elsewhere, 401),
    (change_password, 401),
    (close_account, 401),
    (leave_site, 404),
    (get_role_without_pictures, 403),
    (be_idle, 401),
    (grow_old, 401),
    (need_second_factor, 403),
    (have_second_factor, 200),
    (turn_secret_key, 200),
    (lose_secret_key, 401),
    (come_by_another_backend, 401),
    (begin_anew, 200),
    (guess_key, 401),
    (have_short_key, 401),
    (have_no_key, 401),
    (have_broken_csrf, 200),
]


@pytest.mark.parametrize(("happens", "status"), CHANGES)
def test_the_very_next_frame_of_a_session_is_that_of_the_ordinary_way(happens, status, path, monkeypatch):
    seen = []
    for ask in (as_installed, ordinary):
        with monkeypatch.context() as patch:
            reader = Reader(user := make_user(Role.NEUROLOGIST), page(user), patch)
            assert only_early(f"{path}/frames/1", cookies_of(reader.client)).status_code == 200
            happens(reader)
            answer = ask(f"{path}/frames/1", cookies_of(reader.client))
            seen.append((with_chance_removed(answer), reader.session, reader.events))

    assert seen[0][0][0] == status
    assert seen[0] == seen[1]
