"""What a run's network has learned from, as its facts say it: by these a study is told that teaches something new."""

from collections import Counter
from uuid import UUID

from plaqueview.annotations.models import Lesion
from plaqueview.imaging.lesion_sizes import SizeClass
from plaqueview.imaging.teaching import TrainedOn
from plaqueview.studies.models import Series
from plaqueview.training.models import Side, SnapshotStudy, TrainingRun


def trained_on(run: TrainingRun) -> TrainedOn:
    """The train side of the run's snapshot, and what the model that it started from has learned from, where known."""
    rows = SnapshotStudy.objects.filter(snapshot=run.snapshot_id, side=Side.TRAIN, exclusion="")
    versions = list(rows.values_list("annotation", flat=True))
    own = TrainedOn(_spacings_of(versions), _sizes_of(versions))
    return own.joined(TrainedOn.of_facts(run.start_model.facts) if run.start_model else None)


def _spacings_of(versions: list[UUID]) -> dict[str, list[float]]:
    """Each once, ascending, to 0.01 mm; a series whose slices have no spacing is in no snapshot."""
    of_versions = Series.objects.filter(annotations__in=versions, spacing_mm__isnull=False)
    found = [spacing for spacing in of_versions.values_list("spacing_mm", flat=True) if spacing]
    return {
        "slice_mm": sorted({round(slice_mm, 2) for slice_mm, _, _ in found}),
        "pixel_mm": sorted({round((row_mm + column_mm) / 2.0, 2) for _, row_mm, column_mm in found}),
    }


def _sizes_of(versions: list[UUID]) -> Counter[SizeClass]:
    lesions = Lesion.objects.filter(annotation__in=versions, in_plane_axis_mm__isnull=False)
    return Counter(lesion.size for lesion in lesions.only("in_plane_axis_mm") if lesion.size)
