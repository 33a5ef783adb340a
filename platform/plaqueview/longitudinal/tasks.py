"""Longitudinal's errands on the default queue; the registration itself runs in the worker's own tasks."""

from uuid import UUID

from celery import shared_task
from django.db import OperationalError

from plaqueview.core.errands import FrequentErrand
from plaqueview.longitudinal import services


@shared_task(
    name="longitudinal.request_for_study",
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def request_for_study(study_id: str) -> None:
    """A study that the network has read has its registrations."""
    services.request_for_study(UUID(study_id))


@shared_task(name="longitudinal.requeue_expired", base=FrequentErrand)
def requeue_expired() -> None:
    """Registrations of dead workers wait again."""
    services.requeue_expired()
