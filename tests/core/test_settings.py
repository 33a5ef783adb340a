"""A wrong environment stops the start with one line that names the variable and keeps its secrets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

KEY = "aHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMjI="
GOOD = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT / 'platform'}",
    "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
    "PLAQUEVIEW_SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP",
    "PLAQUEVIEW_ORIGIN": "https://plaqueview.example",
    "PLAQUEVIEW_ALLOWED_HOSTS": "plaqueview.example",
    "PLAQUEVIEW_DATABASE_URL": "sqlite:////tmp/none.sqlite3",
    "PLAQUEVIEW_REDIS_URL": "redis://:hunter2@127.0.0.1:1/0",
    "PLAQUEVIEW_STORAGE_DIR": "/tmp/none",
}


def start(expression: str = "'started'", /, **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    program = f"from django.conf import settings; settings.DEBUG; print({expression})"
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def test_a_good_environment_starts():
    result = start()

    assert (result.returncode, result.stdout, result.stderr) == (0, "started\n", "")


@pytest.mark.parametrize("name", [name for name in GOOD if name.startswith("PLAQUEVIEW_")])
def test_what_has_no_default_must_be_there(name):
    result = start(**{name: None})

    assert result.returncode == 1
    assert result.stderr == f'PlaqueView cannot start: Environment variable "{name}" not set\n'


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [
        ("PLAQUEVIEW_SECRET_KEY", "short", "needs at least 32 characters, at random"),
        ("PLAQUEVIEW_SECRET_KEY", "a" * 64, "needs at least 32 characters, at random"),
        ("PLAQUEVIEW_ORIGIN", "plaqueview.example", "needs to begin with http:// or https:// and a host"),
        ("PLAQUEVIEW_ORIGIN", "https://", "needs to begin with http:// or https:// and a host"),
        ("PLAQUEVIEW_ORIGIN", "https://plaqueview.example/", "needs a scheme, a host and a port, with no path"),
        ("PLAQUEVIEW_FEED_URL", "https://plaqueview.example/ws/feed", "needs to begin with ws:// or wss:// and a host"),
        ("PLAQUEVIEW_ALLOWED_HOSTS", "", "needs host names, separated by commas, and no *"),
        ("PLAQUEVIEW_ALLOWED_HOSTS", "*", "needs host names, separated by commas, and no *"),
        ("PLAQUEVIEW_DATABASE_URL", "postgres//someone:hunter2@host/db", "Not a valid database URL"),
        ("PLAQUEVIEW_REDIS_URL", "http://:hunter2@host", "needs to begin with redis:// or rediss:// and a host"),
        ("PLAQUEVIEW_STORAGE_DIR", "storage", "needs an absolute path"),
        ("PLAQUEVIEW_STORAGE_DIR", "", "needs an absolute path"),
        ("PLAQUEVIEW_TIME_ZONE", "Mars/Olympus", "needs the name of a time zone"),
        ("PLAQUEVIEW_LOG_LEVEL", "LOUD", "Not a valid log level"),
        ("PLAQUEVIEW_DEBUG", "perhaps", "Not a valid boolean"),
        ("PLAQUEVIEW_LESION_CONNECTIVITY", "7", "Must be one of: 6, 18, 26"),
        ("PLAQUEVIEW_MINIMUM_LESION_VOLUME_MM3", "-1", "Must be greater than or equal to 0.0"),
        ("PLAQUEVIEW_JOB_LEASE_S", "0", "Must be greater than or equal to 1"),
        ("PLAQUEVIEW_JOB_LEASE_S", "soon", "Not a valid integer"),
        ("PLAQUEVIEW_UPLOAD_MAX_BYTES", "0", "Must be greater than or equal to 1"),
        ("PLAQUEVIEW_IDENTIFIER_KEYS", "hunter2", "needs 32 bytes in base64 each"),
        ("PLAQUEVIEW_IDENTIFIER_KEYS", "clear", "needs 32 bytes in base64 each"),
        ("PLAQUEVIEW_IDENTIFIER_KEYS", f"{KEY},clear", "needs 32 bytes in base64 each"),
        ("PLAQUEVIEW_IDENTIFIER_KEYS", f"{KEY},{KEY}", "and none twice"),
    ],
)
def test_a_malformed_value_is_named_with_what_is_needed(name, value, needed):
    result = start(**{name: value})

    assert result.returncode == 1
    assert result.stderr.startswith(f'PlaqueView cannot start: Environment variable "{name}" invalid: ')
    assert needed in result.stderr
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr


def test_machines_that_learn_together_have_to_meet_somewhere():
    name = "PLAQUEVIEW_TRAINING_RENDEZVOUS"

    results = [start(PLAQUEVIEW_TRAINING_MACHINES="2", **{name: value}) for value in ("", "host:29400")]

    assert [result.returncode for result in results] == [1, 0]
    assert (
        results[0].stderr == f"PlaqueView cannot start: Environment variable \"{name}\" invalid: ['needs HOST:PORT']\n"
    )


def test_the_command_line_ends_with_the_same_line():
    environment = {name: value for name, value in GOOD.items() if name != "PLAQUEVIEW_SECRET_KEY"}

    result = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"], env=environment, capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == 'PlaqueView cannot start: Environment variable "PLAQUEVIEW_SECRET_KEY" not set\n'


def test_nothing_is_shown_to_debug_unless_asked():
    assert start("settings.DEBUG").stdout == "False\n"
    assert start("settings.DEBUG", PLAQUEVIEW_DEBUG="1").stdout == "True\n"


def test_cookies_need_tls_and_keep_to_their_host_where_there_is_tls():
    expression = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS"
    names = "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME"
    plain = {"PLAQUEVIEW_ORIGIN": "http://127.0.0.1:8000"}

    assert start(expression).stdout == "True True 31536000\n"
    assert start(names).stdout == "__Host-plaqueview_sessionid __Host-plaqueview_csrftoken\n"
    assert start(expression, **plain).stdout == "False False 0\n"
    assert start(names, **plain).stdout == "plaqueview_sessionid plaqueview_csrftoken\n"


def test_the_feed_is_at_the_origin_unless_it_is_elsewhere():
    assert start("settings.FEED_URL").stdout == "wss://plaqueview.example/ws/feed\n"
    assert start("settings.FEED_URL", PLAQUEVIEW_FEED_URL="ws://127.0.0.1:8001/ws/feed").stdout == (
        "ws://127.0.0.1:8001/ws/feed\n"
    )


def test_django_finds_nothing_to_warn_of_before_deployment():
    result = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"],
        env=GOOD,
        capture_output=True,
        text=True,
        check=False,
    )

    assert set(re.findall(r"security\.W\d+", result.stderr)) == set()
