"""The Celery application: web code names a task, workers hold it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")
# `migrate` and `doctor` check the settings; a worker that did would load every view, which only the web needs.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

celery_app = Celery("plaqueview")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()
