"""Frames by token are answered before the framework, with the very answers of the ordinary way."""

import pytest
from django.conf import settings
from django.test import Client, override_settings
from pydicom.uid import JPEGLSLossless

from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site, revoke_token
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core import problems
from plaqueview.core.access import Action, Role
from tests.accounts.people import browser, make_user, secret_of
from tests.imaging.phantoms import set_pixels
from tests.pacs.test_retrieval import FRAMES, address, multi_frame, noise
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

urlpatterns: list[object] = []  # of `only_early`
handler404 = problems.not_found

EARLY = "plaqueview.pacs.middleware.answer_frames_early"
OCTETS = "application/octet-stream"


def with_chance_removed(answer) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, without what differs between any two answers."""
    headers = dict(answer.headers)
    assert headers.pop("X-Request-ID")
    boundary = headers.get("Content-Type", "").partition("boundary=")[2] or "no boundary"
    headers = {name: value.replace(boundary, "") for name, value in headers.items()}
    return answer.status_code, headers, answer.content.replace(boundary.encode(), b"")


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


@pytest.fixture
def token() -> dict[str, str]:
    return bearer(make_user(Role.NEUROLOGIST))


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
def test_what_is_answered_early_is_what_the_ordinary_way_answers(frames, headers, options, path, token):
    early = only_early(f"{path}/frames/{frames}", headers | token, **options)
    late = ordinary(f"{path}/frames/{frames}", headers | token, **options)

    assert early.status_code in {200, 206, 416}
    assert with_chance_removed(early) == with_chance_removed(late)


def test_behind_tls_it_is_the_same(path, token, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 31_536_000
    headers = token | {"x-forwarded-proto": "https"}

    early, late = (ask(f"{path}/frames/1", headers) for ask in (only_early, ordinary))

    assert (early.status_code, early["Strict-Transport-Security"]) == (200, "max-age=31536000")
    assert with_chance_removed(early) == with_chance_removed(late)


def test_what_the_caller_has_is_not_sent_again(path, token):
    has = {"if-none-match": ordinary(f"{path}/frames/1", token)["ETag"]}

    early, late = (ask(f"{path}/frames/1", token | has) for ask in (only_early, ordinary))

    assert (early.status_code, early.content) == (304, b"")
    assert with_chance_removed(early) == with_chance_removed(late)


@pytest.mark.parametrize("accept", [FRAMES, 'multipart/related; type="image/jls"', "image/jls"])
def test_a_compressed_frame_is_the_same(accept, token):
    dataset = series(1)[0]
    set_pixels(dataset, noise())
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    receive_bytes(encoded(dataset, syntax=JPEGLSLossless))

    early, late = (ask(f"{address(dataset)}/frames/1", token | {"accept": accept}) for ask in (only_early, ordinary))

    assert early.status_code == 200
    assert with_chance_removed(early) == with_chance_removed(late)


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
    ("1", {"authorization": "Basic YTpi"}, "get", 401),
    ("1", {}, "post", 403),
    ("1", {}, "delete", 403),
]


@pytest.mark.parametrize(("frames", "headers", "method", "status"), REFUSED)
def test_what_is_refused_is_refused_alike(frames, headers, method, status, path, token):
    asked = f"{path}/frames/{frames}", token | headers, method

    installed, late = (ask(*asked) for ask in (as_installed, ordinary))

    assert installed.status_code == status
    assert with_chance_removed(installed) == with_chance_removed(late)


def test_head_and_options_are_answered_alike(path, token):
    for method in ("head", "options"):
        installed, late = (ask(f"{path}/frames/1", token, method) for ask in (as_installed, ordinary))

        assert installed.status_code == 200
        assert with_chance_removed(installed) == with_chance_removed(late)


def test_who_may_not_read_it_is_told_alike(path):
    maribor = create_site(name="Maribor")
    stranger = make_user(Role.NEUROLOGIST, site=maribor)
    narrow = make_user(Role.NEUROLOGIST)

    for who, status in ((bearer(stranger), 404), (bearer(narrow, Action.STUDY_READ), 403), ({}, 401)):
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


def test_a_session_is_answered_the_ordinary_way(path):
    client = browser(make_user(Role.NEUROLOGIST))

    assert client.get(f"{path}/frames/1").status_code == 200
    with override_settings(ROOT_URLCONF=__name__):
        beside = Client(headers=bearer(make_user(Role.NEUROLOGIST)))
        beside.cookies = client.cookies
        assert beside.get(f"{path}/frames/1").status_code == 404


def test_reading_early_is_one_event_of_the_reader(token):
    datasets = series(4)
    receive_series(datasets)

    for dataset in datasets:
        assert only_early(f"{address(dataset)}/frames/1", token).status_code == 200

    event = AuditEvent.objects.get(kind=EventKind.SERIES_READ)
    assert event.actor_id == User.objects.get().pk
    assert (event.object_type, event.site_id) == ("series", User.objects.get().sites.get().pk)
