"""How the studies of each scanner have changed, from the rows that the clock has kept."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.core.access import Action, require
from plaqueview.imaging.drift import Drift, compare_samples
from plaqueview.monitoring.models import StudyEdit, StudyMeasures

CURRENT_DAYS: Final = 30
REFERENCE_DAYS: Final = 180
SHOWN_DAYS: Final = 366

# What is watched, and what a person calls it.
MEASURES: Final[Mapping[str, str]] = {
    "slice_mm": "Distance of slices, mm",
    "pixel_mm": "Pixel, mm",
    "brain_ml": "Brain mask, ml",
    "intensity_median": "Median of the brain's intensity",
    "intensity_contrast": "95th percentile over the median",
    "noise": "Noise over the brain's median (estimate)",
    "ghosting": "Ghosts in the air over the head's mean (estimate)",
    "lesion_ml": "Lesion load, ml (AI-predicted)",
    "lesion_count": "Lesions (AI-predicted)",
    "edit": "What readers changed: 1 less Dice",
    "edited_lesions": "Lesions that readers added, removed or gave another class",
}

EDITS: Final = ("edit", "edited_lesions")

Group = tuple[str, str, str]  # site, manufacturer, model
Point = tuple[datetime, str, float]  # when, in which month (YYYY-MM), how much


@dataclass(frozen=True)
class Month:
    """`month` is YYYY-MM; the three figures are quartiles."""

    month: str
    studies: int
    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class Course:
    """One measure of one scanner; `drift` is None where there are too few studies to say anything.

    The medians are None where there is no study.
    """

    name: str
    title: str
    months: Sequence[Month]
    current_studies: int
    reference_studies: int
    current_median: float | None
    reference_median: float | None
    drift: Drift | None

    @property
    def is_alert(self) -> bool:
        return self.drift is not None and self.drift.is_alert


@dataclass(frozen=True)
class ScannerCourse:
    """A scanner at a site; a study whose file names no scanner belongs to one without a name."""

    site: str
    manufacturer: str
    model: str
    studies: int
    courses: Sequence[Course]


def read_drift(*, actor: User) -> Sequence[ScannerCourse]:
    """Every scanner of the actor's sites with the course of what is watched, those with an alert first.

    Raises: DeniedError.
    """
    require(actor, Action.TRAINING_READ)
    now = timezone.now()
    points = _points_of(actor, since=now - timedelta(days=SHOWN_DAYS))
    scanners = [_scanner_course(group, by_measure, now) for group, by_measure in points.items()]
    return sorted(
        scanners, key=lambda one: (not any(course.is_alert for course in one.courses), -one.studies, one.site)
    )


def _points_of(actor: User, *, since: datetime) -> Mapping[Group, Mapping[str, list[Point]]]:
    """Each study once, when it was first read: reading a hundred old ones again is no change of the scanner."""
    first_reads = StudyMeasures.objects.filter(study=OuterRef("study")).order_by("read_at", "pk").values("pk")[:1]
    of_sites = StudyMeasures.objects.filter(study__site__in=actor.sites.all(), read_at__gte=since)
    inputs = [name for name in MEASURES if name not in EDITS]
    columns = ("study_id", "study__site__name", "manufacturer", "scanner_model", "read_at", *inputs)
    rows = list(of_sites.filter(pk=Subquery(first_reads)).order_by("read_at").values_list(*columns))
    edits = _edits_of([study_id for study_id, *_ in rows], since)
    zone = timezone.get_current_timezone()
    points: dict[Group, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for study_id, site, manufacturer, model, read_at, *values in rows:
        of_group = points[site, manufacturer, model]
        found = dict(zip(inputs, values, strict=True)) | edits.pop(study_id, {})
        local = read_at.astimezone(zone)
        month = f"{local.year:04}-{local.month:02}"
        for name, value in found.items():
            if value is not None:
                of_group[name].append((read_at, month, float(value)))
    return points


def _edits_of(study_ids: Sequence[UUID], since: datetime) -> dict[UUID, dict[str, float]]:
    """By study, how far its newest approved version is from what its readers began with.

    Asked for by the studies: no index knows which versions are new, and there are as many as in all the years.
    """
    rows = StudyEdit.objects.filter(study__id__among=study_ids, final__created__gte=since)
    compared = rows.exclude(comparison=None).order_by("final__version")
    return {study_id: _edit(found) for study_id, found in compared.values_list("study_id", "comparison") if found}


def _edit(found: Mapping[str, float]) -> dict[str, float]:
    return {
        "edit": 1.0 - found["dice"],
        "edited_lesions": found["added"] + found["removed"] + found["class_changed"],
    }


def _scanner_course(group: Group, by_measure: Mapping[str, list[Point]], now: datetime) -> ScannerCourse:
    courses = [_course(name, by_measure[name], now) for name in MEASURES if name in by_measure]
    return ScannerCourse(*group, studies=len(by_measure["lesion_count"]), courses=courses)


def _course(name: str, points: Sequence[Point], now: datetime) -> Course:
    current_from = now - timedelta(days=CURRENT_DAYS)
    reference_from = current_from - timedelta(days=REFERENCE_DAYS)
    current = [value for at, _, value in points if at >= current_from]
    reference = [value for at, _, value in points if reference_from <= at < current_from]
    return Course(
        name,
        MEASURES[name],
        _months_of(points),
        current_studies=len(current),
        reference_studies=len(reference),
        current_median=median(current) if current else None,
        reference_median=median(reference) if reference else None,
        drift=compare_samples(reference, current),
    )


def _months_of(points: Sequence[Point]) -> list[Month]:
    values: dict[str, list[float]] = defaultdict(list)
    for _, month, value in points:
        values[month].append(value)
    return [Month(month, len(of_month), *quartiles_of(of_month)) for month, of_month in sorted(values.items())]


def quartiles_of(values: Sequence[float]) -> tuple[float, float, float]:
    """By linear interpolation, to the last bit as numpy has them, which takes many times as long for so few."""
    ordered = sorted(values)
    lower, middle, upper = (_at(ordered, share * (len(ordered) - 1)) for share in (0.25, 0.5, 0.75))
    return lower, middle, upper


def _at(ordered: Sequence[float], place: float) -> float:
    """Between two values, reckoned from the nearer one."""
    below, part = ordered[int(place)], place % 1.0
    above = ordered[min(int(place) + 1, len(ordered) - 1)]
    return below + (above - below) * part if part < 0.5 else above - (above - below) * (1.0 - part)
