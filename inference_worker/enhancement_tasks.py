"""The edge between the comparison of two T1s and the platform: claim it, look for what enhances, keep it or the reason.

The worker that reads studies imports this module too.
"""

import logging
import os
import time
from typing import Final
from uuid import UUID

from celery import Task, shared_task

from inference_worker.errands import Errand, carry_out
from inference_worker.tasks import NO_BRAIN, REGISTRATION_ERRORS, keep_lease
from inference_worker.uptake_finding import paired
from plaqueview.enhancement import services as enhancement
from plaqueview.imaging.enhancement import ALGORITHM, EnhancementRule, find_enhancing_places
from plaqueview.imaging.matched_intensities import IntensityError

logger = logging.getLogger(__name__)

ENHANCEMENT_ERRORS: Final = (*REGISTRATION_ERRORS, IntensityError)
UNEXPECTED: Final = "Comparing the T1s failed by an error of ours; the worker's log has it under its number."


@shared_task(name="enhancement.find", bind=True)
def find(self: Task[..., None], enhancement_id: str) -> None:
    """The search has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    claim = enhancement.claim(enhancement_id=UUID(enhancement_id), worker=worker)
    if claim is None:
        logger.info("enhancement %s has ended or is another worker's", enhancement_id)
        return
    carry_out(
        Errand(
            name=f"enhancement {enhancement_id}",
            work=lambda: enhancement.complete(claim, found=find_places(claim)),
            fail=lambda reason: enhancement.fail(claim, reason=reason),
            put_back=lambda reason: enhancement.put_back(claim, reason=reason),
            expected=ENHANCEMENT_ERRORS,
            unexpected=UNEXPECTED,
        )
    )


def find_places(claim: enhancement.Claim) -> enhancement.Found:
    """What enhances on the grid of the FLAIR; the lease stays alive meanwhile.

    Raises: ClaimLostError; SeriesReadError, RegistrationError, IntensityError and what else rules the volumes out.
    """
    started_s, rule = time.monotonic(), EnhancementRule()
    with keep_lease(lambda: enhancement.renew(claim), of=f"enhancement {claim.enhancement_id}"):
        visit = enhancement.load_visit(claim)
        if visit.brain is None:
            raise IntensityError(NO_BRAIN)
        movement, pair = paired(visit.before, visit.after)
        places = find_enhancing_places(visit.flair, pair, visit.brain, rule=rule)
    kept = enhancement.EnhancingPlaces(visit.flair.shape, ALGORITHM, rule, places)
    return enhancement.Found(kept, similarity=movement.similarity, seconds=time.monotonic() - started_s)
