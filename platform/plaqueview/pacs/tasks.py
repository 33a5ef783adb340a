"""The tasks of the worker's default queue: each takes an id and calls one function."""

from uuid import UUID

from celery import shared_task

from plaqueview.pacs import kept_headers


@shared_task(name="pacs.keep_headers")
def keep_headers(study_id: str) -> None:
    kept_headers.keep_of_study(UUID(study_id))
