"""How a measured mask becomes the next version of its study, whoever says it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import LesionMeasures, LesionTable
from plaqueview.imaging.regions import Region, counts_by_region
from plaqueview.studies.models import Study


def next_version(study: Study) -> int:
    """Called under the lock of the study."""
    return (Annotation.objects.filter(study=study).aggregate(last=Max("version"))["last"] or 0) + 1


def measures_of(table: LesionTable) -> dict[str, Any]:  # Any: values of an annotation's fields
    """The fields of an annotation that follow from the lesions."""
    counts, volumes_ml = table.counts(), table.volumes_ml()
    return {
        "connectivity": table.rule.connectivity,
        "minimum_volume_mm3": table.rule.minimum_volume_mm3,
        "counting_rule": table.rule.sentence,
        "active_count": counts[LesionClass.ACTIVE],
        "inactive_count": counts[LesionClass.INACTIVE],
        "active_volume_ml": volumes_ml[LesionClass.ACTIVE],
        "inactive_volume_ml": volumes_ml[LesionClass.INACTIVE],
        "counts_by_slice": {kind.value: list(touching) for kind, touching in table.counts_by_slice().items()},
        "counts_by_size": size_counts(table),
    }


def size_counts(table: LesionTable) -> dict[str, dict[str, int]]:
    """How many lesions of each class are of each size."""
    counted = table.counts_by_size().items()
    return {size.value: {kind.value: count for kind, count in by_class.items()} for size, by_class in counted}


def region_counts(table: LesionTable, regions: Sequence[Region]) -> dict[str, dict[str, int]]:
    """How many lesions of each class lie in each region; `regions` are in the order of the table."""
    of_class = {
        kind: counts_by_region([region for lesion, region in pairs if lesion.lesion_class is kind])
        for kind, pairs in ((kind, zip(table.lesions, regions, strict=True)) for kind in LesionClass)
    }
    return {region.value: {kind.value: of_class[kind][region] for kind in LesionClass} for region in Region}


def lesion_fields(measures: LesionMeasures, region: Region) -> Mapping[str, Any]:  # Any: as above
    """The fields of a lesion that follow from its voxels."""
    return {
        "number": measures.number,
        "lesion_class": measures.lesion_class.value,
        "voxel_count": measures.voxel_count,
        "volume_ml": measures.volume_ml,
        "longest_axis_mm": measures.longest_axis_mm,
        "in_plane_axis_mm": measures.in_plane_axis_mm,
        "centroid_mm": list(measures.centroid_mm),
        "centroid_index": list(measures.centroid_index),
        "slice_indices": list(measures.slice_indices),
        "mean_probability": measures.mean_probability,
        "region": region.value,
    }


def unlocated_lesions(annotation: Annotation, table: LesionTable) -> list[Lesion]:
    """A row for each lesion, before its region is known."""
    return [Lesion(annotation=annotation, **lesion_fields(one, Region.NOT_DETERMINED)) for one in table.lesions]


def insert(annotation: Annotation, lesions: list[Lesion]) -> None:
    """The version and its lesions are written, for good."""
    annotation.save(force_insert=True)
    Lesion.objects.bulk_create(lesions)
