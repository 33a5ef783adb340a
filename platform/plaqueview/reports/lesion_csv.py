"""The lesions of a version as CSV: one row a lesion, numbers as the API writes them, the rule in every row."""

from collections.abc import Callable, Mapping

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.core.csv_file import csv_bytes
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.dicom_document import Stamp
from plaqueview.imaging.dicom_sr import tracking_uid
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.reports.findings import uptakes_of
from plaqueview.reports.stamps import basis_of, stamp_of

Value = str | int | float | None

OF_LESION: Mapping[str, Callable[[Lesion, Stamp], Value]] = {
    "lesion": lambda lesion, _: str(lesion.pk),
    "tracking_uid": lambda lesion, _: tracking_uid(str(lesion.pk)),
    "number": lambda lesion, _: lesion.number,
    "lesion_class": lambda lesion, _: lesion.lesion_class,
    "class_basis": basis_of,
    "region": lambda lesion, _: lesion.region,
    "evidence": lambda lesion, _: lesion.evidence,
    "volume_ml": lambda lesion, _: lesion.volume_ml,
    "longest_axis_mm": lambda lesion, _: lesion.longest_axis_mm,
    "in_plane_axis_mm": lambda lesion, _: lesion.in_plane_axis_mm,
    "size": lambda lesion, _: lesion.size,
    "voxel_count": lambda lesion, _: lesion.voxel_count,
    "centroid_x_mm": lambda lesion, _: lesion.centroid_mm[0],
    "centroid_y_mm": lambda lesion, _: lesion.centroid_mm[1],
    "centroid_z_mm": lambda lesion, _: lesion.centroid_mm[2],
    "centroid_slice": lambda lesion, _: lesion.centroid_index[0],
    "centroid_row": lambda lesion, _: lesion.centroid_index[1],
    "centroid_column": lambda lesion, _: lesion.centroid_index[2],
    "slice_indices": lambda lesion, _: " ".join(map(str, lesion.slice_indices)),
    "mean_probability": lambda lesion, _: lesion.mean_probability,
}


def lesions_csv(annotation: Annotation) -> bytes:
    """Positions in mm are LPS. A version without lesions has the names of the columns only."""
    stamp = stamp_of(annotation)
    uptakes = uptakes_of(annotation, stamp)
    version = _of_version(annotation, stamp) | {"enhancement_rule": rule_of(uptakes)}
    rows = [
        {**_of_lesion(lesion, stamp), "takes_up_contrast": _takes_up(lesion, uptakes), **version}
        for lesion in annotation.lesions.order_by("number")
    ]
    return csv_bytes([*OF_LESION, "takes_up_contrast", *version], rows)


def _of_lesion(lesion: Lesion, stamp: Stamp) -> dict[str, Value]:
    return {name: value(lesion, stamp) for name, value in OF_LESION.items()}


def rule_of(uptakes: Uptakes | None) -> str:
    """How it was told which lesions took up contrast agent, or why it could not be; empty without a search."""
    if uptakes is None:
        return ""
    return uptakes.found.rule.sentence if uptakes.found else f"not told: {uptakes.reason}"


def _takes_up(lesion: Lesion, uptakes: Uptakes | None) -> Value:
    """Suggested, no or, where that is not known, nothing."""
    if uptakes is None or uptakes.found is None:
        return None
    return "suggested" if lesion.number in uptakes.lesions else "no"


def _of_version(annotation: Annotation, stamp: Stamp) -> dict[str, Value]:
    return {
        "study": str(annotation.study_id),
        "annotation": str(annotation.pk),
        "version": annotation.version,
        "state": "approved" if stamp.approval else "draft",
        "counting_rule": stamp.counting_rule,
        "size_rule": SIZE_RULE,
        "region_rule": annotation.region_rule or annotation.region_note,
        "authors": "; ".join(stamp.authors()),
        "notice": stamp.notice,
    }
