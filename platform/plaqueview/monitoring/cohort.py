"""The department's approved studies in numbers: how they are spread, by site and scanner, and as a list for research.

Only the newest version of a study counts, and only where it is approved. Nothing here names a patient.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from numpy.typing import ArrayLike, NDArray

from plaqueview.accounts.models import User
from plaqueview.accounts.services import IMPORT_ACCOUNT
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.csv_file import csv_bytes
from plaqueview.core.kept_answers import kept
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.regions import Region
from plaqueview.monitoring.cohort_columns import REGIONS, Scanner, Table, read_columns
from plaqueview.monitoring.models import StudyMeasures
from plaqueview.patients.pseudonyms import pseudonym_of, pseudonym_of_patient

Value = str | int | float | None
UNKNOWN_SCANNER: Final = ("", "")

# Ages above are few enough to tell who it is. Source: 45 CFR 164.514(b)(2)(i)(C).
OLDEST_TOLD: Final = 89
MOST_BINS: Final = 12


@dataclass(frozen=True)
class CohortQuery:
    """Which approved studies; what is left out narrows nothing."""

    site: UUID | None = None
    manufacturer: str | None = None
    scanner_model: str | None = None
    since: date | None = None
    until: date | None = None


class CohortStudy(NamedTuple):
    """What is counted of one approved study: the columns `COUNTED` of its version. A department has tens of thousands,
    and as rows of their tables they would take many times as long.
    """

    version: UUID
    study: UUID
    patient: UUID
    site: str
    author: str | None
    active_count: int
    inactive_count: int
    active_volume_ml: float
    inactive_volume_ml: float
    unconfirmed_active_count: int
    counting_rule: str
    region_counts: Mapping[str, Mapping[str, int]]  # by region and class

    @property
    def is_imported(self) -> bool:
        """The labels came from elsewhere, without evidence of their classes, and perhaps without classes."""
        return self.author == IMPORT_ACCOUNT

    @property
    def regions(self) -> Mapping[str, Mapping[str, int]]:
        """By region and class, how many lesions; empty where their regions are not known."""
        return {region: counts for region, counts in self.region_counts.items() if region != Region.NOT_DETERMINED}


COUNTED: Final = (
    "pk",
    "study_id",
    "study__patient_id",
    "study__site__name",
    "author__username",
    "active_count",
    "inactive_count",
    "active_volume_ml",
    "inactive_volume_ml",
    "unconfirmed_active_count",
    "counting_rule",
    "region_counts",
)
# Beside its version, the rows that hold these columns, and those that name patient and study.
NAMED: Final = ("study__patient", "study__site", "author")

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
# One that is exported: what is counted, the version with its study and patient, and the scanner.
CohortRow = tuple[CohortStudy, Annotation, Scanner]


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

    `imported` is how many came with their labels: their classes rest on nothing that is known here. `as_of` is when
    this was counted: of a large department it is counted again after minutes only.
    """

    as_of: datetime
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
    # A reader does not see what others read blinded, so that what one may see is no other's answer.
    depends_on = (actor.pk, sorted(actor.site_ids()), query)
    return kept(f"cohort:{hashlib.sha256(repr(depends_on).encode()).hexdigest()}", lambda: _count(query, actor))


def _count(query: CohortQuery, actor: User) -> Cohort:
    as_of = timezone.now()
    found = read_columns(_versions(query, actor), manufacturer=query.manufacturer, scanner_model=query.scanner_model)
    return Cohort(
        as_of=as_of,
        studies=len(found.patient),
        patients=len(set(found.patient)),
        imported=found.imported,
        active_count=int(found.measures["active_count"].sum()),
        unconfirmed_active_count=sum(found.unconfirmed_active_count),
        rules=found.rules,
        spreads=_spreads(found.measures),
        parts=[
            Part(
                site,
                *scanner,
                studies=len(places),
                patients=len({found.patient[at] for at in places}),
                spreads=_spreads({name: values[places] for name, values in found.measures.items()}),
            )
            for (site, scanner), places in sorted(found.by_part().items())
        ],
    )


@transaction.atomic
def export_cohort(*, query: CohortQuery, actor: User) -> bytes:
    """The same studies as CSV, a line each, under pseudonyms and years; that is on record. Raises: DeniedError."""
    require(actor, Action.STUDY_DEIDENTIFY)
    scanners = _scanners(actor)
    named = _versions(query, actor).select_related(*NAMED).defer("study__series_choice")
    of_scanners = ((version, scanners.get(version.study_id, UNKNOWN_SCANNER)) for version in named)
    rows = [(_counted(version), version, found) for version, found in of_scanners if _is_of_scanner(found, query)]
    content = cohort_csv(rows)
    audit.record(
        EventKind.DOCUMENT_EXPORTED,
        actor=actor,
        object_type="cohort",
        details={
            "document": "cohort.csv",
            "studies": len(rows),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    return content


def cohort_csv(rows: Sequence[CohortRow]) -> bytes:
    """Empty where something is not known; in no order that tells when somebody came."""
    rows = sorted(rows, key=lambda row: (pseudonym_of_patient(row[1].study.patient), str(row[1].pk)))
    return csv_bytes(list(_columns()), [_row(*row) for row in rows])


def _counted(version: Annotation) -> CohortStudy:
    """What is counted of a version that is here with the rows `NAMED`."""
    return CohortStudy._make(_column(version, path) for path in COUNTED)


def _column(row: models.Model | None, path: str) -> Any:  # Any: of whichever column
    """What the database has under the path; None where a row on the way is missing."""
    name, _, rest = path.partition("__")
    value = None if row is None else getattr(row, name)
    return _column(value, rest) if rest else value


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


def _spreads(table: Table) -> Sequence[Spread]:
    known = {name: values[~np.isnan(values)] for name, values in table.items()}
    return [_spread(name, values) for name, values in known.items() if len(values)]


def _spread(name: str, values: NDArray[np.float64]) -> Spread:
    lower, median, upper = (float(part) for part in np.percentile(values, [25, 50, 75]))
    counts, edges = np.histogram(values, bins=_edges(values, is_count=not name.endswith("_ml")))
    bins = [Bin(float(edges[at]), float(edges[at + 1]), int(count)) for at, count in enumerate(counts)]
    return Spread(name, TITLES[name], len(values), lower, median, upper, bins)


def _edges(values: ArrayLike, *, is_count: bool) -> list[float]:
    """From 0 to what holds the largest, in bins of equal width; those of counts are whole numbers wide."""
    largest = float(np.max(values))
    if is_count:
        width = max(1.0, float(np.ceil((largest + 1) / MOST_BINS)))
        number = int(np.ceil((largest + 1) / width))
    else:
        width, number = (largest or 1.0) / MOST_BINS, MOST_BINS
    return [width * at for at in range(number + 1)]


def _columns() -> Sequence[str]:
    regions = [f"{region}_{kind}" for region in REGIONS for kind in LesionClass]
    of_study = ("patient", "study", "site", "manufacturer", "scanner_model", "year", "age", "sex", "is_imported")
    counted = ("active_count", "unconfirmed_active_count", "inactive_count", "active_volume_ml", "inactive_volume_ml")
    return (*of_study, *counted, *regions, "counting_rule", "region_rule")


def _row(study: CohortStudy, version: Annotation, scanner: Scanner) -> Mapping[str, Value]:
    patient, day = version.study.patient, version.study.study_date
    row: dict[str, Value] = dict.fromkeys(_columns())
    row |= {
        "patient": pseudonym_of_patient(patient),
        "study": pseudonym_of(f"study {version.study.study_instance_uid}", prefix="S"),
        "site": study.site,
        "manufacturer": scanner[0],
        "scanner_model": scanner[1],
        "year": day.year if day else None,
        "age": _age(patient.birth_date, day),
        "sex": patient.sex,
        "is_imported": int(study.is_imported),
        "active_count": study.active_count,
        "unconfirmed_active_count": study.unconfirmed_active_count,
        "inactive_count": study.inactive_count,
        "active_volume_ml": study.active_volume_ml,
        "inactive_volume_ml": study.inactive_volume_ml,
        "counting_rule": study.counting_rule,
        "region_rule": version.region_rule,
    }
    return row | {f"{region}_{kind}": n for region, by_class in study.regions.items() for kind, n in by_class.items()}


def _age(born: date | None, day: date | None) -> Value:
    """Whole years on the day of the study."""
    if born is None or day is None or born > day:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years <= OLDEST_TOLD else f"over {OLDEST_TOLD}"
