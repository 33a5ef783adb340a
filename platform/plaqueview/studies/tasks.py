"""The tasks of the worker's default queue: each takes an id and calls one service."""

from uuid import UUID

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.studies import services


@shared_task(name="studies.settle")
def settle(study_id: str, quiet_s: str = "0") -> None:
    services.settle(UUID(study_id), quiet_s=float(quiet_s))


@shared_task(name="studies.settle_quiet", base=FrequentErrand)
def settle_quiet() -> None:
    services.enqueue_overdue()


@shared_task(name="studies.release_abandoned", base=FrequentErrand)
def release_abandoned() -> None:
    services.release_abandoned()


@shared_task(name="studies.forget_removed")
def forget_removed() -> None:
    """Bytes that nobody wants any more are gone: set aside with their rows, or left by an upload."""
    services.forget_removed()
    services.forget_waiting()


@shared_task(name="studies.process_upload")
def process_upload(upload_id: str) -> None:
    services.process_upload(UUID(upload_id))
