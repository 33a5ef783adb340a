"""The edge between a model in shadow and the platform: claim a reading, read the study, keep the answer or the reason.

The worker that reads studies imports this module too. What fails here fails by itself: the study, its job and its
readers know nothing of it.
"""

import logging
import os
from typing import Final
from uuid import UUID

from celery import Task, shared_task
from django.db import OperationalError

from inference_worker.prediction import WeightsError
from inference_worker.tasks import EXPECTED_ERRORS, keep_lease, segmenter_of
from plaqueview.core.leases import ClaimLostError
from plaqueview.imaging.agreement import AgreementError
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.monitoring import services as monitoring
from plaqueview.studies.services import load_volume

logger = logging.getLogger(__name__)

SHADOW_ERRORS: Final = (*EXPECTED_ERRORS, AgreementError, WeightsError)
UNEXPECTED: Final = "The reading failed by an error of ours; the worker's log has it under its number."


@shared_task(name="monitoring.read_in_shadow", bind=True)
def read_in_shadow(self: Task[..., None], reading_id: str) -> None:
    """The reading has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    claim = monitoring.claim_reading(reading_id=UUID(reading_id), worker=worker)
    if claim is None:
        logger.info("shadow reading %s has ended or is another worker's", reading_id)
        return
    try:
        monitoring.complete_reading(claim, read(claim))
    except ClaimLostError as end:
        logger.info("shadow reading %s: nothing was written: %s", reading_id, end)
    except SHADOW_ERRORS as error:
        fail(claim, str(error))
    except OperationalError:
        raise  # the database is away: the lease lapses, and the study is read again
    except Exception:
        fail(claim, UNEXPECTED)
        raise


def read(claim: monitoring.ReadingClaim) -> Segmentation:
    """What the model says of the claimed series; the lease stays alive meanwhile.

    Raises: ClaimLostError; WeightsError, SeriesReadError and what else rules model or series out.
    """
    with keep_lease(lambda: monitoring.renew_reading(claim), of=f"shadow reading {claim.reading_id}") as heartbeat:
        segmenter = segmenter_of(monitoring.model_of(claim))
        return segmenter.segment(load_volume(claim.series_id).volume, on_progress=heartbeat.report)


def fail(claim: monitoring.ReadingClaim, reason: str) -> None:
    """The reading has failed, unless it is no longer this worker's."""
    try:
        monitoring.fail_reading(claim, reason=reason)
    except ClaimLostError as end:
        logger.info("shadow reading %s: its failure was not written: %s", claim.reading_id, end)
