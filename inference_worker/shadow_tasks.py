"""The edge between a model in shadow and the platform: claim a reading, read the study, keep the answer or the reason.

The worker that reads studies imports this module too. What fails here fails by itself: the study, its job and its
readers know nothing of it.
"""

import logging
import os
from typing import Final
from uuid import UUID

from celery import Task, shared_task

from inference_worker.errands import Errand, carry_out
from inference_worker.graphs import WeightsError
from inference_worker.tasks import EXPECTED_ERRORS, keep_lease, segmenter_of
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
    carry_out(
        Errand(
            name=f"shadow reading {reading_id}",
            work=lambda: monitoring.complete_reading(claim, read(claim)),
            fail=lambda reason: monitoring.fail_reading(claim, reason=reason),
            expected=SHADOW_ERRORS,
            unexpected=UNEXPECTED,
        )
    )


def read(claim: monitoring.ReadingClaim) -> Segmentation:
    """What the model says of the claimed series; the lease stays alive meanwhile.

    Raises: ClaimLostError; WeightsError, SeriesReadError and what else rules model or series out.
    """
    with keep_lease(lambda: monitoring.renew_reading(claim), of=f"shadow reading {claim.reading_id}") as heartbeat:
        segmenter = segmenter_of(monitoring.model_of(claim))
        return segmenter.segment(load_volume(claim.series_id).volume, on_progress=heartbeat.report)
