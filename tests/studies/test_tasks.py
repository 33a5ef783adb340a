"""The tasks that messages name: registered under those names, and no more than a call of their service."""

from datetime import timedelta

import pytest
from django.utils import timezone

from plaqueview.celery import celery_app
from plaqueview.studies import tasks
from plaqueview.studies.models import Study, StudyState, Upload, UploadState
from plaqueview.studies.settling import PROCESS_UPLOAD_TASK, SETTLE_TASK
from tests.studies.dicom_files import encoded, receive_series, series
from tests.studies.taken_uploads import uploaded
from tests.studies.test_settling import tasks_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_task_that_is_named_exists():
    celery_app.loader.import_default_modules()

    assert {SETTLE_TASK, PROCESS_UPLOAD_TASK, "studies.settle_quiet"} <= set(celery_app.tasks)


def test_a_study_that_more_of_came_in_meanwhile_is_not_settled_yet():
    receive_series(series(10))
    study = Study.objects.get()

    tasks.settle(str(study.pk), "60")
    study.refresh_from_db()
    assert study.state == StudyState.RECEIVING
    Study.objects.update(last_received_at=timezone.now() - timedelta(seconds=60))
    tasks.settle(str(study.pk), "60")

    study.refresh_from_db()
    assert study.state == StudyState.QUEUED


def test_an_upload_is_processed():
    upload = uploaded({"IM0": encoded(series(1)[0])})

    tasks.process_upload(str(upload.pk))

    assert Upload.objects.get().state == UploadState.DONE


def test_what_is_quiet_is_looked_for(empty_broker, settings):
    settings.QUIET_PERIOD_S = 0.0
    receive_series(series(2))

    tasks.settle_quiet()

    assert tasks_in(empty_broker) == [("studies.settle", str(Study.objects.get().pk))]
