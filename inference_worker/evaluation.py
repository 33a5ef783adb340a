"""A model's predictions against labels, on the source grid, through the same path that a patient's study takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inference_worker.labels import ACTIVE, INACTIVE, UNKNOWN_PLAQUE
from inference_worker.metrics import Confusion, LesionDetection, mean_of
from plaqueview.imaging.lesions import LABEL_OF_CLASS, CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation

Figures = Mapping[str, float]
AVERAGING = {
    "by_study": "each study's voxels pooled",
    "mean": "unweighted mean of the studies",
    "slices": "unweighted mean of the slices with plaques in truth or prediction, within a study",
    "pooled": "all voxels of all studies pooled",
    "classes": "all voxels of all studies whose labels name classes, pooled; lesion_classes: all found lesions of them",
    "lesions": "26-connected components of any plaque, as labelled; predicted ones by the counting rule; "
    "found when one voxel overlaps",
}


@dataclass(frozen=True)
class ClassCounts:
    """Found lesions by true class (first word) and the class that the model gave them."""

    active_as_active: int = 0
    active_as_inactive: int = 0
    inactive_as_active: int = 0
    inactive_as_inactive: int = 0

    def __add__(self, other: ClassCounts) -> ClassCounts:
        return ClassCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def accuracy(self) -> float:
        """Share of the found lesions with the right class; 1 where none was found."""
        found = sum(asdict(self).values())
        return (self.active_as_active + self.inactive_as_inactive) / found if found else 1.0

    def record(self) -> dict[str, float]:
        return {**asdict(self), "accuracy": self.accuracy}


@dataclass(frozen=True)
class StudyFigures:
    """One study's figures; `classes` and `class_counts` are None where the labels name no classes."""

    study: str
    confusion: Confusion
    slices: Figures
    lesions: Figures
    classes: Mapping[str, Confusion] | None
    class_counts: ClassCounts | None
    true_volume_ml: float
    predicted_volume_ml: float

    @property
    def any_plaque(self) -> Figures:
        return self.confusion.figures()


def evaluate_study(name: str, found: Segmentation, labels: NDArray[np.uint8]) -> StudyFigures:
    """`labels` is (slices, rows, columns) of `labels.POSSIBLE_CLASSES` on the segmentation's grid."""
    prediction, truth = found.labels.voxels > 0, labels > 0
    has_classes = not (labels == UNKNOWN_PLAQUE).any()
    return StudyFigures(
        study=name,
        confusion=Confusion.of(prediction, truth),
        slices=slice_figures(prediction, truth),
        lesions=LesionDetection.of(prediction, truth).figures(),
        classes=class_confusions(found, labels) if has_classes else None,
        class_counts=count_classes(found, labels) if has_classes else None,
        true_volume_ml=float(truth.sum()) * found.labels.voxel_volume_ml,
        predicted_volume_ml=float(prediction.sum()) * found.labels.voxel_volume_ml,
    )


def slice_figures(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Figures:
    """The mean over slices that hold a plaque in either mask; of a study without any, agreement on one empty slice."""
    either = np.flatnonzero((prediction | truth).any(axis=(1, 2)))
    chosen = either if len(either) else np.array([0])
    return mean_of([Confusion.of(prediction[index], truth[index]).figures() for index in chosen])


def class_confusions(found: Segmentation, labels: NDArray[np.uint8]) -> dict[str, Confusion]:
    return {
        kind.value: Confusion.of(found.labels.voxels == label, labels == label)
        for kind, label in LABEL_OF_CLASS.items()
    }


def count_classes(found: Segmentation, labels: NDArray[np.uint8]) -> ClassCounts:
    """What the true lesions that were found are taken for: the class of most predicted voxels, a tie is active."""
    truth = measure_lesions(found.labels.with_voxels(labels), None, rule=CountingRule(minimum_volume_mm3=0.0))
    counts: Counter[str] = Counter()
    for lesion in truth.lesions:
        predicted = found.labels.voxels[truth.lesion_numbers == lesion.number]
        active, inactive = (int((predicted == label).sum()) for label in (ACTIVE, INACTIVE))
        if active or inactive:
            counts[f"{lesion.lesion_class.value}_as_{'active' if active >= inactive else 'inactive'}"] += 1
    return ClassCounts(**counts)


def summarise(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """Means over studies and pooled figures, as JSON holds them.

    Raises: MetricError when there are no studies.
    """
    record: dict[str, object] = {
        "averaging": AVERAGING,
        "studies": len(studies),
        "mean": {**mean_of([s.any_plaque for s in studies]), **mean_of([s.lesions for s in studies])},
        "slices": mean_of([study.slices for study in studies]),
        "pooled": sum((study.confusion for study in studies), Confusion(0, 0, 0, 0)).figures(),
        "by_study": {study.study: study_record(study) for study in studies},
    }
    return {**record, **pooled_classes(studies)}


def pooled_classes(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """Figures of each class over all voxels, and all lesions by class, of the studies whose labels name classes."""
    classes = [study.classes for study in studies if study.classes is not None]
    counts = [study.class_counts for study in studies if study.class_counts is not None]
    if not classes:
        return {}
    pooled = {name: sum((c[name] for c in classes), Confusion(0, 0, 0, 0)).figures() for name in classes[0]}
    return {"classes": pooled, "lesion_classes": sum(counts, ClassCounts()).record()}


def study_record(study: StudyFigures) -> dict[str, object]:
    record: dict[str, object] = {
        **study.any_plaque,
        **study.lesions,
        "true_volume_ml": study.true_volume_ml,
        "predicted_volume_ml": study.predicted_volume_ml,
    }
    if study.classes is not None and study.class_counts is not None:
        record["classes"] = {name: confusion.figures() for name, confusion in study.classes.items()}
        record["lesion_classes"] = study.class_counts.record()
    return record


def markdown_table(studies: Iterable[StudyFigures]) -> str:
    """One row a study and one of means."""
    columns = ("dice", "iou", "precision", "recall", "f1", "mcc", "lesion_f1", "ltpr", "lfpr")
    rows = [(study.study, {**study.any_plaque, **study.lesions}) for study in studies]
    rows.append(("mean", mean_of([figures for _, figures in rows])))
    lines = ["| study | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in rows:
        lines.append("| " + " | ".join([name, *(f"{figures[column]:.3f}" for column in columns)]) + " |")
    return "\n".join(lines) + "\n"
