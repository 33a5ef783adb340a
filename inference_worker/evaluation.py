"""One study's prediction against its labels, on the source grid, through the path that a patient's study takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inference_worker.calibration import Calibration
from inference_worker.distances import hd95_mm
from inference_worker.labels import ACTIVE, INACTIVE, UNKNOWN_PLAQUE
from inference_worker.metrics import Confusion, LesionDetection, mean_of
from inference_worker.strata import StratumCounts, Surroundings, count_strata
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS
from plaqueview.imaging.lesion_sizes import SizeClass, size_of
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume

Figures = Mapping[str, float]
SparseFigures = Mapping[str, float | None]  # a figure that is not defined for a study is None


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
class MaskFigures:
    """A predicted mask of one study against the true one: any plaque, or the plaques of one class."""

    confusion: Confusion
    slices: Figures
    lesions: LesionDetection
    true_volume_ml: float
    predicted_volume_ml: float
    hd95_mm: float | None

    @classmethod
    def of(cls, prediction: NDArray[np.bool_], truth: NDArray[np.bool_], grid: Volume) -> MaskFigures:
        """Raises: MetricError when the shapes differ."""
        return cls(
            confusion=Confusion.of(prediction, truth),
            slices=slice_figures(prediction, truth),
            lesions=LesionDetection.of(prediction, truth),
            true_volume_ml=float(truth.sum()) * grid.voxel_volume_ml,
            predicted_volume_ml=float(prediction.sum()) * grid.voxel_volume_ml,
            hd95_mm=hd95_mm(prediction, truth, grid),
        )

    @property
    def volume_difference_ml(self) -> float:
        return abs(self.predicted_volume_ml - self.true_volume_ml)

    @property
    def relative_volume_difference(self) -> float | None:
        """The absolute volume difference as a share of the true volume; 0 when both are empty, None of no truth."""
        if self.true_volume_ml:
            return self.volume_difference_ml / self.true_volume_ml
        return None if self.predicted_volume_ml else 0.0

    def figures(self) -> SparseFigures:
        return {
            **self.confusion.figures(),
            **self.lesions.figures(),
            "volume_difference_ml": self.volume_difference_ml,
            "relative_volume_difference": self.relative_volume_difference,
            "hd95_mm": self.hd95_mm,
        }


@dataclass(frozen=True, eq=False)
class StudyFigures:
    """One study's figures; `classes` and `class_counts` are None where the labels name no classes."""

    study: str
    patient: str
    plaques: MaskFigures
    classes: Mapping[str, MaskFigures] | None
    class_counts: ClassCounts | None
    strata: Mapping[str, StratumCounts]
    calibration: Calibration


def evaluate_study(
    study: str,
    found: Segmentation,
    labels: NDArray[np.uint8],
    *,
    patient: str | None = None,
    ventricles: NDArray[np.bool_] | None = None,
) -> StudyFigures:
    """`labels` is (slices, rows, columns) of `labels.POSSIBLE_CLASSES` on the segmentation's grid.

    The patient's name, where none is given, is the study's up to its first slash.

    Raises: MetricError when the shapes differ.
    """
    grid = found.labels
    prediction, truth = grid.voxels > 0, labels > 0
    plaques = MaskFigures.of(prediction, truth, grid)
    has_classes = not (labels == UNKNOWN_PLAQUE).any()
    surroundings = Surroundings(found.brain_mask, ventricles, grid.spacing_mm[1:])
    return StudyFigures(
        study=study,
        patient=patient or study.split("/", maxsplit=1)[0],
        plaques=plaques,
        classes=class_figures(found, labels) if has_classes else None,
        class_counts=count_classes(found, labels) if has_classes else None,
        strata=count_strata(prediction, truth, surroundings),
        calibration=Calibration.of(found.plaque_probability[found.brain_mask], truth[found.brain_mask]),
    )


def slice_figures(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Figures:
    """The mean over slices that hold a plaque in either mask; of a study without any, agreement on one empty slice."""
    either = np.flatnonzero((prediction | truth).any(axis=(1, 2)))
    chosen = either if len(either) else np.array([0])
    return mean_of([Confusion.of(prediction[index], truth[index]).figures() for index in chosen])


def class_figures(found: Segmentation, labels: NDArray[np.uint8]) -> dict[str, MaskFigures]:
    return {
        kind.value: MaskFigures.of(found.labels.voxels == label, labels == label, found.labels)
        for kind, label in LABEL_OF_CLASS.items()
    }


def found_by_size(prediction: NDArray[np.bool_], truth: Volume) -> dict[str, float]:
    """Of the true lesions of each size there is, the share with a predicted voxel; `truth` holds 0 and one label."""
    measured = measure_lesions(truth, None, rule=CountingRule(minimum_volume_mm3=0.0))
    touched = set(np.unique(measured.lesion_numbers[prediction]).tolist())
    found: dict[str, list[bool]] = {}
    for lesion in measured.lesions:
        found.setdefault(size_of(lesion.in_plane_axis_mm).value, []).append(lesion.number in touched)
    return {size.value: float(np.mean(found[size.value])) for size in SizeClass if size.value in found}


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
