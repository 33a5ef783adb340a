"""What a browser is sent: the pages, and the headers that keep others out of them."""

import pytest
from django.test import Client

from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user

pytestmark = pytest.mark.django_db

HTML = b"<!doctype html><title>PlaqueView</title>"


@pytest.fixture
def built(settings, tmp_path):
    (tmp_path / "index.html").write_bytes(HTML)
    settings.WEB_DIR = tmp_path
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/worklist", "/studies/7?slice=3", "/sign-in", "/apiary", "/models/"])
def test_every_page_is_the_same_html(built, path):
    answer = Client().get(path)

    assert (answer.status_code, answer.content) == (200, HTML)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_pages_that_are_not_built_say_so(settings, tmp_path):
    settings.WEB_DIR = tmp_path

    answer = Client().get("/")

    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f"there is no index.html in {tmp_path}" in answer.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_are_only_read(built, method):
    client = browser()

    assert getattr(client, method)("/worklist", headers=csrf(client)).status_code == 405


def test_the_other_name_of_this_machine_leads_to_the_one_that_cookies_know(built, settings):
    settings.ORIGIN = "http://127.0.0.1:8000"

    answer = Client().get("/studies/7?slice=3", headers={"host": "localhost:8000"})
    other_port = Client().get("/", headers={"host": "localhost:9000"})
    same = Client().get("/", headers={"host": "127.0.0.1:8000"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:8000/studies/7?slice=3")
    assert (other_port.status_code, same.status_code) == (200, 200)


def test_the_policy_lets_the_viewer_work_and_nothing_else(built, settings):
    header = Client().get("/").headers["Content-Security-Policy"]

    policy = dict(directive.strip().split(" ", 1) for directive in header.split(";"))
    assert policy == {
        "default-src": "'self'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "connect-src": f"'self' {settings.FEED_ORIGIN}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("path", ["/", "/api/v1/me", "/healthz", "/api/v1/nothing"])
def test_every_answer_carries_the_headers_that_browsers_obey(built, path):
    headers = Client().get(path).headers

    assert "Content-Security-Policy" in headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_static_files_carry_the_policy_too_since_web_workers_take_it_from_there():
    answer = Client().get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css")

    assert answer.status_code == 200
    assert answer.getvalue().startswith(b".swagger-ui")
    assert "script-src 'self' 'wasm-unsafe-eval'" in answer.headers["Content-Security-Policy"]


def test_answers_with_patient_data_are_stored_nowhere():
    client = browser(make_user(Role.NEUROLOGIST))

    for path in ("/api/v1/tokens", "/api/v1/me", "/_allauth/browser/v1/auth/session"):
        assert "no-store" in client.get(path).headers["Cache-Control"]


def test_cookies_are_kept_from_scripts_and_from_other_sites(settings):
    settings.SESSION_COOKIE_SECURE = True
    client = browser()
    make_user(Role.NEUROLOGIST, username="ana")
    body = {"username": "ana", "password": PASSWORD}
    headers = csrf(client)

    cookies = client.post(
        "/_allauth/browser/v1/auth/login", body, content_type="application/json", headers=headers
    ).cookies

    session, token = cookies["plaqueview_sessionid"], cookies["plaqueview_csrftoken"]
    assert (session["httponly"], session["samesite"], session["path"], session["max-age"]) == (True, "Lax", "/", 43200)
    assert session["secure"] is True
    assert (token["httponly"], token["samesite"]) == ("", "Lax")


def test_a_script_that_looks_for_the_feed_here_is_led_to_it(settings):
    answer = Client().get("/ws/feed")

    assert (answer.status_code, answer.headers["Location"]) == (307, settings.FEED_URL)


def test_who_i_am_in_full(settings):
    user = make_user(Role.INTEGRATOR, username="pacs-bridge")
    client = browser(user)

    body = client.get("/api/v1/me").json()

    site = user.sites.get()
    assert body == {
        "id": str(user.pk),
        "username": "pacs-bridge",
        "display_name": "pacs-bridge",
        "role": "integrator",
        "sites": [{"id": str(site.pk), "name": "Ljubljana"}],
        "actions": sorted(user.actions),
        "feed_url": settings.FEED_URL,
        "version": "0.1.0",
        "time_zone": "UTC",
        "needs_second_factor": False,
        "counting_rule": "26-connected components of at least 14.1 mm³; "
        "active when at least half of the voxels are labelled active",
    }


def test_a_stranger_is_given_the_csrf_cookie_with_the_refusal():
    answer = Client().get("/api/v1/me")

    assert answer.status_code == 401
    assert len(answer.cookies["plaqueview_csrftoken"].value) == 32


def test_the_documentation_page_has_no_inline_script_or_style():
    client = Client()

    page = client.get("/api/v1/docs/")
    script = client.get("/api/v1/docs/?script=")

    assert (page.status_code, script.status_code) == (200, 200)
    assert page.text.count("<script") == page.text.count("<script src=") == 3
    assert "<style" not in page.text
    assert script.headers["Content-Type"] == "application/javascript"
