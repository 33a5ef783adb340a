"""Frames and files are answered before sessions and the framework, with the very answers of the ordinary way."""

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
from django.test import Client, override_settings
from django.utils import timezone
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless

from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site, revoke_token
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core import problems
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user, secret_of
from tests.imaging.phantoms import set_pixels
from tests.pacs.test_retrieval import FRAMES, address, multi_frame, noise
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

urlpatterns: list[object] = []  # of `only_early`
handler404 = problems.not_found

EARLY = "plaqueview.pacs.middleware.answer_early"
OCTETS = "application/octet-stream"
BASIC = {"authorization": "Basic YTpi"}
ME = "/api/v1/me"
ROUTES = "/_allauth/browser/v1"


def with_chance_removed(answer) -> tuple[int, dict[str, str], bytes, dict[str, tuple[bool, str]]]:
    """Status, headers, body and cookies, without what differs between any two answers."""
    headers = dict(answer.headers)
    assert headers.pop("X-Request-ID")
    boundary = headers.get("Content-Type", "").partition("boundary=")[2] or "no boundary"
    headers = {name: value.replace(boundary, "") for name, value in headers.items()}
    cookies = {name: (bool(one.value), one["path"]) for name, one in answer.cookies.items()}
    return answer.status_code, headers, answer.getvalue().replace(boundary.encode(), b""), cookies


def only_early(path: str, headers: dict[str, str], **options):
    """The answer where there is no other way: no route and no view."""
    with override_settings(ROOT_URLCONF=__name__):
        return Client(headers=headers).get(path, **options)


def ordinary(path: str, headers: dict[str, str], method: str = "get", **options):
    middleware = [one for one in settings.MIDDLEWARE if one != EARLY]
    with override_settings(MIDDLEWARE=middleware):
        return getattr(Client(headers=headers), method)(path, **options)


def as_installed(path: str, headers: dict[str, str], method: str = "get", **options):
    return getattr(Client(headers=headers), method)(path, **options)


def bearer(user: User, *scopes: Action) -> dict[str, str]:
    return {"authorization": f"Bearer {secret_of(user, *scopes)}"}


def page(user: User) -> Client:
    """Signed in as the user, with the page open."""
    client = browser()
    body = {"username": user.username, "password": PASSWORD}
    client.post(f"{ROUTES}/auth/login", body, content_type="application/json", headers=csrf(client))
    assert client.get(ME).status_code == 200
    return client


def cookies_of(client: Client) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())}


def session(user: User) -> dict[str, str]:
    return cookies_of(page(user))


@pytest.fixture
def token() -> dict[str, str]:
    return bearer(make_user(Role.NEUROLOGIST))


@pytest.fixture(params=["token", "session"])
def caller(request) -> dict[str, str]:
    """The headers by which a neurologist is known."""
    return {"token": bearer, "session": session}[request.param](make_user(Role.NEUROLOGIST))


@pytest.fixture
def path() -> str:
    """Of an instance with four frames."""
    dataset, _ = multi_frame()
    receive_bytes(encoded(dataset))
    return address(dataset)


ANSWERED = [
    ("1", {"accept": FRAMES}, {}),
    ("4,2", {"accept": FRAMES}, {}),
    ("3", {"accept": OCTETS}, {}),
    ("3", {}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=3-17"}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=9999-"}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=3-17", "if-range": '"another"'}, {}),
    ("1", {"accept": FRAMES}, {"query_params": {"format": "json"}}),
    ("1", {"accept": FRAMES}, {"secure": True}),
]


@pytest.mark.parametrize(("frames", "headers", "options"), ANSWERED)
def test_what_is_answered_early_is_what_the_ordinary_way_answers(frames, headers, options, path, caller):
    early = only_early(f"{path}/frames/{frames}", headers | caller, **options)
    late = ordinary(f"{path}/frames/{frames}", headers | caller, **options)

    assert early.status_code in {200, 206, 416}
    assert with_chance_removed(early) == with_chance_removed(late)


def test_behind_tls_it_is_the_same(path, caller, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 31_536_000
    headers = caller | {"x-forwarded-proto": "https"}

    early, late = (ask(f"{path}/frames/1", headers) for ask in (only_early, ordinary))

    assert (early.status_code, early["Strict-Transport-Security"]) == (200, "max-age=31536000")
    assert with_chance_removed(early) == with_chance_removed(late)


def test_what_the_caller_has_is_not_sent_again(path, caller):
    has = {"if-none-match": ordinary(f"{path}/frames/1", caller)["ETag"]}

    early, late = (ask(f"{path}/frames/1", caller | has) for ask in (only_early, ordinary))

    assert (early.status_code, early.content) == (304, b"")
    assert with_chance_removed(early) == with_chance_removed(late)


@pytest.mark.parametrize("accept", [FRAMES, 'multipart/related; type="image/jls"', "image/jls"])
def test_a_compressed_frame_is_the_same(accept, caller):
    dataset = series(1)[0]
    set_pixels(dataset, noise())
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    receive_bytes(encoded(dataset, syntax=JPEGLSLossless))

    early, late = (ask(f"{address(dataset)}/frames/1", caller | {"accept": accept}) for ask in (only_early, ordinary))

    assert early.status_code == 200
    assert with_chance_removed(early) == with_chance_removed(late)


DICOM = "application/dicom"
SEVERAL = f'multipart/related; type="{DICOM}"'
AS_SENT = f"{SEVERAL}; transfer-syntax=*"
WHOLE = [
    *((level, {"accept": accept}) for level in ("study", "series", "instance") for accept in (AS_SENT, SEVERAL, DICOM)),
    ("instance", {"accept": DICOM, "range": "bytes=200-"}),
    ("series", {}),
]


def at(level: str, path: str) -> str:
    """The address of the study, of the series, or of the instance itself, of which that of an instance is given."""
    return path.partition({"study": "/series", "series": "/instances", "instance": "?"}[level])[0]


@pytest.mark.parametrize(("level", "headers"), WHOLE)
def test_whole_files_are_those_of_the_ordinary_way(level, headers, path, token):
    early, late = (ask(at(level, path), token | headers) for ask in (only_early, ordinary))
    has = {"if-none-match": early["ETag"]}
    early_again, late_again = (ask(at(level, path), token | headers | has) for ask in (only_early, ordinary))

    assert early.status_code in {200, 206}
    assert with_chance_removed(early) == with_chance_removed(late)
    assert (early_again.status_code, early_again.getvalue()) == (304, b"")
    assert with_chance_removed(early_again) == with_chance_removed(late_again)


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_files_that_are_brought_into_another_syntax_are_the_same(level, caller):
    datasets = series(2)
    for dataset in datasets:
        receive_bytes(encoded(dataset, syntax=ImplicitVRLittleEndian))

    early, late = (ask(at(level, address(datasets[0])), caller | {"accept": SEVERAL}) for ask in (only_early, ordinary))

    assert (early.status_code, early.get("Content-Length")) == (200, None)
    assert with_chance_removed(early) == with_chance_removed(late)


def test_what_nginx_sends_is_named_alike(path, caller, settings):
    settings.NGINX_SENDS_FILES = True
    headers = caller | {"accept": f"{DICOM}; transfer-syntax=*"}

    early, late = (ask(path, headers) for ask in (only_early, ordinary))

    assert early["X-Accel-Redirect"].startswith("/stored/dicom/")
    assert with_chance_removed(early) == with_chance_removed(late)


def test_reading_a_study_early_is_one_event_of_the_reader(path, caller):
    for _ in range(2):
        assert only_early(at("study", path), caller).status_code == 200

    event = AuditEvent.objects.get(kind=EventKind.STUDY_READ)
    assert (event.actor_id, event.object_type) == (User.objects.get().pk, "study")


@pytest.mark.parametrize("level", ["study", "series", "instance"])
@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({"accept": "text/html"}, "get", 406),
        ({"authorization": "Bearer pv_unknown"}, "get", 401),
        ({"host": "elsewhere.example"}, "get", 400),
        ({}, "delete", 403),
    ],
)
def test_files_are_refused_alike(level, headers, method, status, path, caller):
    installed, late = (ask(at(level, path), caller | headers, method) for ask in (as_installed, ordinary))

    assert installed.status_code == status
    assert with_chance_removed(installed) == with_chance_removed(late)


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_files_of_another_site_are_not_found_alike(level, path):
    stranger = session(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))

    installed, late = (ask(at(level, path), stranger) for ask in (as_installed, ordinary))

    assert installed.status_code == 404
    assert with_chance_removed(installed) == with_chance_removed(late)
    assert not AuditEvent.objects.filter(kind__in=[EventKind.STUDY_READ, EventKind.SERIES_READ]).exists()


# Frames, headers, method, status.
REFUSED = [
    ("5", {}, "get", 404),
    ("0", {}, "get", 404),
    ("1,,2", {}, "get", 422),
    ("99999999", {}, "get", 422),
    ("x", {}, "get", 422),
    ("1/", {}, "get", 404),
    ("1", {"accept": "text/html"}, "get", 406),
    ("1", {"accept": 'multipart/related; type="image/jls"'}, "get", 406),
    ("1", {"host": "elsewhere.example"}, "get", 400),
    ("1", {"content-length": "999999999"}, "get", 413),
    ("1", {"authorization": "Bearer pv_unknown"}, "get", 401),
    ("1", {"authorization": "Bearer "}, "get", 401),
    ("1", {}, "post", 403),
    ("1", {}, "delete", 403),
]


@pytest.mark.parametrize(("frames", "headers", "method", "status"), REFUSED)
def test_what_is_refused_is_refused_alike(frames, headers, method, status, path, caller):
    asked = f"{path}/frames/{frames}", caller | headers, method

    installed, late = (ask(*asked) for ask in (as_installed, ordinary))

    assert installed.status_code == status
    assert with_chance_removed(installed) == with_chance_removed(late)


def test_head_and_options_are_answered_alike(path, caller):
    for method in ("head", "options"):
        installed, late = (ask(f"{path}/frames/1", caller, method) for ask in (as_installed, ordinary))

        assert installed.status_code == 200
        assert with_chance_removed(installed) == with_chance_removed(late)


def test_who_may_not_read_it_is_told_alike(path):
    maribor = create_site(name="Maribor")
    stranger = make_user(Role.NEUROLOGIST, site=maribor)
    narrow = make_user(Role.NEUROLOGIST)

    for who, status in ((bearer(stranger), 404), (bearer(narrow, Action.STUDY_READ), 403), (BASIC, 401), ({}, 401)):
        installed, late = (ask(f"{path}/frames/1", who) for ask in (as_installed, ordinary))

        assert installed.status_code == status
        assert with_chance_removed(installed) == with_chance_removed(late)
    assert not AuditEvent.objects.filter(kind=EventKind.SERIES_READ).exists()


def test_a_study_of_two_of_ones_sites_is_ambiguous_alike(path):
    dataset, _ = multi_frame()
    maribor = create_site(name="Maribor")
    receive_series([dataset], site=maribor)
    user = make_user(Role.NEUROLOGIST)
    user.sites.add(maribor)
    who = bearer(user)

    installed, late = (ask(f"{path}/frames/1", who) for ask in (as_installed, ordinary))

    assert installed.status_code == 409
    assert with_chance_removed(installed) == with_chance_removed(late)


def test_the_very_next_frame_after_a_revocation_is_refused(path):
    user = make_user(Role.NEUROLOGIST)
    who = bearer(user)
    assert only_early(f"{path}/frames/1", who).status_code == 200

    revoke_token(token_id=ApiToken.objects.get().pk, actor=user)

    assert as_installed(f"{path}/frames/1", who).status_code == 401


def test_who_sends_both_a_token_and_a_session_is_told_apart_the_ordinary_way(path):
    both = session(make_user(Role.NEUROLOGIST)) | bearer(make_user(Role.NEUROLOGIST))

    assert only_early(f"{path}/frames/1", both).status_code == 404
    assert ordinary(f"{path}/frames/1", both).status_code == 200
    assert AuditEvent.objects.get(kind=EventKind.SERIES_READ).actor_id == ApiToken.objects.get().user_id


def test_reading_early_is_one_event_of_the_reader(caller):
    datasets = series(4)
    receive_series(datasets)

    for dataset in datasets:
        assert only_early(f"{address(dataset)}/frames/1", caller).status_code == 200

    event = AuditEvent.objects.get(kind=EventKind.SERIES_READ)
    assert event.actor_id == User.objects.get().pk
    assert (event.object_type, event.site_id) == ("series", User.objects.get().sites.get().pk)


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
