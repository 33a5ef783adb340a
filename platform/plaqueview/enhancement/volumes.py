"""The three volumes of a search, and what is known of the brain."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.masks import brain_on
from plaqueview.enhancement.leases import Claim
from plaqueview.imaging.volume import GeometryError, Volume
from plaqueview.studies import services as studies


@dataclass(frozen=True, eq=False)
class Visit:
    """`brain` is (slices, rows, columns) bool on the grid of the FLAIR; None where no version has one."""

    flair: Volume
    before: Volume
    after: Volume
    brain: NDArray[np.bool_] | None


def load_visit(claim: Claim) -> Visit:
    """The volumes that the claim is about.

    Raises: SeriesReadError when one of the series is not one volume; GeometryError when the scanner does not say how
    the FLAIR lies to the T1 after contrast agent.
    """
    require_same_place(claim.flair_series_id, claim.after_series_id)
    series = (claim.flair_series_id, claim.before_series_id, claim.after_series_id)
    flair, before, after = (studies.load_volume(series_id).volume for series_id in series)
    return Visit(flair, before, after, brain_on(claim.flair_series_id, flair.shape))


def require_same_place(flair_series_id: UUID, after_series_id: UUID) -> None:
    """Raises: GeometryError when the two have no common frame of reference; SeriesReadError.

    Source: PS3.3 C.7.4.1: positions of images with one frame of reference are positions in one room.
    """
    headers = map(studies.load_first_header, (flair_series_id, after_series_id))
    flair, after = (str(header.get("FrameOfReferenceUID") or "") for header in headers)
    if not flair or flair != after:
        raise GeometryError("the FLAIR and the T1 after contrast agent have no common frame of reference")
