"""The department's housekeeping on the default queue."""

from celery import shared_task

from plaqueview.operations.retention import apply_retention


@shared_task(name="operations.apply_retention")
def retention() -> None:
    """Patients past the department's rule of retention are erased."""
    apply_retention()
