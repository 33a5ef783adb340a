"""A model's predictions against labels, on the source grid, through the same path that a patient's study takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_worker.labels import ACTIVE, INACTIVE, UNKNOWN_PLAQUE
from inference_worker.metrics import Confusion, LesionDetection, mean_of
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume

Figures = Mapping[str, float]
AVERAGING = {
    "by_study": "each study's voxels pooled",
    "mean": "unweighted mean of the studies",
    "slices": "unweighted mean of the slices with plaques in truth or prediction, within a study",
    "pooled": "all voxels of all studies pooled",
    "lesions": "26-connected components of any plaque, as labelled; predicted ones by the counting rule; "
    "found when one voxel overlaps",
}


@dataclass(frozen=True)
class StudyFigures:
    """One study's figures; `classes` is empty where the labels name none."""

    study: str
    any_plaque: Figures
    slices: Figures
    lesions: Figures
    classes: Mapping[str, Figures]
    true_volume_ml: float
    predicted_volume_ml: float
    confusion: Confusion


def evaluate_study(name: str, found: Segmentation, labels: NDArray[np.uint8]) -> StudyFigures:
    """`labels` is (slices, rows, columns) of `labels.POSSIBLE_CLASSES` on the segmentation's grid."""
    prediction, truth = found.labels.voxels > 0, labels > 0
    confusion = Confusion.of(prediction, truth)
    return StudyFigures(
        study=name,
        any_plaque=confusion.figures(),
        slices=slice_figures(prediction, truth),
        lesions=LesionDetection.of(prediction, truth).figures(),
        classes=class_figures(found, labels),
        true_volume_ml=float(truth.sum()) * found.labels.voxel_volume_ml,
        predicted_volume_ml=float(prediction.sum()) * found.labels.voxel_volume_ml,
        confusion=confusion,
    )


def slice_figures(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Figures:
    """The mean over slices that hold a plaque in either mask; of a study without any, agreement on one empty slice."""
    either = np.flatnonzero((prediction | truth).any(axis=(1, 2)))
    chosen = either if len(either) else np.array([0])
    return mean_of([Confusion.of(prediction[index], truth[index]).figures() for index in chosen])


def class_figures(found: Segmentation, labels: NDArray[np.uint8]) -> dict[str, Figures]:
    """Figures by class where the labels name classes; `class_accuracy` is the share of the found lesions."""
    if not labels.any() or (labels == UNKNOWN_PLAQUE).any():
        return {}
    by_class: dict[str, Figures] = {
        name: Confusion.of(found.labels.voxels == label, labels == label).figures()
        for name, label in (("inactive", INACTIVE), ("active", ACTIVE))
    }
    right, matched = class_matches(found, labels)
    by_class["lesions"] = {"found": float(matched), "class_accuracy": right / matched if matched else 1.0}
    return by_class


def class_matches(found: Segmentation, labels: NDArray[np.uint8]) -> tuple[int, int]:
    """How many true lesions were found with the right class, and how many were found at all.

    A found lesion has the class that most of its predicted voxels have; a tie counts as active.
    """
    rule = CountingRule(minimum_volume_mm3=0.0)
    truth = measure_lesions(found.labels.with_voxels(labels), None, rule=rule)
    right = matched = 0
    for lesion in truth.lesions:
        predicted = found.labels.voxels[truth.lesion_numbers == lesion.number]
        voxels = {label: int((predicted == label).sum()) for label in (INACTIVE, ACTIVE)}
        if any(voxels.values()):
            matched += 1
            is_active = voxels[ACTIVE] >= voxels[INACTIVE]
            right += is_active == (lesion.lesion_class == "active")
    return right, matched


def summarise(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """Means over studies and pooled figures, as JSON holds them.

    Raises: MetricError when there are no studies.
    """
    pooled = Confusion(0, 0, 0, 0)
    for study in studies:
        pooled += study.confusion
    classed = [study for study in studies if study.classes]
    return {
        "averaging": AVERAGING,
        "studies": len(studies),
        "mean": {**mean_of([s.any_plaque for s in studies]), **mean_of([s.lesions for s in studies])},
        "slices": mean_of([study.slices for study in studies]),
        "pooled": pooled.figures(),
        "classes": {
            name: mean_of([s.classes[name] for s in classed]) for name in (classed[0].classes if classed else ())
        },
        "by_study": {study.study: study_record(study) for study in studies},
    }


def study_record(study: StudyFigures) -> dict[str, object]:
    return {
        **study.any_plaque,
        **study.lesions,
        "true_volume_ml": study.true_volume_ml,
        "predicted_volume_ml": study.predicted_volume_ml,
        **({"classes": study.classes} if study.classes else {}),
    }


def markdown_table(studies: Iterable[StudyFigures]) -> str:
    """One row a study and one of means."""
    columns = ("dice", "iou", "precision", "recall", "f1", "mcc", "lesion_f1", "ltpr", "lfpr")
    rows = [(study.study, {**study.any_plaque, **study.lesions}) for study in studies]
    rows.append(("mean", mean_of([figures for _, figures in rows])))
    lines = ["| study | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in rows:
        lines.append("| " + " | ".join([name, *(f"{figures[column]:.3f}" for column in columns)]) + " |")
    return "\n".join(lines) + "\n"


def same_grid(labels: Volume, found: Segmentation) -> bool:
    return labels.shape == found.labels.shape and np.allclose(labels.affine, found.labels.affine, atol=0.01)
