"""Every write of annotations and the reads that the audit keeps, by the module that does it."""

from plaqueview.annotations.comments import Remark, add_comment, read_comments, resolve_comment
from plaqueview.annotations.double_readings import (
    Panel,
    call_off,
    create_double_reading,
    read_double_reading,
    read_double_readings,
)
from plaqueview.annotations.drafts import DraftContent, discard_draft, read_draft, save_draft
from plaqueview.annotations.imports import ImportedLabels, create_imported
from plaqueview.annotations.journal import summary_of
from plaqueview.annotations.predictions import Prediction, create_predicted
from plaqueview.annotations.reading import read, read_current, read_several, read_versions
from plaqueview.annotations.region_maps import (
    WantedMap,
    read_wanted_map,
    record_no_regions,
    record_regions,
    take_overdue_maps,
)
from plaqueview.annotations.review import Submission, approve, give_back, submit

__all__ = [
    "DraftContent",
    "ImportedLabels",
    "Panel",
    "Prediction",
    "Remark",
    "Submission",
    "WantedMap",
    "add_comment",
    "approve",
    "call_off",
    "create_double_reading",
    "create_imported",
    "create_predicted",
    "discard_draft",
    "give_back",
    "read",
    "read_comments",
    "read_current",
    "read_double_reading",
    "read_double_readings",
    "read_draft",
    "read_several",
    "read_versions",
    "read_wanted_map",
    "record_no_regions",
    "record_regions",
    "resolve_comment",
    "save_draft",
    "submit",
    "summary_of",
    "take_overdue_maps",
]
