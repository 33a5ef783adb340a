"""What the department keeps no longer: patients of whom nothing came for a stated time, unless somebody holds them."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.operations.erasure import erase
from plaqueview.patients.models import Patient
from plaqueview.patients.services import locked_patient

logger = logging.getLogger(__name__)

# A rule that is set for the first time begins with the oldest, and does not block the worker for a day.
MOST_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Applied:
    """How many were erased, and how many wait for work on them to end."""

    erased: int
    waiting: int


def due() -> list[tuple[UUID, datetime]]:
    """Whom, and when anything last came of them, the oldest first; nobody without a rule, and nobody who is held."""
    if not settings.RETENTION_DAYS:
        return []
    patients = Patient.objects.filter(hold_reason="").annotate(last_received_at=Max("studies__last_received_at"))
    found = patients.filter(last_received_at__lt=_deadline()).order_by("last_received_at", "pk")
    return list(found.values_list("pk", "last_received_at"))


def apply_retention() -> Applied:
    """Each is erased in a transaction of its own, so that one who has to wait stops nobody."""
    erased = waiting = 0
    for patient_id, _ in due():
        if erased == MOST_AT_ONCE:
            break  # not before: who has to wait for long keeps nobody else
        try:
            erased += _erase_if_still_due(patient_id)
        except NotFoundError:
            logger.info("patient %s is gone already", patient_id)
        except ConflictError as error:
            logger.info("patient %s is not erased yet: %s", patient_id, error)
            waiting += 1
    return Applied(erased, waiting)


@transaction.atomic
def _erase_if_still_due(patient_id: UUID) -> int:
    """How many are erased: none when something came of the patient since they were found to be due."""
    patient = locked_patient(patient_id, None)
    # Whoever is about to add to a study has it locked.
    received_at = patient.studies.select_for_update(of=("self",)).values_list("last_received_at", flat=True)
    last_received_at = max(received_at, default=None)
    if last_received_at is None or last_received_at >= _deadline():
        return 0
    reason = f"retention: nothing received for {settings.RETENTION_DAYS} days"
    erase(patient_id=patient_id, reason=reason, is_reauthenticated=True, actor=None)
    return 1


def _deadline() -> datetime:
    """Who has had nothing come since then goes."""
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS)
