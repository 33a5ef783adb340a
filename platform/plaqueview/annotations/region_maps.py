"""The regions of a version's lesions: a worker makes the map once the version is there, and it is written once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from plaqueview.annotations import journal, versions
from plaqueview.annotations.files import store_encoded
from plaqueview.annotations.masks import brain_mask_of, labels_of
from plaqueview.annotations.measuring import MeasuredMask, measure
from plaqueview.annotations.models import Annotation, AnnotationState, Lesion
from plaqueview.core.errors import InvalidError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.regions import Region, RegionRule
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study

LONGEST_NOTE: Final = 300
TOO_LATE: Final = "The version was approved before its regions were known."

# A message that was lost costs this long; what is a day old has been asked for often enough.
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
ASKED_FOR_AT_MOST: Final = timedelta(days=1)
ASKED_AT_ONCE: Final = 20


@dataclass(frozen=True, eq=False)
class WantedMap:
    """What a worker needs: `brain` is (slices, rows, columns) bool on the grid of the series."""

    annotation_id: UUID
    series_id: UUID
    brain: NDArray[np.bool_]


def read_wanted_map(annotation_id: UUID) -> WantedMap | None:
    """None when the version has its regions, or the reason why not."""
    annotation = _waiting().filter(pk=annotation_id).exclude(brain_mask_key="").first()
    if annotation is None:
        return None
    brain = mask_codec.decode(brain_mask_of(annotation).content).astype(np.bool_)
    return WantedMap(annotation.pk, annotation.series_id, brain)


def record_regions(*, annotation_id: UUID, labels: NDArray[np.uint8]) -> None:
    """The version and those that grew from it meanwhile have the map, and their lesions their regions.

    `labels` are `imaging.regions.LABEL_OF_REGION` on the version's grid. The second time nothing changes.

    Raises: InvalidError when the map is on another grid.
    """
    key = store_encoded(mask_codec.encode(labels))
    with transaction.atomic():
        for annotation in _waiting_with(annotation_id):
            if labels.shape != annotation.shape:
                raise InvalidError(f"the region map has the shape {labels.shape}, the version has {annotation.shape}")
            annotation.region_map_key, annotation.region_rule = key, RegionRule().sentence
            _write(annotation, measure(annotation, labels_of(annotation).content))


@transaction.atomic
def record_no_regions(*, annotation_id: UUID, reason: str) -> None:
    """The version and those that grew from it meanwhile say why their regions are not known."""
    for annotation in _waiting_with(annotation_id):
        _close(annotation, region_note=reason[:LONGEST_NOTE])


@transaction.atomic
def take_overdue_maps() -> list[UUID]:
    """Predictions whose map has not come, each returned once a minute for a day, for somebody to ask again."""
    now = timezone.now()
    overdue = _waiting().filter(author=None, modified__lt=now - ASKED_AGAIN_AFTER, created__gt=now - ASKED_FOR_AT_MOST)
    found = list(overdue.order_by("created").values_list("pk", flat=True)[:ASKED_AT_ONCE])
    Annotation.objects.filter(pk__in=found).update(modified=now)
    return found


def _waiting() -> QuerySet[Annotation]:
    return Annotation.objects.filter(region_map_key="", region_note="")


def _waiting_with(annotation_id: UUID) -> list[Annotation]:
    """The version and those of its series that wait as well, under the lock of their study; no approved one."""
    asked = Annotation.objects.select_related("study").get(pk=annotation_id)
    Study.objects.select_for_update().get(pk=asked.study_id)
    waiting = list(_waiting().filter(series_id=asked.series_id).select_related("study", "author"))
    for annotation in waiting:
        if annotation.state == AnnotationState.APPROVED:
            _close(annotation, region_note=TOO_LATE)
    return [one for one in waiting if one.state != AnnotationState.APPROVED and _same_grid(one, asked)]


def _same_grid(first: Annotation, second: Annotation) -> bool:
    return (first.shape, first.affine) == (second.shape, second.affine)


def _write(annotation: Annotation, mask: MeasuredMask) -> None:
    numbers: dict[Region, list[int]] = defaultdict(list)
    for lesion, region in zip(mask.table.lesions, mask.regions, strict=True):
        numbers[region].append(lesion.number)
    for region, of_region in numbers.items():
        _lesions(annotation, of_region).update(region=region.value)
    _close(
        annotation,
        region_map_key=annotation.region_map_key,
        region_rule=annotation.region_rule,
        region_counts=versions.region_counts(mask.table, mask.regions),
    )


def _lesions(annotation: Annotation, numbers: Sequence[int]) -> QuerySet[Lesion]:
    return Lesion.objects.filter(annotation=annotation, number__in=numbers)


def _close(annotation: Annotation, **fields: object) -> None:
    """The fields are written, the study's summary follows, and who looks on hears of it."""
    for name, value in fields.items():
        setattr(annotation, name, value)
    Annotation.objects.filter(pk=annotation.pk).update(**fields, modified=timezone.now())
    studies.refresh_summary(study_id=annotation.study_id, annotation=journal.summary_of(annotation))
    journal.publish(annotation)
