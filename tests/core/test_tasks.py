"""What has served its time is forgotten, and nothing else."""

import os
import time
import uuid
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from plaqueview.celery import celery_app
from plaqueview.core.models import IdempotentRequest
from plaqueview.core.tasks import forget

pytestmark = pytest.mark.django_db


def test_old_answers_are_forgotten():
    old, new = (
        IdempotentRequest.objects.create(actor_id=uuid.uuid4(), key=key, fingerprint="", status=202)
        for key in ("old", "new")
    )
    IdempotentRequest.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=8))

    forget()

    assert list(IdempotentRequest.objects.all()) == [new]


def test_sessions_that_have_ended_are_forgotten():
    now = timezone.now()
    Session.objects.create(session_key="ended", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="open", session_data="", expire_date=now + timedelta(hours=1))

    forget()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


def test_what_a_killed_process_left_is_forgotten_after_a_day(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path
    for name, age_s in (("yesterday", 25 * 3600), ("today", 3600)):
        folder = tmp_path / "incoming" / name
        folder.mkdir(parents=True)
        (folder / "0").write_bytes(b"left")
        os.utime(folder, (time.time() - age_s,) * 2)

    forget()

    assert [path.name for path in (tmp_path / "incoming").iterdir()] == ["today"]


def test_every_periodic_task_is_one_that_a_worker_knows():
    celery_app.loader.import_default_modules()

    scheduled = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}

    assert scheduled - set(celery_app.tasks) == set()


def test_no_task_has_a_time_limit_which_threads_would_not_keep():
    celery_app.loader.import_default_modules()
    own = [task for name, task in celery_app.tasks.items() if not name.startswith("celery.")]

    assert {(task.time_limit, task.soft_time_limit) for task in own} == {(None, None)}
