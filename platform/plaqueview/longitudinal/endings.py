"""What a worker leaves behind: a matrix and what became brighter, written once, or a reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from plaqueview.longitudinal.brightening import Brightening
from plaqueview.longitudinal.leases import Claim, held_registration
from plaqueview.longitudinal.models import RegistrationState
from plaqueview.longitudinal.requests import end, lay_by


@dataclass(frozen=True)
class Found:
    """What the worker found; `matrix` is row-major 4x4, LPS mm of the study to LPS mm of the prior."""

    matrix: Sequence[float]
    similarity_before: float
    similarity: float
    seconds: float
    brightening: Brightening


@transaction.atomic
def complete(claim: Claim, *, found: Found) -> None:
    """The registration has succeeded with this matrix.

    Raises: ClaimLostError.
    """
    registration = held_registration(claim)
    registration.matrix = [float(value) for value in found.matrix]
    registration.similarity_before, registration.similarity = found.similarity_before, found.similarity
    registration.seconds, registration.brightening = found.seconds, found.brightening.as_json()
    end(registration, RegistrationState.SUCCEEDED, actor=None)


@transaction.atomic
def fail(claim: Claim, *, reason: str) -> None:
    """The registration has failed, with the reason that a user reads.

    Raises: ClaimLostError.
    """
    registration = held_registration(claim)
    registration.reason = reason
    end(registration, RegistrationState.FAILED, actor=None)


@transaction.atomic
def put_back(claim: Claim, *, reason: str) -> None:
    """The registration waits again, as what it needs is away: that is no attempt, and the reason says what it is.

    Raises: ClaimLostError.
    """
    registration = held_registration(claim)
    registration.attempts, registration.reason = registration.attempts - 1, f"{reason}; it is tried again by itself"
    lay_by(registration)
