"""The department's approved studies in numbers: how they are spread, by site and scanner, and as a list for research.

Only the newest version of a study counts, and only where it is approved. Nothing here names a patient.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from plaqueview.accounts.models import User
from plaqueview.accounts.services import IMPORT_ACCOUNT
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.csv_file import csv_bytes
from plaqueview.imaging.lesions import LesionClass
from plaqueview.imaging.regions import Region
from plaqueview.monitoring.models import StudyMeasures
from plaqueview.patients.pseudonyms import pseudonym_of, pseudonym_of_patient

Value = str | int | float | None
Scanner = tuple[str, str]  # manufacturer, model; empty where the file names none

# Ages above are few enough to tell who it is. Source: 45 CFR 164.514(b)(2)(i)(C).
OLDEST_TOLD: Final = 89
YEAR_DAYS: Final = 365.25
MOST_BINS: Final = 12

# What the figures of a version need: of tens of thousands the rest would cost a minute.
FIGURES: Final = (
    "study",
    "author__username",
    "study__patient",
    "study__site__name",
    "active_count",
    "inactive_count",
    "active_volume_ml",
    "inactive_volume_ml",
    "unconfirmed_active_count",
    "counting_rule",
    "region_counts",
)


@dataclass(frozen=True)
class CohortQuery:
    """Which approved studies; what is left out narrows nothing."""

    site: UUID | None = None
    manufacturer: str | None = None
    scanner_model: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, eq=False)
class CohortStudy:
    """One approved study. `regions` is empty where the lesions' regions are not known."""

    version: Annotation
    scanner: Scanner

    @property
    def figures(self) -> Mapping[str, float]:
        """By name of the measure."""
        version = self.version
        found: dict[str, float] = {
            "active_count": version.active_count,
            "inactive_count": version.inactive_count,
            "active_volume_ml": version.active_volume_ml,
            "inactive_volume_ml": version.inactive_volume_ml,
        }
        return found | {region: float(sum(counts.values())) for region, counts in self.regions.items()}

    @property
    def is_imported(self) -> bool:
        """The labels came from elsewhere, without evidence of their classes, and perhaps without classes."""
        return self.version.author is not None and self.version.author.username == IMPORT_ACCOUNT

    @property
    def regions(self) -> Mapping[str, Mapping[str, int]]:
        """By region and class, how many lesions."""
        known: Mapping[str, Mapping[str, int]] = self.version.region_counts
        return {region: counts for region, counts in known.items() if region != Region.NOT_DETERMINED}


TITLES: Final[Mapping[str, str]] = {
    "active_count": "Active lesions",
    "inactive_count": "Inactive lesions",
    "active_volume_ml": "Active volume, ml",
    "inactive_volume_ml": "Inactive volume, ml",
    Region.PERIVENTRICULAR: "Periventricular lesions",
    Region.JUXTACORTICAL: "Juxtacortical or cortical lesions",
    Region.INFRATENTORIAL: "Infratentorial lesions",
    Region.DEEP_WHITE_MATTER: "Lesions of deep white matter",
}


@dataclass(frozen=True)
class Bin:
    """So many studies lie from `lower` on and below `upper`; the last bin holds its upper end too."""

    lower: float
    upper: float
    studies: int


@dataclass(frozen=True)
class Spread:
    """How one measure is spread over studies; quartiles by linear interpolation."""

    name: str
    title: str
    studies: int
    lower: float
    median: float
    upper: float
    bins: Sequence[Bin]


@dataclass(frozen=True)
class Part:
    """The studies of one site and scanner."""

    site: str
    manufacturer: str
    scanner_model: str
    studies: int
    patients: int
    spreads: Sequence[Spread]


@dataclass(frozen=True)
class Cohort:
    """`rules` are the counting rules of the versions: numbers by different rules are not comparable.

    `imported` is how many came with their labels: their classes rest on nothing that is known here.
    """

    studies: int
    patients: int
    imported: int
    active_count: int
    unconfirmed_active_count: int
    rules: Sequence[str]
    spreads: Sequence[Spread]
    parts: Sequence[Part]


def read_cohort(*, query: CohortQuery, actor: User) -> Cohort:
    """The approved studies of the actor's sites in numbers. Raises: DeniedError."""
    require(actor, Action.STUDY_DEIDENTIFY)
    versions = _versions(query, actor).select_related("author", "study__site").only(*FIGURES)
    studies = _studies(versions, query, actor)
    of_part: dict[tuple[str, Scanner], list[CohortStudy]] = defaultdict(list)
    for study in studies:
        of_part[study.version.study.site.name, study.scanner].append(study)
    return Cohort(
        studies=len(studies),
        patients=_patients(studies),
        imported=sum(study.is_imported for study in studies),
        active_count=sum(study.version.active_count for study in studies),
        unconfirmed_active_count=sum(study.version.unconfirmed_active_count for study in studies),
        rules=sorted({study.version.counting_rule for study in studies}),
        spreads=_spreads(studies),
        parts=[
            Part(site, *scanner, len(found), _patients(found), _spreads(found))
            for (site, scanner), found in sorted(of_part.items())
        ],
    )


@transaction.atomic
def export_cohort(*, query: CohortQuery, actor: User) -> bytes:
    """The same studies as CSV, a line each, under pseudonyms and years; that is on record. Raises: DeniedError."""
    require(actor, Action.STUDY_DEIDENTIFY)
    versions = _versions(query, actor).select_related("author", "study__site", "study__patient")
    studies = _by_pseudonym(_studies(versions, query, actor))
    content = cohort_csv(studies)
    audit.record(
        EventKind.DOCUMENT_EXPORTED,
        actor=actor,
        object_type="cohort",
        details={
            "document": "cohort.csv",
            "studies": len(studies),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    return content


def cohort_csv(studies: Sequence[CohortStudy]) -> bytes:
    """Empty where something is not known."""
    return csv_bytes(list(_columns()), map(_row, studies))


def _studies(versions: QuerySet[Annotation], query: CohortQuery, actor: User) -> Sequence[CohortStudy]:
    scanners = _scanners(actor)
    found = (CohortStudy(version, scanners.get(version.study_id, ("", ""))) for version in versions)
    return [study for study in found if _is_of_scanner(study.scanner, query)]


def _by_pseudonym(studies: Sequence[CohortStudy]) -> Sequence[CohortStudy]:
    """In no order that tells when somebody came."""
    return sorted(studies, key=lambda study: (pseudonym_of_patient(study.version.study.patient), str(study.version.pk)))


def _versions(query: CohortQuery, actor: User) -> QuerySet[Annotation]:
    newer = Annotation.objects.filter(study=OuterRef("study"), version__gt=OuterRef("version"))
    versions = Annotation.objects.visible_to(actor).filter(~Exists(newer), state=AnnotationState.APPROVED)
    if query.site is not None:
        versions = versions.filter(study__site_id=query.site)
    if query.since is not None:
        versions = versions.filter(study__study_date__gte=query.since)
    if query.until is not None:
        versions = versions.filter(study__study_date__lte=query.until)
    return versions.order_by()


def _scanners(actor: User) -> Mapping[UUID, Scanner]:
    """By study, as its newest reading found them."""
    rows = StudyMeasures.objects.filter(study__site__in=actor.sites.all()).order_by("read_at")
    columns = rows.values_list("study_id", "manufacturer", "scanner_model")
    return {study_id: (manufacturer, model) for study_id, manufacturer, model in columns}


def _is_of_scanner(scanner: Scanner, query: CohortQuery) -> bool:
    wanted = (query.manufacturer, query.scanner_model)
    return all(want is None or want == found for want, found in zip(wanted, scanner, strict=True))


def _patients(studies: Sequence[CohortStudy]) -> int:
    return len({study.version.study.patient_id for study in studies})


def _spreads(studies: Sequence[CohortStudy]) -> Sequence[Spread]:
    values: dict[str, list[float]] = defaultdict(list)
    for study in studies:
        for name, value in study.figures.items():
            values[name].append(value)
    return [_spread(name, values[name]) for name in TITLES if values[name]]


def _spread(name: str, values: Sequence[float]) -> Spread:
    lower, median, upper = (float(part) for part in np.percentile(values, [25, 50, 75]))
    counts, edges = np.histogram(values, bins=_edges(values, is_count=not name.endswith("_ml")))
    bins = [Bin(float(edges[at]), float(edges[at + 1]), int(count)) for at, count in enumerate(counts)]
    return Spread(name, TITLES[name], len(values), lower, median, upper, bins)


def _edges(values: Sequence[float], *, is_count: bool) -> list[float]:
    """From 0 to what holds the largest, in bins of equal width; those of counts are whole numbers wide."""
    largest = max(values)
    if is_count:
        width = max(1.0, float(np.ceil((largest + 1) / MOST_BINS)))
        number = int(np.ceil((largest + 1) / width))
    else:
        width, number = (largest or 1.0) / MOST_BINS, MOST_BINS
    return [width * at for at in range(number + 1)]


def _columns() -> Sequence[str]:
    regions = [f"{region}_{kind}" for region in TITLES if region in set(Region) for kind in LesionClass]
    of_study = ("patient", "study", "site", "manufacturer", "scanner_model", "year", "age", "sex", "is_imported")
    counted = ("active_count", "unconfirmed_active_count", "inactive_count", "active_volume_ml", "inactive_volume_ml")
    return (*of_study, *counted, *regions, "counting_rule", "region_rule")


def _row(study: CohortStudy) -> Mapping[str, Value]:
    version, patient = study.version, study.version.study.patient
    day = version.study.study_date
    row: dict[str, Value] = dict.fromkeys(_columns())
    row |= {
        "patient": pseudonym_of_patient(patient),
        "study": pseudonym_of(f"study {version.study.study_instance_uid}", prefix="S"),
        "site": version.study.site.name,
        "manufacturer": study.scanner[0],
        "scanner_model": study.scanner[1],
        "year": day.year if day else None,
        "age": _age(patient.birth_date, day),
        "sex": patient.sex,
        "is_imported": int(study.is_imported),
        "active_count": version.active_count,
        "unconfirmed_active_count": version.unconfirmed_active_count,
        "inactive_count": version.inactive_count,
        "active_volume_ml": version.active_volume_ml,
        "inactive_volume_ml": version.inactive_volume_ml,
        "counting_rule": version.counting_rule,
        "region_rule": version.region_rule,
    }
    return row | {f"{region}_{kind}": n for region, by_class in study.regions.items() for kind, n in by_class.items()}


def _age(born: date | None, day: date | None) -> Value:
    """Whole years on the day of the study."""
    if born is None or day is None or born > day:
        return None
    years = int((day - born).days / YEAR_DAYS)
    return years if years <= OLDEST_TOLD else f"over {OLDEST_TOLD}"
