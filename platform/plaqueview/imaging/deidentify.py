"""A DICOM object without its patient, by the Basic Application Level Confidentiality Profile.

Source: PS3.15 Annex E, Table E.1-1, whose rows come with dicom-anonymizer; the walk into sequences, the keyed UIDs and
the report are ours (docs/decisions/0035-deidentification.md). Pixels are left as they are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, replace
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, EnhancedMRImageStorage, MRImageStorage

from plaqueview.imaging.dicom_slice import IMPLEMENTATION_CLASS_UID

EDITION: Final = "2026c"
PROFILE: Final = f"PS3.15 {EDITION}, Annex E, Basic Application Level Confidentiality Profile"
BASIC_PROFILE: Final = ("113100", "Basic Application Confidentiality Profile")
CLEAN_CONTENT: Final = ("113104", "Clean Structured Content Option")
# What leaves or arrives without its patient: the table knows where these name one; in other objects it may be anywhere.
TAKEN: Final = {MRImageStorage, EnhancedMRImageStorage}
# Ours to set, after the table has emptied them.
IDENTITY: Final = ("PatientName", "PatientID")

# Where a moment has to stand; the library's lies in the year 1, which validators refuse.
MOMENTS: Final = {"DA": "19000101", "DT": "19000101000000", "TM": "000000"}

Tag = tuple[int, int]
Row = tuple[int, ...]  # a tag, or a range of them
Action = Callable[[Dataset, Tag], None]

CONTENT_SEQUENCE: Final[Row] = (0x0040, 0xA730)


class DeidentifyError(ValueError):
    """The object has something of which nobody can say that it names no patient."""


@dataclass(frozen=True)
class Pseudonyms:
    """What a patient and their objects are called: the same under the same key, and telling nothing without it."""

    patient: str
    key: bytes

    def uid(self, uid: str) -> UID:
        """Source: PS3.5 B.2, a UID from 128 bits."""
        digest = hmac.digest(self.key, uid.encode(), hashlib.sha256)
        return UID(f"2.25.{int.from_bytes(digest[:16])}")


@dataclass(frozen=True)
class Removal:
    """What became of an attribute, by its keyword; `private` stands for all that a vendor added."""

    attribute: str
    outcome: str


Report = Counter[Removal]


def deidentify(dataset: Dataset, pseudonyms: Pseudonyms, *, keeps_content: bool = False) -> Report:
    """The dataset names its patient no more; what was removed, emptied or replaced, and how often.

    With `keeps_content` the content of a structured report is walked through instead of replaced: for reports whose
    texts are known to name nobody.

    Raises: DeidentifyError.
    """
    report: Report = Counter()
    rules = _rules(pseudonyms, report)
    if keeps_content:
        del rules[CONTENT_SEQUENCE]
    try:
        _walk(dataset, rules, report)
    except NotImplementedError as error:
        raise DeidentifyError(f"an attribute cannot be replaced: {error}") from error
    _name(dataset, pseudonyms, keeps_content=keeps_content)
    return report


def burned_in(dataset: Dataset) -> str:
    """What the object says of words in its pixels: YES, NO, or nothing."""
    return str(dataset.get("BurnedInAnnotation", "") or "")


def attributes_of(report: Report) -> list[dict[str, str | int]]:
    """The report for JSON, by attribute; `report_of` is the way back."""
    found = sorted(report.items(), key=lambda one: (one[0].attribute, one[0].outcome))
    return [{"attribute": one.attribute, "outcome": one.outcome, "count": count} for one, count in found if count]


def report_of(attributes: Iterable[Mapping[str, Any]]) -> Report:  # Any: JSON
    return Counter({Removal(one["attribute"], one["outcome"]): one["count"] for one in attributes})


def _walk(dataset: Dataset, rules: Mapping[Row, Action], report: Report) -> None:
    """The table holds for every level. Source: PS3.15 E.1.1. The library looks at the outermost only."""
    for element in [one for one in dataset if one.VR == "SQ" and not one.is_private]:
        for item in element.value:
            _walk(item, rules, report)
    report[Removal("private", "removed")] += sum(element.is_private for element in dataset)
    anonymize_dataset(dataset, delete_private_tags=True, base_rules_gen=lambda: dict(rules))


def _rules(pseudonyms: Pseudonyms, report: Report) -> dict[Row, Action]:
    """An action for each row; of several that a row allows, the one that keeps the object whole."""

    def rename(dataset: Dataset, tag: Tag) -> None:
        element = dataset[tag]
        uids = element.value if element.VM > 1 else [element.value]
        element.value = [pseudonyms.uid(uid) for uid in uids if uid]

    actions: dict[str, tuple[str, Action]] = {
        "D_TAGS": ("replaced", _replace),
        "Z_TAGS": ("emptied", _empty),
        "X_TAGS": ("removed", _remove),
        "U_TAGS": ("renamed", rename),
        "Z_D_TAGS": ("replaced", _replace),
        "X_Z_TAGS": ("emptied", _empty),
        "X_D_TAGS": ("replaced", _replace),
        "X_Z_D_TAGS": ("replaced", _replace),
        "X_Z_U_STAR_TAGS": ("walked through", _keep),
    }
    table = dicom_anonymization_database_selector(f"dicomfields_{EDITION}")
    return {
        tag: _reported(action, outcome, report)
        for category, (outcome, action) in actions.items()
        for tag in table[category]
    }


def _reported(action: Action, outcome: str, report: Report) -> Action:
    def act(dataset: Dataset, tag: Tag) -> None:
        if tag in dataset:
            report[Removal(keyword_for_tag(tag) or "repeating group", outcome)] += 1
            action(dataset, tag)

    return act


def _replace(dataset: Dataset, tag: Tag) -> None:
    replace(dataset, tag)
    element = dataset[tag]
    replaced = [one for item in element.value for one in item.iterall()] if element.VR == "SQ" else [element]
    for one in replaced:
        if one.VR in MOMENTS:
            one.value = MOMENTS[one.VR]


def _empty(dataset: Dataset, tag: Tag) -> None:
    dataset[tag].clear()


def _remove(dataset: Dataset, tag: Tag) -> None:
    del dataset[tag]


def _keep(_dataset: Dataset, _tag: Tag) -> None:
    """The UIDs inside have been replaced."""


def _name(dataset: Dataset, pseudonyms: Pseudonyms, *, keeps_content: bool) -> None:
    """The pseudonym, and by what means. Source: PS3.15 E.1.1, PS3.3 C.7.1.1 and C.12.1."""
    for keyword in IDENTITY:
        setattr(dataset, keyword, pseudonyms.patient)
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = f"PS3.15 {EDITION} Table E.1-1"
    codes = [BASIC_PROFILE, *([CLEAN_CONTENT] if keeps_content else [])]
    dataset.DeidentificationMethodCodeSequence = [_item(*code) for code in codes]
    dataset.file_meta = _file_meta(dataset)
    dataset.preamble = b"\0" * 128


def _item(code_value: str, code_meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code_value, "DCM", code_meaning
    return item


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    """What the file needs, and nothing of who sent it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    return meta
