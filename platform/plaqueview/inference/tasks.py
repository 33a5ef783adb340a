"""Inference's errands on the default queue; the network itself runs in the worker's own tasks."""

import logging
from uuid import UUID

from celery import shared_task
from django.db import OperationalError

from plaqueview.core.errands import FrequentErrand
from plaqueview.core.errors import ConflictError
from plaqueview.inference import services

logger = logging.getLogger(__name__)

# A step of a re-run is done in seconds.
LOST_AFTER_S = 120.0


@shared_task(
    name="inference.request_for_study",
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def request_for_study(study_id: str) -> None:
    """A study that has settled has its job; one that cannot be read says so itself."""
    try:
        services.request(study_id=UUID(study_id), actor=None)
    except ConflictError as refusal:
        logger.info("study %s: no inference: %s", study_id, refusal.detail)


@shared_task(name="inference.spread_rerun")
def spread_rerun(rerun_id: str) -> None:
    """Some more studies of the re-run have their job."""
    services.spread(UUID(rerun_id))


@shared_task(name="inference.requeue_expired", base=FrequentErrand)
def requeue_expired() -> None:
    """Jobs of dead workers wait again, and so does what they would have said of regions, and what was to be re-run."""
    services.requeue_expired()
    services.ask_for_regions_again()
    services.spread_again(older_than_s=LOST_AFTER_S)
