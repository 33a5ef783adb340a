"""Errands that come every few seconds are done once where they piled up."""

import time

import pytest
from celery import Task
from django.conf import settings

from plaqueview.celery import celery_app
from plaqueview.core.errands import FrequentErrand

A_MINUTE_S = 60


@pytest.fixture
def errand(settings) -> Task:
    """It takes down that it was done; the clock asks for it every four seconds."""
    done: list[str] = []

    @celery_app.task(base=FrequentErrand, name="core.note", shared=False)
    def note() -> None:
        done.append("done")

    settings.CELERY_BEAT_SCHEDULE = {"core.note": {"task": "core.note", "schedule": 4.0}}
    note.done = done
    yield note
    del celery_app.tasks["core.note"]


def test_every_errand_of_the_clock_that_comes_within_a_minute_is_one():
    celery_app.loader.import_default_modules()
    asked = settings.CELERY_BEAT_SCHEDULE
    frequent = {name for name, entry in asked.items() if entry["schedule"] < A_MINUTE_S}

    assert {name for name in asked if isinstance(celery_app.tasks[name], FrequentErrand)} == frequent
    assert [entry["task"] for entry in asked.values()] == list(asked)


def test_what_piled_up_is_done_once_and_what_comes_in_time_again(errand, empty_broker):
    for _ in range(100):
        errand.apply(throw=True)
    assert errand.done == ["done"]

    time.sleep(2.1)
    errand.apply(throw=True)

    assert errand.done == ["done"] * 2


def test_without_the_cache_it_is_done_each_time(errand, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    for _ in range(2):
        errand.apply(throw=True)

    assert errand.done == ["done"] * 2
