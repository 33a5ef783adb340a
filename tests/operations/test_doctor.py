"""The doctor asks the real parts, says what to do, and fails when one fails."""

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from plaqueview.core import health
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE
from plaqueview.operations import clocks, doctor
from tests.inference.scenes import make_model

pytestmark = pytest.mark.django_db

NAMES = [
    "settings", "settings for care", "database", "broker", "queues", "storage", "erasing", "identifiers",
    "sealing", "clock",
    "worker default", "worker inference", "worker training", "errands", "model",
]  # fmt: skip


@pytest.fixture
def installation(settings, tmp_path, monkeypatch) -> None:
    """Everything is there but what a worker says of itself, which counts for as long as a slow machine needs."""
    monkeypatch.setattr(health, "BEAT_LIFETIME_S", 600)
    settings.STORAGE_DIR = tmp_path / "storage"
    make_model()
    every = IntervalSchedule.objects.create(every=5, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="outbox.tend", task="outbox.tend", interval=every, last_run_at=timezone.now())


def beat(*queues: str) -> None:
    for queue in queues:
        health.beat(health.worker_of_queue(queue))


def findings() -> dict[str, str]:
    return {finding.examination.name: finding.line for finding in doctor.examine()}


def test_a_whole_installation_passes_with_a_line_for_each_part(installation):
    beat(DEFAULT_QUEUE, INFERENCE_QUEUE)
    said = StringIO()

    call_command("doctor", stdout=said)

    lines = said.getvalue().splitlines()
    assert [line[6:24].rstrip() for line in lines] == NAMES
    assert [line[6:24].rstrip() for line in lines if not line.startswith("ok  ")] == [
        "settings for care",  # tests speak http
        "worker training",
    ]


def test_each_part_that_is_missing_is_named_with_what_to_do(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.STORAGE_DIR = tmp_path / "file"
    said = StringIO()

    with pytest.raises(CommandError, match=r"^5 of the checks failed$"):
        call_command("doctor", stdout=said)

    failed = [line for line in said.getvalue().splitlines() if line.startswith("FAIL")]
    assert [line[6:24].rstrip() for line in failed] == [
        "storage",
        "worker default",
        "worker inference",
        "errands",
        "model",
    ]
    assert failed[0] == (
        "FAIL  storage             the storage directory cannot be written: "
        "make room, give PLAQUEVIEW_STORAGE_DIR to the user of these processes, or compare PLAQUEVIEW_S3_*"
    )
    assert failed[1] == (
        "FAIL  worker default      no worker of the queue default was heard of within 20 s: start one, and read its log"
    )
    assert failed[3] == "FAIL  errands             no task was sent on time within 1 min: start `celery beat`, once"


def test_a_broker_that_is_away_fails_every_part_behind_it(installation, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}

    lines = findings()

    assert [name for name, line in lines.items() if line.startswith("FAIL")] == [
        "broker", "clock", "worker default", "worker inference"
    ]  # fmt: skip
    assert "127.0.0.1" not in "".join(lines.values())


def test_the_clocks_of_the_parts_are_read():
    before = time.time()
    clocks.check_clocks()

    assert abs(clocks.broker_time_s() - before) < clocks.CLOCK_TOLERANCE_S


@pytest.mark.parametrize(
    ("ahead_s", "problem"),
    [
        (5.0, "the broker is 5.0 s ahead of this machine, at most 2 s are allowed"),
        (-3600.0, "the broker is 3600.0 s behind this machine, at most 2 s are allowed"),
    ],
)
def test_a_clock_that_is_off_is_named_with_its_distance(monkeypatch, ahead_s, problem):
    now = time.time()
    monkeypatch.setattr(clocks.time, "time", lambda: now - ahead_s)
    found_s = now

    assert health.problem_of(lambda: clocks.require_same_time("the broker", found_s)) == problem


def test_an_error_in_the_settings_fails(installation, settings):
    settings.CSRF_FAILURE_VIEW = "nowhere.view"

    assert findings()["settings"] == (
        "FAIL  settings            security.E102 The CSRF failure view 'nowhere.view' could not be imported.: "
        "correct the environment file"
    )
