"""A log says what happened, with ids; never a patient's name, and never a secret."""

import json
import logging

import pydicom.config
import pytest
from django.test import Client

from plaqueview.celery import celery_app
from plaqueview.core.access import Role
from plaqueview.core.logs import JSONFormatter, WithoutReadiness
from tests.accounts.people import PASSWORD, browser, csrf, make_user, secret_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]

NAME = "Novak^Ana"


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize(
    "path", ["/api/v1/studies", "/api/v1/nothing", "/api/v1/raise/denied", "/api/v1/raise/crash", "/api/v1/audit"]
)
@pytest.mark.parametrize("role", [Role.NEUROLOGIST, None])
def test_what_was_searched_for_is_not_logged(path, role, caplog):
    client = browser(make_user(role)) if role else Client()
    client.raise_request_exception = False

    client.get(path, {"search": NAME, "patient_id": NAME})

    assert NAME not in caplog.text
    assert "Novak" not in caplog.text


def test_what_was_sent_is_not_logged(caplog):
    client = browser(make_user(Role.NEUROLOGIST))

    client.post("/api/v1/work", {"number": NAME}, content_type="application/json", headers=csrf(client))

    assert "Novak" not in caplog.text


def test_passwords_and_tokens_are_not_logged(caplog):
    user = make_user(Role.NEUROLOGIST, username="ana")
    secret = secret_of(user)
    client = browser()
    body = {"username": "ana", "password": PASSWORD}

    client.post("/_allauth/browser/v1/auth/login", body, content_type="application/json", headers=csrf(client))
    client.get("/api/v1/me", headers={"authorization": f"Bearer {secret}"})
    client.get("/api/v1/guarded", headers={"authorization": f"Bearer {secret}x"})

    assert PASSWORD not in caplog.text
    assert secret not in caplog.text


def test_libraries_that_write_what_they_read_are_kept_quiet(settings):
    loggers = settings.LOGGING["loggers"]

    assert {name: loggers[name]["level"] for name in ("pynetdicom", "py.warnings")} == {
        "pynetdicom": "ERROR",
        "py.warnings": "ERROR",
    }
    pydicom.config.debug(False, False)  # what it does when it is imported
    assert (logging.getLogger("pydicom").propagate, loggers["pydicom"]["handlers"]) == (False, ["nowhere"])


def test_a_probe_that_fails_is_logged_once_by_its_reason(caplog):
    handler = caplog.handler
    handler.addFilter(WithoutReadiness())

    Client().get("/readyz")

    names = {record.name for record in caplog.records if record.levelno >= logging.WARNING}
    assert names == {"plaqueview.core.health"}
    handler.filters.clear()


def lines_of(caplog: pytest.LogCaptureFixture, logger: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in caplog.text.splitlines() if json.loads(line)["logger"] == logger]


def test_a_line_of_json_has_the_request_s_id_and_nothing_that_was_searched_for(caplog):
    caplog.handler.setFormatter(JSONFormatter())
    client = Client(raise_request_exception=False)

    answer = client.get("/api/v1/raise/crash", {"search": NAME}, headers={"x-request-id": "from-the-proxy-1"})

    (line,) = lines_of(caplog, "django.request")
    assert answer.headers["X-Request-ID"] == "from-the-proxy-1"
    assert set(line) == {"time", "level", "logger", "message", "request_id", "traceback"}
    assert (line["level"], line["request_id"]) == ("ERROR", "from-the-proxy-1")
    assert "Novak" not in caplog.text


@pytest.mark.parametrize("given", ["", "short", "a b c d e f g h", "x" * 65, 'one","level":"'])
def test_an_id_that_is_none_is_replaced(given):
    answer = Client().get("/healthz", headers={"x-request-id": given})

    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"] != Client().get("/healthz").headers["X-Request-ID"]


def test_a_line_of_a_worker_has_the_task_s_id_and_what_it_was_sent(caplog):
    caplog.handler.setFormatter(JSONFormatter())

    @celery_app.task(name="tests.speaks")
    def speak(job_id):
        logging.getLogger("plaqueview.spoken").info("done with %s", job_id)

    speak.apply(("7c6a9d1e",), task_id="the-task")

    (line,) = lines_of(caplog, "plaqueview.spoken")
    assert {name: line[name] for name in ("message", "task", "task_id", "task_args")} == {
        "message": "done with 7c6a9d1e",
        "task": "tests.speaks",
        "task_id": "the-task",
        "task_args": ["7c6a9d1e"],
    }
    celery_app.tasks.pop("tests.speaks")
