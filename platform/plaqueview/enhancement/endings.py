"""What a worker leaves behind: what enhances, written once, or a reason."""

from dataclasses import dataclass

from django.db import transaction

from plaqueview.enhancement.leases import Claim, held_enhancement
from plaqueview.enhancement.models import EnhancementState
from plaqueview.enhancement.places import EnhancingPlaces
from plaqueview.enhancement.requests import end, lay_by


@dataclass(frozen=True)
class Found:
    """What the worker found, and how alike the registered T1s are."""

    places: EnhancingPlaces
    similarity: float
    seconds: float


@transaction.atomic
def complete(claim: Claim, *, found: Found) -> None:
    """The search has succeeded with these places.

    Raises: ClaimLostError.
    """
    enhancement = held_enhancement(claim)
    enhancement.places, enhancement.similarity = found.places.as_json(), found.similarity
    enhancement.seconds = found.seconds
    end(enhancement, EnhancementState.SUCCEEDED)


@transaction.atomic
def fail(claim: Claim, *, reason: str) -> None:
    """The search has failed, with the reason that a user reads.

    Raises: ClaimLostError.
    """
    enhancement = held_enhancement(claim)
    enhancement.reason = reason
    end(enhancement, EnhancementState.FAILED)


@transaction.atomic
def put_back(claim: Claim, *, reason: str) -> None:
    """The search waits again, as what it needs is away: that is no attempt, and the reason says what it is.

    Raises: ClaimLostError.
    """
    enhancement = held_enhancement(claim)
    enhancement.attempts, enhancement.reason = enhancement.attempts - 1, f"{reason}; it is tried again by itself"
    lay_by(enhancement)
