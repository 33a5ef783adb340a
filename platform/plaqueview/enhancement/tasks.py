"""Enhancement's errands on the default queue; the search itself runs in the worker's own tasks."""

from uuid import UUID

from celery import shared_task
from django.db import OperationalError

from plaqueview.core.errands import FrequentErrand
from plaqueview.enhancement import services


@shared_task(
    name="enhancement.request_for_study",
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def request_for_study(study_id: str) -> None:
    """A study that was read, and in which two T1s go together, has its search."""
    services.request_for_study(UUID(study_id))


@shared_task(name="enhancement.requeue_expired", base=FrequentErrand)
def requeue_expired() -> None:
    """Searches of dead workers wait again."""
    services.requeue_expired()
