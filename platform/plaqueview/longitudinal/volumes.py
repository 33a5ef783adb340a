"""The two volumes of a registration, with what is known of the brain in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.masks import brain_on
from plaqueview.imaging.volume import Volume
from plaqueview.longitudinal.leases import Claim
from plaqueview.studies.services import load_volume


@dataclass(frozen=True, eq=False)
class Pair:
    """A brain mask is (slices, rows, columns) bool on its volume's grid; None where no version has one."""

    fixed: Volume
    moving: Volume
    fixed_brain: NDArray[np.bool_] | None
    moving_brain: NDArray[np.bool_] | None


def load_pair(claim: Claim) -> Pair:
    """The volumes that the claim is about.

    Raises: SeriesReadError when one of the series is not one volume.
    """
    fixed, moving = load_volume(claim.fixed_series_id).volume, load_volume(claim.moving_series_id).volume
    brains = brain_on(claim.fixed_series_id, fixed.shape), brain_on(claim.moving_series_id, moving.shape)
    return Pair(fixed, moving, *brains)
