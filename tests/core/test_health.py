"""Alive is one process; ready is every part, each really asked."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client

from plaqueview.core import health, tasks, workers
from plaqueview.core.errors import UnavailableError
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.STORAGE_DIR = tmp_path / "storage"
    return settings.STORAGE_DIR


def beat_all() -> None:
    for queue in (DEFAULT_QUEUE, INFERENCE_QUEUE):
        health.beat(health.worker_of_queue(queue))


def test_alive_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_each_part_is_asked():
    beat_all()

    answer = Client().get("/readyz")

    checks = answer.json()["checks"]
    assert {"database", "broker", "storage", "worker"} <= set(checks)
    assert {name: checks[name]["detail"] for name in ("database", "broker", "storage", "worker")} == {
        "database": "",
        "broker": "",
        "storage": "",
        "worker": "",
    }
    assert all(check["milliseconds"] >= 0 for check in checks.values())
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("checks", [{}, {"disk": lambda: None}])
def test_ready_when_every_check_passes(rf, checks):
    answer = health.Readiness.as_view(checks=checks)(rf.get("/readyz"))

    assert answer.status_code == 200
    assert b'"status": "ready"' in answer.content


def test_one_check_that_fails_makes_503_and_is_named(rf):
    def fail() -> None:
        raise UnavailableError("the disk is full")

    answer = health.Readiness.as_view(checks={"disk": fail, "broker": lambda: None})(rf.get("/readyz"))

    assert answer.status_code == 503
    assert b'"disk": {"is_ok": false, "detail": "the disk is full"' in answer.content
    assert b'"broker": {"is_ok": true, "detail": ""' in answer.content


def test_without_workers_it_is_not_ready():
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["worker"]["detail"] == "no worker of the queue default was heard of within 20 s"


def test_workers_of_one_queue_alone_are_not_enough():
    health.beat(health.worker_of_queue(DEFAULT_QUEUE))

    with pytest.raises(UnavailableError, match="no worker of the queue inference was heard of within 20 s"):
        health.check_worker()


def test_a_worker_that_falls_silent_is_missed(monkeypatch):
    monkeypatch.setattr(health, "BEAT_LIFETIME_S", 1)
    beat_all()
    health.check_worker()

    time.sleep(1.1)

    with pytest.raises(UnavailableError):
        health.check_worker()


def test_a_broker_that_is_away_is_named(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}

    with pytest.raises(UnavailableError, match="the broker does not answer"):
        health.check_broker()
    with pytest.raises(UnavailableError, match="workers cannot be heard"):
        health.check_worker()


def test_a_disk_without_room_is_named(settings):
    settings.DISK_RESERVE_BYTES = 1 << 60

    with pytest.raises(UnavailableError, match="bytes free, needs"):
        health.check_storage()


def test_a_store_that_is_a_file_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.STORAGE_DIR = tmp_path / "file"

    with pytest.raises(UnavailableError, match="the storage directory cannot be written"):
        health.check_storage()


def test_the_probe_of_the_store_leaves_nothing(store):
    health.check_storage()

    assert list(store.iterdir()) == []


def test_a_database_that_does_not_answer_is_named(monkeypatch):
    def fail() -> None:
        raise DatabaseError("secret detail")

    monkeypatch.setattr(health, "require_migrations", fail)

    with pytest.raises(UnavailableError, match=r"^the database does not answer$"):
        health.check_database()


def test_a_database_without_its_migrations_is_named(tmp_path):
    program = (
        "import django; django.setup()\n"
        "from plaqueview.core.health import check_database\n"
        "try:\n    check_database()\nexcept Exception as error:\n    print(error)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PLAQUEVIEW_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
    }

    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert result.stdout.startswith("the database lacks ")
    assert result.stdout.endswith(" migrations; run `plaqueview manage migrate`\n")


WORKER = "import sys; from plaqueview.celery import celery_app; celery_app.worker_main(sys.argv[1:])"


def test_a_real_worker_beats_for_the_queues_it_serves_and_for_no_other(empty_broker):
    command = ["worker", "--pool=solo", "--queues=default", "--loglevel=ERROR", "--without-gossip", "--without-mingle"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
    }

    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", WORKER, *command], env=environment) as worker:
        try:
            wait_until_heard(DEFAULT_QUEUE)
            told = wait_until_told()
        finally:
            worker.terminate()

    with pytest.raises(UnavailableError):
        health.require_beat(health.worker_of_queue(INFERENCE_QUEUE))
    assert (told.queues, told.device) == (("default",), "")
    assert told.name.startswith("celery@")
    assert told.free_memory_bytes is not None
    assert told.free_disk_bytes is not None


def test_a_worker_whose_storage_is_away_is_heard_of(empty_broker, settings, tmp_path, monkeypatch):
    (tmp_path / "storage").write_text("a file where the folder should be")
    settings.STORAGE_DIR = tmp_path / "storage" / "of the department"
    monkeypatch.setattr(tasks, "_names", ["training@here"])

    tasks.beat_for_queues()

    (told,) = workers.heard_of()
    assert (told.name, told.is_alive, told.free_disk_bytes) == ("training@here", True, None)
    assert told.free_memory_bytes is not None


def is_heard(queue: str) -> bool:
    try:
        health.require_beat(health.worker_of_queue(queue))
    except UnavailableError:
        return False
    return True


def wait_until_heard(queue: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if is_heard(queue):
            return
        time.sleep(0.1)
    pytest.fail(f"no worker of {queue} was heard of within 60 s")


def wait_until_told() -> workers.Worker:
    """The first that tells of itself and is alive; what follows may outlast its last beat."""
    deadline = time.monotonic() + 60
    while not (told := [worker for worker in workers.heard_of() if worker.is_alive]):
        assert time.monotonic() < deadline, "no living worker told of itself"
        time.sleep(0.05)
    return told[0]
