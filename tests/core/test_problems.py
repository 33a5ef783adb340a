"""Every refusal has one form, wherever it arises."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from plaqueview.core.access import Role
from tests.accounts.people import browser, csrf, make_user, token_client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]

PROBLEM = "application/problem+json"


def body(status: int, title: str, code: str, detail: str, **more: object) -> dict[str, object]:
    problem = {"type": f"urn:plaqueview:problem:{code}", "title": title, "status": status, "code": code}
    return {**problem, "detail": detail, **more}


NESTED = [{"field": "a", "detail": "one; two"}, {"field": "b.c", "detail": "three"}]
TWO_FIELDS = [{"field": "a", "detail": "is 1, need 2"}, {"field": "b", "detail": "is missing"}]
INVALID = "the request has invalid fields"

EXPECTED = {
    "not_found": body(404, "Not Found", "not_found", "no study 7"),
    "denied": body(403, "Forbidden", "denied", "this needs the action audit.read"),
    "invalid": body(422, "Unprocessable Entity", "invalid", "two fields are wrong", errors=TWO_FIELDS),
    "conflict": body(409, "Conflict", "conflict", "job 7 is running, need a failed one"),
    "precondition_failed": body(412, "Precondition Failed", "precondition_failed", "version 3 is current, you saw 2"),
    "too_large": body(413, "Request Entity Too Large", "too_large", "9 files, at most 8"),
    "unavailable": body(503, "Service Unavailable", "unavailable", "the disk is full"),
    "http404": body(404, "Not Found", "not_found", "no such thing, or none that you may see"),
    "permission": body(403, "Forbidden", "denied", "not allowed"),
    "database": body(503, "Service Unavailable", "unavailable", "the database cannot serve now; try again soon"),
    "throttled": body(429, "Too Many Requests", "throttled", "Request was throttled. Expected available in 7 seconds."),
    "nested": body(400, "Bad Request", "invalid", INVALID, errors=NESTED),
    "list": body(400, "Bad Request", "invalid", INVALID, errors=[{"field": "non_field_errors", "detail": "one; two"}]),
}


@pytest.mark.parametrize("prefix", ["raise", "octets"])
@pytest.mark.parametrize("name", EXPECTED)
def test_an_error_becomes_its_problem(name, prefix):
    answer = Client().get(f"/api/v1/{prefix}/{name}")

    assert answer.json() == EXPECTED[name]
    assert answer.status_code == EXPECTED[name]["status"]
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_throttled_caller_is_told_when_to_come_back():
    assert Client().get("/api/v1/raise/throttled").headers["Retry-After"] == "7"


def test_a_failure_of_the_server_tells_nothing_of_its_cause():
    client = Client(raise_request_exception=False)

    answer = client.get("/api/v1/raise/crash")

    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert answer.json()["code"] == "server_error"
    assert b"secret" not in answer.content
    assert b"ZeroDivision" not in answer.content


def test_nobody_signed_in_is_401_with_a_challenge():
    answer = Client().get("/api/v1/guarded")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plaqueview"'
    assert answer.json() == body(
        401, "Unauthorized", "not_authenticated", "Authentication credentials were not provided."
    )


def test_a_role_without_the_action_is_403():
    answer = token_client(make_user(Role.NEUROLOGIST)).get("/api/v1/guarded")

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


def test_a_method_that_names_no_action_is_refused_even_to_an_administrator():
    assert token_client(make_user(Role.ADMIN)).delete("/api/v1/guarded").status_code == 403


def test_a_method_that_is_not_there_is_405_and_says_which_are():
    client = token_client(make_user(Role.ADMIN))

    answer = client.put("/api/v1/raise/denied", {}, content_type="application/json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, PROBLEM)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json()["code"] == "method_not_allowed"


def test_a_body_in_another_format_is_415():
    client = token_client(make_user(Role.ADMIN))

    answer = client.post("/api/v1/work", "<a/>", content_type="application/xml")

    assert (answer.status_code, answer.headers["Content-Type"]) == (415, PROBLEM)
    assert answer.json()["code"] == "unsupported_media_type"


def test_a_body_that_is_no_json_is_400():
    client = token_client(make_user(Role.ADMIN))

    answer = client.post("/api/v1/work", "{", content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_an_answer_that_the_caller_does_not_accept_is_406():
    answer = token_client(make_user(Role.ADMIN)).get("/api/v1/guarded", headers={"accept": "text/html"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (406, PROBLEM)


def test_a_session_without_the_csrf_header_is_403():
    client = browser(make_user(Role.ADMIN))

    answer = client.post("/api/v1/work", {}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert client.post("/api/v1/work", {}, content_type="application/json", headers=csrf(client)).status_code == 202


def test_a_csrf_token_among_the_fields_of_a_form_does_not_count():
    client = browser(make_user(Role.ADMIN))
    body = {"csrfmiddlewaretoken": csrf(client)["x-csrftoken"], "file": SimpleUploadedFile("a", b"1")}

    answer = client.post("/api/v1/upload-work", body)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_the_body_of_an_upload_is_not_read_before_its_sender_is_known():
    client = browser(make_user(Role.ADMIN))
    upload = NeverRead(b"--here--")
    request = {"wsgi.input": upload, "CONTENT_LENGTH": "8", "CONTENT_TYPE": "multipart/form-data; boundary=here"}

    answer = client.post("/api/v1/upload-work", {}, **request)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


class NeverRead(BytesIO):
    def read(self, *_: object) -> bytes:
        pytest.fail("the body was read")


@pytest.mark.parametrize(
    "path", ["/api/", "/api", "/api/v1/nothing", "/api/v2/studies", "/dicom-web/none", "/_allauth/x", "/static/x.js"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_address_without_anything_is_404(path, method):
    answer = getattr(Client(), method)(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)
    assert answer.json() == body(404, "Not Found", "not_found", "there is nothing at this address")


def test_another_host_is_400():
    answer = Client().get("/api/v1/me", headers={"host": "evil.example"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROBLEM)


def test_a_body_beyond_the_limit_is_413_before_it_is_read(settings):
    settings.REQUEST_MAX_BYTES = 1024
    client = token_client(make_user(Role.ADMIN))

    answer = client.post("/api/v1/work", b"x" * 1025, content_type="application/json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROBLEM)
    assert answer.json() == body(
        413, "Request Entity Too Large", "too_large", "the body has 1025 bytes, this department accepts 1024"
    )


def test_an_upload_has_a_limit_of_its_own(settings):
    settings.REQUEST_MAX_BYTES = 1024
    settings.UPLOAD_MAX_BYTES = 4096
    client = token_client(make_user(Role.ADMIN))

    small = client.post("/dicom-web/studies", {"file": SimpleUploadedFile("a", b"x" * 2048)})
    large = client.post("/dicom-web/studies", {"file": SimpleUploadedFile("a", b"x" * 5000)})

    assert (small.status_code, large.status_code) == (415, 413)


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/v1/work", "/_allauth/browser/v1/auth/login"])
def test_a_form_of_a_stranger_is_no_upload(path, settings):
    """The CSRF check looks for its token in a form, and writes the form's files to the disk to find it."""
    settings.REQUEST_MAX_BYTES = 1024

    answer = Client(enforce_csrf_checks=True).post(path, {"file": SimpleUploadedFile("a", b"x" * 2048)})

    assert answer.status_code == 413


def test_a_length_that_is_no_number_is_400():
    answer = Client().generic("POST", "/api/v1/work", b"", headers={"content-length": "many"})

    assert answer.status_code == 400
