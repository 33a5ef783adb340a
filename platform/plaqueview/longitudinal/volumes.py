"""The two volumes of a registration, with what is known of the brain in each."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.masks import brain_mask_of
from plaqueview.annotations.models import Annotation
from plaqueview.imaging import mask_codec
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
    return Pair(fixed, moving, _brain_mask(claim.fixed_series_id, fixed), _brain_mask(claim.moving_series_id, moving))


def _brain_mask(series_id: UUID, volume: Volume) -> NDArray[np.bool_] | None:
    """That of the newest version on the volume's own grid."""
    with_mask = Annotation.objects.filter(series=series_id).exclude(brain_mask_key="")
    annotation = with_mask.order_by("-version").first()
    if annotation is None or annotation.shape != volume.shape:
        return None
    return mask_codec.decode(brain_mask_of(annotation).content).astype(np.bool_)
