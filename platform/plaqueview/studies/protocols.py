"""How a study's FLAIR was taken, against what is recommended and against an earlier study."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from pydicom.dataset import Dataset

from plaqueview.accounts.models import User
from plaqueview.core.errors import NotFoundError
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.image_quality import ImageQuality
from plaqueview.imaging.protocol import (
    Acquisition,
    Difference,
    Finding,
    Verdict,
    acquisition_of,
    check_protocol,
    compare_protocols,
)
from plaqueview.studies.models import Series, SeriesSource, Study
from plaqueview.studies.reading import priors_of, read_study
from plaqueview.studies.summaries import announce_study
from plaqueview.studies.volumes import load_first_header


@dataclass(frozen=True, eq=False)
class StudyProtocol:
    """`differences` is empty where there is no prior to compare with; its parts that are the same are in it too."""

    study: Study
    findings: tuple[Finding, ...]
    prior: Study | None
    differences: tuple[Difference, ...]


def read_protocol(*, study_id: UUID, prior_id: UUID | None, actor: User) -> StudyProtocol:
    """The study against the prior that is named, or else the newest one that has a FLAIR; the reading is on record.

    Raises: DeniedError; NotFoundError, also when the prior is no earlier study of the patient with a FLAIR.
    """
    study = read_study(study_id=study_id, actor=actor)
    prior = _prior(study, prior_id)
    differences = differences_between(study.flair_series, prior.flair_series if prior else None)
    return StudyProtocol(study, findings_of(study.flair_series), prior, differences)


def _prior(study: Study, prior_id: UUID | None) -> Study | None:
    newest_first = [one.pk for one in priors_of(study)]
    with_flair = Study.objects.filter(flair_series__isnull=False).select_related("flair_series")
    found = with_flair.in_bulk(newest_first)
    if prior_id is None:
        return next((found[pk] for pk in newest_first if pk in found), None)
    if prior_id not in found:
        raise NotFoundError("prior is no earlier study of the patient that has a FLAIR")
    return found[prior_id]


def findings_of(flair: Series | None, *, until: datetime | None = None) -> tuple[Finding, ...]:
    """Every check of the FLAIR; what was measured after `until` is not known yet."""
    if flair is None:
        return check_protocol(None, None)
    return check_protocol(_acquisition(flair), _quality(flair.quality, until))


def differences_between(flair: Series | None, prior: Series | None) -> tuple[Difference, ...]:
    if flair is None or prior is None:
        return ()
    return compare_protocols(_acquisition(flair), _acquisition(prior))


def differing(differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
    return tuple(one for one in differences if one.verdict == Verdict.WARNING)


def keep_quality(*, series_id: UUID, quality: ImageQuality) -> None:
    """What was measured stands in the series' row, with when; who looks at its study hears of it."""
    measured = asdict(quality) | {"measured_at": timezone.now().isoformat()}
    Series.objects.filter(pk=series_id).update(quality=measured)
    for study in Study.objects.filter(flair_series=series_id):
        announce_study(study)


def _quality(stored: Mapping[str, Any] | None, until: datetime | None) -> ImageQuality | None:  # Any: JSON
    if stored is None or (until is not None and datetime.fromisoformat(stored["measured_at"]) > until):
        return None
    return ImageQuality(stored["noise"], stored["ghosting"], stored["edge_brain"])


def _acquisition(series: Series) -> Acquisition:
    """A series that came as NIfTI, or whose file cannot be read, says nothing but its grid."""
    spacing, *pixel = series.spacing_mm or (None,)
    matrix = (series.rows, series.columns) if series.rows and series.columns else None
    in_plane = (pixel[0], pixel[1]) if pixel else None
    return acquisition_of(_header(series), slice_spacing_mm=spacing, pixel_mm=in_plane, matrix=matrix)


def _header(series: Series) -> Dataset:
    named = Dataset()
    named.SeriesDescription = series.series_description
    if series.source == SeriesSource.NIFTI:
        return named
    try:
        return load_first_header(series.pk)
    except SeriesReadError:
        return named
