"""Searching by DICOMweb: studies, series and instances. Source: PS3.18 10.6."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from plaqueview.pacs.matching import Match, match_date, match_name, match_number, match_text, match_uid, match_words
from plaqueview.studies.models import Instance, Series, Study

MOST_RESULTS = 200
DEFAULT_RESULTS = 100

# Parameters of the search itself; every attribute of the tables is returned, so that includefield adds nothing.
CONTROLS = {"limit", "offset", "fuzzymatching", "includefield", "emptyvaluematching", "multiplevaluematching", "site"}

Json = dict[str, Any]  # Any: DICOM JSON nests freely
Row = dict[str, Any]  # Any: columns by name, of their types


@dataclass(frozen=True)
class Attribute:
    """A DICOM attribute, the column that holds it, and how a query matches it; None is returned and not matched."""

    keyword: str
    path: str
    match: Match | None


# A level by what its columns' names begin with, seen from the table that is searched.
Levels = Mapping[str, Sequence[Attribute]]

STUDY_ATTRIBUTES = (
    Attribute("StudyDate", "study_date", match_date),
    Attribute("StudyTime", "study_time", None),
    Attribute("AccessionNumber", "accession_number", match_text),
    Attribute("PatientName", "patient__name", match_name),
    Attribute("PatientID", "patient__patient_id", match_text),
    Attribute("IssuerOfPatientID", "patient__issuer_of_patient_id", match_text),
    Attribute("PatientBirthDate", "patient__birth_date", match_date),
    Attribute("PatientSex", "patient__sex", match_text),
    Attribute("StudyInstanceUID", "study_instance_uid", match_uid),
    Attribute("StudyDescription", "study_description", match_text),
    Attribute("NumberOfStudyRelatedSeries", "series_count", None),
    Attribute("NumberOfStudyRelatedInstances", "instance_count", None),
)
SERIES_ATTRIBUTES = (
    Attribute("Modality", "modality", match_text),
    Attribute("SeriesDescription", "series_description", match_text),
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
    parameters = dict(search.parameters)
    modality = parameters.pop("ModalitiesInStudy", parameters.pop("00080061", ""))
    found = Study.objects.visible_to(search.actor).filter(_query(parameters, levels)).order_by("-received_at", "-id")
    if modality:
        found = found.filter(pk__in=Series.objects.filter(match_text("modality", modality)).values("study"))
    rows, has_more = _page(search, found, levels)
    modalities = _modalities([row["pk"] for row in rows])
    datasets = [
        {
            **_dataset(row, levels),
            **_element("ModalitiesInStudy", *modalities[row["pk"]]),
            **_element("RetrieveURL", f"{search.root}/studies/{row['study_instance_uid']}"),
        }
        for row in rows
    ]
    return SearchResult(datasets, has_more)


def search_series(search: Search) -> SearchResult:
    """Raises: as `search_studies`."""
    levels = {"study__": STUDY_ATTRIBUTES, "": SERIES_ATTRIBUTES}
    found = Series.objects.visible_to(search.actor).filter(_query(search.parameters, levels))
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
    found = Instance.objects.visible_to(search.actor).filter(_query(search.parameters, levels))
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


def _query(parameters: Mapping[str, str], levels: Levels) -> Q:
    """All parameters together; an attribute is named by its keyword or its tag."""
    known = {one.keyword: (prefix + one.path, one.match) for prefix, level in levels.items() for one in level}
    if parameters.get("fuzzymatching", "").lower() == "true":
        known = {keyword: _fuzzy(path, match) for keyword, (path, match) in known.items()}
    query = Q()
    for name, value in parameters.items():
        if name.lower() in CONTROLS:
            continue
        keyword = keyword_for_tag(int(name, 16)) if re.fullmatch(r"[0-9A-Fa-f]{8}", name) else name
        path, match = known.get(keyword, ("", None))
        if match is None:
            raise InvalidError(f"{name} cannot be matched here", fields={name: f"one of {', '.join(known)}"})
        if value:
            query &= match(path, value)
    return query


def _fuzzy(path: str, match: Match | None) -> tuple[str, Match | None]:
    """A person is looked for in the folded line of name and identifier that the worklist's search reads as well."""
    return (f"{path.removesuffix('name')}search_text", match_words) if match is match_name else (path, match)


def _page(search: Search, found: QuerySet[Any], levels: Levels, *more: str) -> tuple[list[Row], bool]:
    """The rows that limit and offset ask for, with no other column than is answered, and whether there are more."""
    require(search.actor, Action.DICOMWEB_READ)
    limit = min(_whole(search.parameters, "limit", DEFAULT_RESULTS), MOST_RESULTS)
    offset = _whole(search.parameters, "offset", 0)
    columns = [prefix + one.path for prefix, level in levels.items() for one in level]
    rows = list(found.values("pk", *columns, *more)[offset : offset + limit + 1])
    record_once(EventKind.STUDY_READ, actor=search.actor, object_type="search", object_id="", site_id=None)
    return rows[:limit], len(rows) > limit


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise InvalidError(f"{name} is {text!r}, need a whole number", fields={name: "a whole number"})
    return int(text)


def _modalities(study_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    pairs = Series.objects.filter(study__in=study_ids).order_by("modality").values_list("study", "modality").distinct()
    for study_id, modality in pairs:
        found[study_id].append(modality)
    return found


def _series_url(root: str, row: Row, series_uid: str) -> str:
    return f"{root}/studies/{row['study__study_instance_uid']}/series/{series_uid}"


def _dataset(row: Row, levels: Levels) -> Json:
    dataset: Json = {}
    for prefix, level in levels.items():
        for one in level:
            dataset |= _element(one.keyword, row[prefix + one.path])
    return dataset


def _element(keyword: str, *values: Any) -> Json:  # Any: the column's type
    """Source: PS3.18 F.2.2; an empty value has a VR only."""
    tag, vr = _tag_and_vr(keyword)
    known = [_value(vr, value) for value in values if value not in (None, "")]
    return {tag: {"vr": vr, "Value": known} if known else {"vr": vr}}


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
