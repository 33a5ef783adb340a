"""The T1s of one visit brought together: the one before contrast agent is registered to the one after it."""

from __future__ import annotations

import numpy as np

from plaqueview.imaging.enhancement import T1Pair
from plaqueview.imaging.registration import RigidRegistration, register_rigidly
from plaqueview.imaging.volume import Volume

# The scanner says how the FLAIR lies to the T1 after contrast agent of the same visit.
SAME_PLACE = np.eye(4)


def paired(before: Volume, after: Volume) -> tuple[RigidRegistration, T1Pair]:
    """How the head moved between them, and the two on the way from the grid of the same visit's FLAIR.

    Raises: RegistrationError when they do not look like the same head.
    """
    movement = register_rigidly(after, before)
    return movement, T1Pair(before, after, to_before=movement.matrix, to_after=SAME_PLACE)
