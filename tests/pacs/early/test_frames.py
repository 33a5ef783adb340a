"""Frames are answered before sessions and the framework, with the very answers of the ordinary way."""

import pytest
from pydicom.uid import JPEGLSLossless

from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site, revoke_token
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from tests.accounts.people import make_user
from tests.imaging.phantoms import set_pixels
from tests.pacs.early.answers import OCTETS, as_installed, bearer, only_early, ordinary, session, with_chance_removed
from tests.pacs.wado import FRAMES, address, multi_frame, noise
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

BASIC = {"authorization": "Basic YTpi"}
ANSWERED = [
    ("1", {"accept": FRAMES}, {}),
    ("4,2", {"accept": FRAMES}, {}),
    ("3", {"accept": OCTETS}, {}),
    ("3", {}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=3-17"}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=9999-"}, {}),
    ("1", {"accept": OCTETS, "range": "bytes=3-17", "if-range": '"another"'}, {}),
    ("1", {"accept": FRAMES}, {"query_params": {"format": "json"}}),
    ("1", {"accept": FRAMES}, {"query_params": {"accept": OCTETS}}),
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
