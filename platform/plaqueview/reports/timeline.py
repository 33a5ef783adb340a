"""A patient's course: what was counted in each study, and what changed since the prior it was registered to."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Sum

from plaqueview.accounts.models import User
from plaqueview.annotations import services as annotations
from plaqueview.annotations.models import Annotation
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.csv_file import csv_bytes
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.dicom_document import Stamp
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.longitudinal import LesionChange
from plaqueview.imaging.protocol import TITLES
from plaqueview.imaging.regions import Region
from plaqueview.longitudinal import services as longitudinal
from plaqueview.longitudinal.services import Changes
from plaqueview.patients.models import Patient
from plaqueview.reports.findings import prior_of, uptakes_of
from plaqueview.reports.stamps import stamp_of
from plaqueview.studies import reading as studies
from plaqueview.studies.models import Study
from plaqueview.studies.protocols import differences_between, differing

PART = "timeline"

Value = str | int | float | None


@dataclass(frozen=True, eq=False)
class Visit:
    """A study with its current version; no version where nothing has read it, no changes where nothing is
    registered, no uptakes where no search for contrast agent has ended.
    """

    study: Study
    annotation: Annotation | None
    stamp: Stamp | None
    changes: Changes | None
    uptakes: Uptakes | None


@dataclass(frozen=True, eq=False)
class Timeline:
    """The visits, the oldest first."""

    patient: Patient
    visits: tuple[Visit, ...]


def read_timeline(*, patient_id: UUID, actor: User) -> Timeline:
    """The patient's course; that the actor read the patient and each version is on record.

    In no transaction of its own, so that nobody else's event waits while versions are compared: they never change.

    Raises: DeniedError, NotFoundError.
    """
    patient = studies.read_patient(patient_id=patient_id, actor=actor)
    oldest_first = studies.studies_of_patient(patient)[::-1]
    current = [study.current_annotation_id for study in oldest_first if study.current_annotation_id]
    versions = annotations.read_several(annotation_ids=current, actor=actor, part=PART)
    visits = tuple(
        _visit(study, versions[version_id] if (version_id := study.current_annotation_id) else None)
        for study in oldest_first
    )
    compared = [visit.changes.prior_annotation.pk for visit in visits if visit.changes]
    annotations.read_several(annotation_ids=compared, actor=actor, part=PART)
    return Timeline(patient, visits)


def read_timeline_csv(*, patient_id: UUID, actor: User) -> bytes:
    """The same as CSV, one row a visit; the export is on record.

    Raises: DeniedError, NotFoundError.
    """
    timeline = read_timeline(patient_id=patient_id, actor=actor)
    content = timeline_csv(timeline)
    audit.record(
        EventKind.DOCUMENT_EXPORTED,
        actor=actor,
        object_type="patient",
        object_id=timeline.patient.pk,
        site_id=timeline.patient.site_id,
        details={"document": "timeline.csv", "sha256": hashlib.sha256(content).hexdigest()},
    )
    return content


def timeline_csv(timeline: Timeline) -> bytes:
    """Numbers as the API writes them, empty where there is none."""
    return csv_bytes(COLUMNS, map(row_of, timeline.visits))


def row_of(visit: Visit) -> dict[str, Value]:
    row: dict[str, Value] = dict.fromkeys(COLUMNS)
    day = visit.study.study_date
    row |= {"study": str(visit.study.pk), "study_date": day.isoformat() if day else None}
    if visit.annotation is not None and visit.stamp is not None:
        row |= _of_version(visit.annotation, visit.stamp)
    if visit.changes is not None:
        row |= _of_changes(visit.changes)
    if visit.uptakes is not None and visit.uptakes.found is not None:
        row |= {"enhancing_count": len(visit.uptakes.lesions), "enhancement_rule": visit.uptakes.found.rule.sentence}
    return row


def state_of(stamp: Stamp) -> str:
    return "approved" if stamp.approval else "draft"


def _visit(study: Study, annotation: Annotation | None) -> Visit:
    if annotation is None:
        return Visit(study, None, None, None, None)
    stamp = stamp_of(annotation)
    prior, uptakes = prior_of(annotation, stamp), uptakes_of(annotation, stamp)
    changes = longitudinal.changes_since(prior, annotation) if prior else None
    return Visit(study, annotation, stamp, changes, uptakes)


def _of_version(annotation: Annotation, stamp: Stamp) -> dict[str, Value]:
    counts: dict[str, Value] = {f"{kind.value}_count": count for kind, count in annotation.counts.items()}
    volumes_ml: dict[str, Value] = {f"{kind.value}_volume_ml": ml for kind, ml in annotation.volumes_ml.items()}
    return {
        "annotation": str(annotation.pk),
        "version": annotation.version,
        "state": state_of(stamp),
        **counts,
        **volumes_ml,
        **_of_regions(annotation),
        "counting_rule": stamp.counting_rule,
        "authors": "; ".join(stamp.authors()),
        "notice": stamp.notice,
    }


def _of_regions(annotation: Annotation) -> dict[str, Value]:
    """Nothing until the regions are known."""
    return {
        f"{region.value}_{name}": value
        for region, (count, volume_ml) in regions_of(annotation).items()
        for name, value in (("count", count), ("volume_ml", volume_ml))
    }


def regions_of(annotation: Annotation) -> dict[Region, tuple[int, float]]:
    """Number and volume in ml of the lesions of each region; empty until the regions are known."""
    if not annotation.region_map_key:
        return {}
    rows = annotation.lesions.values_list("region").annotate(Count("pk"), Sum("volume_ml"))
    found = {Region(region): (count, volume_ml) for region, count, volume_ml in rows.order_by("region")}
    return {region: found.get(region, (0, 0.0)) for region in Region}


def _of_changes(changes: Changes) -> dict[str, Value]:
    counts: dict[str, Value] = {f"{kind.value}_count": n for kind, n in changes.comparison.counts().items()}
    return {
        "prior": str(changes.prior_annotation.study_id),
        "prior_annotation": str(changes.prior_annotation.pk),
        **counts,
        **{f"{kind.value}_volume_ml": ml for kind, ml in changes.comparison.volumes_ml().items()},
        **{f"{kind.value}_prior_volume_ml": ml for kind, ml in changes.comparison.prior_volumes_ml().items()},
        "brightened_count": brightened_in(changes),
        "change_rule": changes.comparison.rule.sentence,
        "brightening_rule": changes.brightening.rule if changes.brightening else None,
        "protocol_differences": _differing(changes),
    }


def brightened_in(changes: Changes) -> int | None:
    """Places that became brighter though no lesion grew; None where that was not looked for, or could not be told."""
    is_known = changes.brightening is not None and not changes.brightening.note
    return len(changes.brightened_only) if is_known else None


def _differing(changes: Changes) -> str:
    """What is known to differ between the protocols of the two visits."""
    differences = differences_between(changes.annotation.series, changes.prior_annotation.series)
    return "; ".join(f"{TITLES[one.check]} {one.found}, prior {one.prior}" for one in differing(differences))


COLUMNS = (
    "study",
    "study_date",
    "annotation",
    "version",
    "state",
    *(f"{kind.value}_count" for kind in LesionClass),
    *(f"{kind.value}_volume_ml" for kind in LesionClass),
    "prior",
    "prior_annotation",
    *(f"{kind.value}_count" for kind in LesionChange),
    *(f"{kind.value}_volume_ml" for kind in LesionChange),
    *(f"{kind.value}_prior_volume_ml" for kind in LesionChange),
    "brightened_count",
    "enhancing_count",
    *(f"{region.value}_count" for region in Region),
    *(f"{region.value}_volume_ml" for region in Region),
    "counting_rule",
    "change_rule",
    "brightening_rule",
    "enhancement_rule",
    "protocol_differences",
    "authors",
    "notice",
)
