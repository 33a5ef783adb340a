"""What is kept of every study that was read and of every version that was approved, by the clock, some at a time."""

import logging
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef

from plaqueview.annotations.masks import brain_mask_of
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.core.errors import UnavailableError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.agreement import AgreementError
from plaqueview.imaging.comparison import compare
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.image_quality import measure_quality
from plaqueview.imaging.input_measures import InputMeasureError, measure_input
from plaqueview.monitoring.models import StudyEdit, StudyMeasures
from plaqueview.monitoring.readings import labels_of, rule_of
from plaqueview.studies.services import keep_quality, load_volume, read_scanner

logger = logging.getLogger(__name__)

AT_ONCE: Final = 5
LONGEST_NAME: Final = 100
LONGEST_NOTE: Final = 300


def measure_results() -> int:
    """Results of new studies that were not measured yet are, some at a time, the newest first. How many were."""
    known = StudyMeasures.objects.filter(result=OuterRef("pk"))
    due = Annotation.objects.filter(~Exists(known), state=AnnotationState.PREDICTED, job__is_background=False)
    results = list(due.select_related("series").order_by("-created")[:AT_ONCE])
    for result in results:
        fields = _measured(result)
        with transaction.atomic():
            StudyMeasures.objects.get_or_create(result=result, defaults=fields)
    return len(results)


def measure_edits() -> int:
    """Approved versions that were not compared yet with what their readers began with are, some at a time. How many
    were.
    """
    known = StudyEdit.objects.filter(final=OuterRef("pk"))
    due = Annotation.objects.filter(~Exists(known), state=AnnotationState.APPROVED)
    versions = list(due.order_by("-created")[:AT_ONCE])
    for final in versions:
        fields = _edited(final)
        with transaction.atomic():
            StudyEdit.objects.get_or_create(final=final, defaults=fields)
    return len(versions)


def _measured(result: Annotation) -> dict[str, Any]:  # Any: values of the fields
    fields: dict[str, Any] = {  # Any: as above
        "study_id": result.study_id,
        "read_at": result.created,
        "lesion_ml": sum(result.volumes_ml.values()),
        "lesion_count": sum(result.counts.values()),
    }
    try:
        return fields | _of_input(result)
    except (SeriesReadError, InputMeasureError, UnavailableError) as error:
        logger.info("version %s could not be measured: %s", result.pk, error)
        return fields | {"note": str(error)[:LONGEST_NOTE]}


def _of_input(result: Annotation) -> dict[str, Any]:  # Any: as above
    """The quality is kept with the series too, whose protocol is checked by floors below."""
    brain = mask_codec.decode(brain_mask_of(result).content).astype(np.bool_)
    volume = load_volume(result.series_id).volume
    measures, quality = measure_input(volume, brain), measure_quality(volume, brain)
    keep_quality(series_id=result.series_id, quality=quality)
    return {**vars(measures), "noise": quality.noise, "ghosting": quality.ghosting, **_scanner_of(result)}


def _scanner_of(result: Annotation) -> dict[str, str]:
    """A series that came as NIfTI names no scanner."""
    try:
        scanner = read_scanner(result.series_id)
    except SeriesReadError:
        return {}
    return {"manufacturer": scanner.manufacturer[:LONGEST_NAME], "scanner_model": scanner.model[:LONGEST_NAME]}


def _edited(final: Annotation) -> dict[str, Any]:  # Any: as above
    """Nothing to compare where the readers began with no network's answer, or with one over another series."""
    begun_with = _beginning_of(final)
    fields: dict[str, Any] = {"study_id": final.study_id}  # Any: as above
    if begun_with is None:
        return fields
    try:
        found = compare(labels_of(begun_with), labels_of(final), rule=rule_of(final))
    except AgreementError as error:
        logger.info("version %s is not compared with %s: %s", final.pk, begun_with.pk, error)
        return fields
    return {**fields, "result": begun_with, "comparison": found.as_json()}


def _beginning_of(final: Annotation) -> Annotation | None:
    """The network's answer from which the version grew, over however many others."""
    version: Annotation | None = final
    while version is not None and version.model_id is None:
        version = version.base
    return version
