"""Searching by DICOMweb: studies, series and instances. Source: PS3.18 10.6."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record_once
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError
from plaqueview.core.identifier_keys import UnopenedText, ring
from plaqueview.pacs.matching import (
    WILDCARDS,
    Match,
    Test,
    date_test,
    match_date,
    match_name,
    match_number,
    match_text,
    match_time,
    match_uid,
    match_words,
    name_test,
    text_test,
    words_test,
)
from plaqueview.pacs.media_ranges import ACCEPT, CHARSET
from plaqueview.patients.finding import ids_whose
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Instance, Series, Study

MOST_RESULTS = 200
DEFAULT_RESULTS = 100

# Parameters of the search itself; every attribute of the tables is returned, so that includefield adds nothing.
CONTROLS = {
    ACCEPT,
    CHARSET,
    "limit",
    "offset",
    "fuzzymatching",
    "includefield",
    "site",
}
# Parameters that ask for more than is made. Source: PS3.18 8.3.4.5 and 8.3.4.6.
UNMADE = ("emptyvaluematching", "multiplevaluematching")

Json = dict[str, Any]  # Any: DICOM JSON nests freely
Row = dict[str, Any]  # Any: columns by name, of their types


@dataclass(frozen=True)
class Attribute:
    """A DICOM attribute, the column that holds it, and how a query matches it; None is returned and not matched.

    A column that may be sealed has a `test` of its opened values; `is_key` says that the database still knows the same
    value again. `sealed_path` is the column of the sealed ones where that is another. `matched` is what is looked at of
    those that are not sealed, where that is another column: one that an index has beside what it orders by.
    """

    keyword: str
    path: str
    match: Match | None
    test: Test | None = None
    is_key: bool = False
    sealed_path: str = ""
    matched: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, self.sealed_path) if self.sealed_path else (self.path,)


# A level by what its columns' names begin with, seen from the table that is searched; the study's is the first.
Levels = Mapping[str, Sequence[Attribute]]


def match_modalities(path: str, value: str) -> Q:
    """Studies, by the column of their key, that have a series of this modality."""
    return Q(**{f"{path}__in": Series.objects.filter(match_text("modality", value)).values("study")})


# No column of the study holds it, and yet it is matched and returned at every level.
MODALITIES = Attribute("ModalitiesInStudy", "pk", match_modalities)
STUDY_ATTRIBUTES = (
    Attribute("StudyDate", "study_date", match_date),
    Attribute("StudyTime", "study_time", match_time),
    Attribute("AccessionNumber", "accession_number", match_text),
    Attribute("PatientName", "patient__name", match_name, name_test, matched="patient_name"),
    Attribute("PatientID", "patient__patient_id", match_text, text_test, is_key=True),
    Attribute("IssuerOfPatientID", "patient__issuer_of_patient_id", match_text),
    Attribute(
        "PatientBirthDate",
        "patient__clear_birth_date",
        match_date,
        date_test,
        sealed_path="patient__sealed_birth_date",
    ),
    Attribute("PatientSex", "patient__sex", match_text),
    Attribute("StudyInstanceUID", "study_instance_uid", match_uid),
    Attribute("StudyDescription", "study_description", match_text),
    Attribute("NumberOfStudyRelatedSeries", "series_count", None),
    Attribute("NumberOfStudyRelatedInstances", "instance_count", None),
)
SERIES_ATTRIBUTES = (
    Attribute("Modality", "modality", match_text),
    Attribute("SeriesDescription", "series_description", match_text, text_test),
    Attribute("SeriesInstanceUID", "series_instance_uid", match_uid),
    Attribute("SeriesNumber", "series_number", match_number),
    Attribute("NumberOfSeriesRelatedInstances", "instance_count", None),
)
INSTANCE_ATTRIBUTES = (
    Attribute("SOPClassUID", "sop_class_uid", match_uid),
    Attribute("SOPInstanceUID", "sop_instance_uid", match_uid),
    Attribute("InstanceNumber", "instance_number", match_number),
    Attribute("Rows", "rows", match_number),
    Attribute("Columns", "columns", match_number),
    Attribute("NumberOfFrames", "number_of_frames", match_number),
)


@dataclass(frozen=True)
class Search:
    """What is searched: within a study or series where their UIDs are given, with the query's parameters."""

    actor: User
    parameters: Mapping[str, str]
    root: str
    study_uid: str = ""
    series_uid: str = ""


@dataclass(frozen=True)
class SearchResult:
    """`has_more` says that the limit cut the result short."""

    datasets: list[Json]
    has_more: bool


def search_studies(search: Search) -> SearchResult:
    """Raises: DeniedError; InvalidError for a parameter that cannot be matched."""
    levels = {"": STUDY_ATTRIBUTES}
    found = Study.objects.visible_to(search.actor).filter(_query(search, levels)).order_by("-received_at", "-id")
    rows, has_more = _page(search, found, levels)
    datasets = [
        {
            **_dataset(row, levels),
            **_element("RetrieveURL", f"{search.root}/studies/{row['study_instance_uid']}"),
        }
        for row in rows
    ]
    return SearchResult(datasets, has_more)


def search_series(search: Search) -> SearchResult:
    """Raises: as `search_studies`."""
    levels = {"study__": STUDY_ATTRIBUTES, "": SERIES_ATTRIBUTES}
    found = Series.objects.visible_to(search.actor).filter(_query(search, levels))
    if search.study_uid:
        found = found.filter(study__study_instance_uid=search.study_uid)
    rows, has_more = _page(search, found.order_by("study_id", "series_number", "id"), levels)
    datasets = [
        {
            **_dataset(row, levels),
            **_element("RetrieveURL", _series_url(search.root, row, row["series_instance_uid"])),
        }
        for row in rows
    ]
    return SearchResult(datasets, has_more)


def search_instances(search: Search) -> SearchResult:
    """Raises: as `search_studies`."""
    levels = {"study__": STUDY_ATTRIBUTES, "series__": SERIES_ATTRIBUTES, "": INSTANCE_ATTRIBUTES}
    found = Instance.objects.visible_to(search.actor).filter(_query(search, levels))
    if search.study_uid:
        found = found.filter(study__study_instance_uid=search.study_uid)
    if search.series_uid:
        found = found.filter(series__series_instance_uid=search.series_uid)
    ordered = found.order_by("series_id", "instance_number", "sop_instance_uid")
    rows, has_more = _page(search, ordered, levels, "transfer_syntax_uid")
    datasets = [
        {
            **_dataset(row, levels),
            **_element("AvailableTransferSyntaxUID", row["transfer_syntax_uid"]),
            **_element(
                "RetrieveURL",
                f"{_series_url(search.root, row, row['series__series_instance_uid'])}"
                f"/instances/{row['sop_instance_uid']}",
            ),
        }
        for row in rows
    ]
    return SearchResult(datasets, has_more)


def _query(search: Search, levels: Levels) -> Q:
    """All parameters together; an attribute is named by its keyword or its tag."""
    known = {MODALITIES.keyword: (next(iter(levels)), MODALITIES)}
    known |= {one.keyword: (prefix, one) for prefix, level in levels.items() for one in level}
    if search.parameters.get("fuzzymatching", "").lower() == "true":
        known = {keyword: (prefix, _fuzzy(one)) for keyword, (prefix, one) in known.items()}
    query = Q()
    for name, value in search.parameters.items():
        if name.lower() in {*CONTROLS, *UNMADE}:
            continue
        keyword = keyword_for_tag(int(name, 16)) if re.fullmatch(r"[0-9A-Fa-f]{8}", name) else name
        prefix, attribute = known.get(keyword, ("", None))
        if not value and tag_for_keyword(keyword) is not None:
            continue  # it matches anything. Source: PS3.4 C.2.2.2.3
        if attribute is None or attribute.match is None:
            raise InvalidError(f"{name} cannot be matched here", fields={name: f"one of {', '.join(known)}"})
        if _is_opened(attribute, value):
            query &= _opened(search, prefix, attribute, value)
        else:
            query &= attribute.match(prefix + (attribute.matched or attribute.path), value)
    return query


def _fuzzy(one: Attribute) -> Attribute:
    """A person is looked for in the folded line of name and identifier that the worklist's search reads as well."""
    is_name = one.match is match_name
    return Attribute(one.keyword, "patient__search_text", match_words, words_test) if is_name else one


def _is_opened(one: Attribute, value: str) -> bool:
    """Whether the database cannot tell whose attribute is as the value says."""
    return one.test is not None and ring().is_used and not (one.is_key and not WILDCARDS.search(value))


def _opened(search: Search, prefix: str, one: Attribute, value: str) -> Q:
    """Those whose attribute is as the value says, each opened for it."""
    test = one.test(value) if one.test else bool
    owner, _, _ = f"{prefix}{one.path}".rpartition("__")
    columns = [path.rpartition("__")[2] for path in one.paths]
    rows = (Series if one in SERIES_ATTRIBUTES else Patient).objects.visible_to(search.actor)
    ids = [found for column in columns for found in ids_whose(column, test, rows)]
    return Q(**{f"{owner}__id__among" if owner else "id__among": ids})


def _page(search: Search, found: QuerySet[Any], levels: Levels, *more: str) -> tuple[list[Row], bool]:
    """The rows that limit and offset ask for, with no other column than is answered, and whether there are more.

    Each has the modalities of its study beside its columns.
    They are cut from an index of ids before a row is read: what is sorted and skipped is narrow.
    """
    require(search.actor, Action.DICOMWEB_READ)
    limit = min(_whole(search.parameters, "limit", DEFAULT_RESULTS), MOST_RESULTS)
    offset = _whole(search.parameters, "offset", 0)
    study = f"{next(iter(levels))}{MODALITIES.path}"
    columns = {prefix + path for prefix, level in levels.items() for one in level for path in one.paths}
    ids = list(found.values_list("pk", flat=True)[offset : offset + limit + 1])
    shown = found.model.objects.filter(pk__in=ids[:limit]).values(*columns, "pk", study, *more)
    modalities = _modalities({row[study] for row in shown})
    rows = {row["pk"]: {**row, MODALITIES.keyword: modalities[row[study]]} for row in shown}
    record_once(EventKind.STUDY_READ, actor=search.actor, object_type="search", object_id="", site_id=None)
    return [rows[row_id] for row_id in ids[:limit] if row_id in rows], len(ids) > limit


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise InvalidError(f"{name} is {text!r}, need a whole number", fields={name: "a whole number"})
    return int(text)


def _modalities(study_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    pairs = Series.objects.filter(study__in=study_ids).order_by("modality").values_list("study", "modality").distinct()
    for study_id, modality in pairs:
        found[study_id].append(modality)
    return found


def _series_url(root: str, row: Row, series_uid: str) -> str:
    return f"{root}/studies/{row['study__study_instance_uid']}/series/{series_uid}"


def _dataset(row: Row, levels: Levels) -> Json:
    dataset = _element(MODALITIES.keyword, *row[MODALITIES.keyword])
    for prefix, level in levels.items():
        for one in level:
            values = [row[prefix + path] for path in one.paths]
            dataset |= _element(one.keyword, next((value for value in values if value is not None), None))
    return dataset


def _element(keyword: str, *values: Any) -> Json:  # Any: the column's type
    """Source: PS3.18 F.2.2; an empty value has a VR only."""
    tag, vr = _tag_and_vr(keyword)
    known = [_value(vr, value) for value in values if value not in (None, "") and not _is_unopened_day(vr, value)]
    return {tag: {"vr": vr, "Value": known} if known else {"vr": vr}}


def _is_unopened_day(vr: str, value: Any) -> bool:  # Any: the column's type
    """What a text can say of itself, a day cannot."""
    return vr == "DA" and isinstance(value, UnopenedText)


@cache
def _tag_and_vr(keyword: str) -> tuple[str, str]:
    tag = tag_for_keyword(keyword) or 0
    return f"{tag:08X}", dictionary_VR(tag)


def _value(vr: str, value: Any) -> Any:  # Any: the column's type, and JSON
    if isinstance(value, datetime | date):
        return value.strftime("%Y%m%d")
    if isinstance(value, time):
        return value.strftime("%H%M%S")
    if vr == "PN":
        return dict(zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False))
    return value
