"""What is counted of the approved studies, column by column: a department has tens of thousands of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db.models import Expression, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import MD5, Cast, Coalesce, Concat
from numpy.typing import NDArray

from plaqueview.accounts.services import IMPORT_ACCOUNT
from plaqueview.annotations.models import Annotation
from plaqueview.core.columns import columns_of
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.regions import Region
from plaqueview.monitoring.models import StudyMeasures

# By name of the measure, a number for each study; not a number where it is not known.
Table = Mapping[str, NDArray[np.float64]]
Scanner = tuple[str, str]  # manufacturer, model; empty where the file names none

REGIONS: Final = [region for region in Region if region != Region.NOT_DETERMINED]
MEASURES: Final = ("active_count", "inactive_count", "active_volume_ml", "inactive_volume_ml", *REGIONS)
NAMES: Final = (
    *MEASURES, "study__site__name", "scanner", "study__patient", "author__username", "unconfirmed_active_count", "rule",
)  # fmt: skip
SEPARATOR: Final = "\x1f"  # between manufacturer and model: no text of DICOM holds it


@dataclass(frozen=True, eq=False)
class CohortColumns:
    """The same place in each column is the same study. `scanner` is manufacturer and model with `SEPARATOR`."""

    site: Sequence[str]
    scanner: Sequence[str]
    patient: Sequence[object]
    author: Sequence[str | None]
    unconfirmed_active_count: Sequence[int]
    rules: Sequence[str]
    measures: Table

    @property
    def imported(self) -> int:
        """How many came with their labels from elsewhere."""
        return sum(author == IMPORT_ACCOUNT for author in self.author)

    def by_part(self) -> Mapping[tuple[str, Scanner], Sequence[int]]:
        """By site and scanner, the places of its studies."""
        places: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, part in enumerate(zip(self.site, self.scanner, strict=True)):
            places[part].append(at)
        return {(site, _named(scanner)): of_part for (site, scanner), of_part in places.items()}


def read_columns(
    versions: QuerySet[Annotation], *, manufacturer: str | None, scanner_model: str | None
) -> CohortColumns:
    """Of these versions those whose study was made by this scanner; None is any."""
    by_region = {region.value: _count_in(region) for region in REGIONS}
    rows = versions.annotate(scanner=_scanner(), rule=MD5("counting_rule"), **by_region)
    found = dict(zip(NAMES, columns_of(rows, *NAMES), strict=True))
    wanted = (manufacturer, scanner_model)
    if wanted != (None, None):
        places = [at for at, scanner in enumerate(found["scanner"]) if _is_of_scanner(scanner, wanted)]
        found = {name: [values[at] for at in places] for name, values in found.items()}
    return CohortColumns(
        site=found["study__site__name"],
        scanner=found["scanner"],
        patient=found["study__patient"],
        author=found["author__username"],
        unconfirmed_active_count=found["unconfirmed_active_count"],
        rules=_rules(versions, set(found["rule"])),
        measures={name: np.array(found[name], np.float64) for name in MEASURES},
    )


def _is_of_scanner(scanner: str, wanted: tuple[str | None, str | None]) -> bool:
    return all(want is None or want == name for want, name in zip(wanted, _named(scanner), strict=True))


def _rules(versions: QuerySet[Annotation], md5s: set[str]) -> Sequence[str]:
    """The sentences of which there are these: long ones, and tens of thousands of versions say the same."""
    rules = versions.values_list("counting_rule", flat=True)
    firsts = [rules.alias(rule=MD5("counting_rule")).filter(rule=md5).first() for md5 in md5s]
    return sorted(rule for rule in firsts if rule is not None)


def _scanner() -> Expression:
    """As the newest reading of the study found it."""
    newest = StudyMeasures.objects.filter(study=OuterRef("study")).order_by("-read_at")
    named = newest.values(named=Concat("manufacturer", Value(SEPARATOR), "scanner_model"))
    return Coalesce(Subquery(named[:1]), Value(SEPARATOR))


def _named(scanner: str) -> Scanner:
    manufacturer, _, model = scanner.partition(SEPARATOR)
    return manufacturer, model


def _count_in(region: Region) -> Expression:
    """Null where the regions of the version are not known."""
    by_class = KeyTransform(region.value, "region_counts")
    active, inactive = (Cast(KeyTextTransform(kind.value, by_class), IntegerField()) for kind in LesionClass)
    return active + inactive
