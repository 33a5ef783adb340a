"""The department's housekeeping on the default queue."""

from celery import shared_task

from plaqueview.operations.retention import apply_retention

TIME_LIMIT_S = 3600


@shared_task(name="operations.apply_retention", time_limit=TIME_LIMIT_S)
def retention() -> None:
    """Patients past the department's rule of retention are erased."""
    apply_retention()
