"""What every test may rely on: a real broker behind database tests, and reproducible random examples."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management.color import Style
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
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

# By migrations, with what is always the same; to make it anew after each test that commits takes thirty times as long
# as to empty the other tables.
FILLED_BY_MIGRATIONS = {"auth_permission", "django_content_type"}

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database can be emptied between tests, for which SQLite deletes rows that nobody else may delete.

    At the end nobody is connected any more: of a process or thread that a test ended, PostgreSQL may not know it yet.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS audit_event_never_goes")
    with what_migrations_filled_stays():
        yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(END_OTHER_SESSIONS)


@contextmanager
def what_migrations_filled_stays() -> Iterator[None]:
    """Within, `flush` neither empties nor fills it."""

    def statements(style: Style, connection: BaseDatabaseWrapper, **options: bool) -> Sequence[str]:
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
        return connection.ops.sql_flush(style, sorted(tables - FILLED_BY_MIGRATIONS), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", statements)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_words, **_options: None)
        yield


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
