"""The Celery application: web code names a task, workers hold it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")

celery_app = Celery("plaqueview")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()
