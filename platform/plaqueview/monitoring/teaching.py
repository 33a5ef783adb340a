"""What labelling each unread study would teach, kept by the clock, some studies at a time."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from plaqueview.annotations.measuring import probabilities_of
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.imaging.comparison import Comparison
from plaqueview.imaging.lesion_sizes import SizeClass
from plaqueview.imaging.teaching import (
    Part,
    PartName,
    TrainedOn,
    disagreement,
    rarity,
    score_of,
    uncertainty,
    unlikeness,
)
from plaqueview.monitoring.models import ReadingState, ShadowReading, StudyTeaching
from plaqueview.monitoring.readings import labels_of
from plaqueview.registry.models import ModelVersion
from plaqueview.studies import services as studies
from plaqueview.studies.models import ReadingState as StudyReading

logger = logging.getLogger(__name__)

AT_ONCE: Final = 5
GONE: Final = "files of the version are no longer in the store"


def score_results() -> int:
    """Results of unread studies that were not looked at yet have their score, some at a time, the newest first. How
    many got one.
    """
    known = StudyTeaching.objects.filter(result=OuterRef("pk"))
    due = Annotation.objects.filter(
        ~Exists(known),
        state=AnnotationState.PREDICTED,
        study__reading=StudyReading.UNREAD,
        study__current_annotation_id=F("pk"),
    )
    results = list(due.order_by("-created")[:AT_ONCE])
    for result in results:
        written = _fields_of(result)
        with transaction.atomic():
            row, _ = StudyTeaching.objects.get_or_create(result=result, defaults=written)
            _publish(row)
    return len(results)


def hear_shadows() -> None:
    """Studies that a model in shadow has read since have the disagreement in their score."""
    read = ShadowReading.objects.filter(state=ReadingState.SUCCEEDED)
    newest = Subquery(read.filter(champion_result=OuterRef("result")).order_by("-finished_at").values("pk")[:1])
    # Of a department's results few were read in shadow: they are looked up, and not the other way round.
    rows = StudyTeaching.objects.filter(result__in=read.values("champion_result"), note="")
    rows = rows.filter(study__reading=StudyReading.UNREAD).annotate(newest=newest)
    waiting = rows.exclude(shadow_reading=F("newest"))
    for row in waiting[:AT_ONCE]:
        _hear(row, ShadowReading.objects.select_related("period__model").get(pk=row.newest))


@transaction.atomic
def _hear(row: StudyTeaching, reading: ShadowReading) -> None:
    part = disagreement(_comparison_of(reading), shadow=reading.period.model.version)
    others = [one for one in row.parts if one["name"] != PartName.DISAGREEMENT]
    row.parts, row.shadow_reading = _sorted([*others, part.as_json()]), reading
    row.save()
    _publish(row)


def _fields_of(result: Annotation) -> dict[str, Any]:  # Any: values of the fields
    try:
        parts = _parts_of(result)
    except FileNotFoundError:
        logger.warning("version %s says nothing of what it would teach: %s", result.pk, GONE)
        return {"study_id": result.study_id, "note": GONE}
    return {"study_id": result.study_id, "parts": _sorted([part.as_json() for part in parts])}


def _parts_of(result: Annotation) -> list[Part]:
    """Raises: FileNotFoundError when files of the version are gone."""
    labels, probabilities = labels_of(result), probabilities_of(result)
    parts = []
    if probabilities is not None:
        parts.append(uncertainty(probabilities, labels.voxels > 0, voxel_ml=labels.voxel_volume_ml))
    trained_on = TrainedOn.of_facts(ModelVersion.objects.get(sha256=result.model_sha256).facts)
    if trained_on is not None:
        spacing_mm = [float(one) for one in labels.spacing_mm]
        parts += filter(None, [unlikeness(spacing_mm, trained_on), rarity(_sizes_of(result), trained_on)])
    return parts


def _sizes_of(result: Annotation) -> Counter[SizeClass]:
    return Counter(lesion.size for lesion in result.lesions.all() if lesion.size is not None)


def _comparison_of(reading: ShadowReading) -> Comparison:
    found = reading.against_champion or {}
    return Comparison(**{field.name: found[field.name] for field in fields(Comparison)})


def _sorted(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:  # Any: JSON
    return sorted(parts, key=lambda one: -one["value"])


def _publish(row: StudyTeaching) -> None:
    if row.note:
        return
    score = score_of([Part(PartName(one["name"]), one["value"], one["text"]) for one in row.parts])
    studies.record_teaching(study_id=row.study_id, annotation_id=row.result_id, score=score, parts=row.parts)
