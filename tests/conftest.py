"""What every test may rely on: a real broker behind database tests, and reproducible random examples."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import settings as hypothesis_settings
from redis import Redis

from plaqueview.celery import celery_app
from plaqueview.launcher.broker import wait_for_broker
from plaqueview.launcher.process_group import guarded_group
from tests.settings import broker

hypothesis_settings.register_profile("plaqueview", derandomize=True, deadline=None, database=None)
hypothesis_settings.load_profile("plaqueview")

END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database can be emptied between tests, for which SQLite deletes rows that nobody else may delete.

    At the end nobody is connected any more: of a process or thread that a test ended, PostgreSQL may not know it yet.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS audit_event_never_goes")
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(END_OTHER_SESSIONS)


@pytest.fixture(scope="session")
def running_broker() -> Iterator[Redis]:
    """The broker of `tests/settings.py` answers."""
    with guarded_group() as group, Redis.from_url(broker.url) as connection:
        server = subprocess.Popen(broker.command, stdout=subprocess.DEVNULL, process_group=group)
        wait_for_broker(broker)
        yield connection
        server.terminate()
        server.wait()


@pytest.fixture
def empty_broker(running_broker: Redis) -> Iterator[Redis]:
    """The broker, with nothing in it before and after the test."""
    running_broker.flushall()
    yield running_broker
    running_broker.flushall()


@pytest.fixture
def sent_tasks(monkeypatch) -> list[tuple[str, tuple[str, ...], str]]:
    """Every task that was sent: its name, its arguments, its queue."""
    sent: list[tuple[str, tuple[str, ...], str]] = []

    def send_task(name, args=(), queue="", **_options):
        sent.append((name, tuple(args), queue))

    monkeypatch.setattr(celery_app, "send_task", send_task)
    return sent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the database run with a broker: services announce and enqueue after their commit.

    Files with slow tests come first, so that of several processes none is left alone with one at the end.
    """
    slow_files = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow_files)
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or names & DATABASE_FIXTURES:
            item.fixturenames.insert(0, "empty_broker")  # type: ignore[attr-defined]  # of pytest.Function
