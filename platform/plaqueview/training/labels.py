"""An approved version as training reads it: which voxels are plaque, and of which class somebody was sure."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.measuring import rule_of
from plaqueview.annotations.models import Annotation, Evidence, Lesion
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.lesions import measure_lesions
from plaqueview.imaging.volume import Volume
from plaqueview.training.models import LabelSource

# The worker's table of labels has the same number: inference_worker/labels.py.
UNKNOWN_PLAQUE: Final = 3
UNKNOWN_CLASS: Final = "unknown"


@dataclass(frozen=True)
class TrainedLesion:
    """One lesion as it is trained on; `lesion_class` is "unknown" where its source is none, or is not trusted."""

    number: int
    lesion_class: str
    source: str
    voxel_count: int
    volume_ml: float

    def as_json(self) -> dict[str, str | int | float]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class TrainingLabels:
    """`labels` holds 0, 1 (inactive), 2 (active), 3 (plaque without class) on the version's grid."""

    labels: Volume
    lesions: tuple[TrainedLesion, ...]


def training_labels(annotation: Annotation, *, trusted: Collection[LabelSource]) -> TrainingLabels:
    """The labels of the version; what is too small to count as a lesion is a plaque without class."""
    mask = mask_codec.decode(labels_of(annotation).content)
    volume = Volume(mask, np.array(annotation.affine, np.float64).reshape(4, 4))
    numbers = measure_lesions(volume, None, rule=rule_of(annotation)).lesion_numbers
    sources = lesion_sources(annotation, numbers)
    labels = np.where(mask > 0, np.uint8(UNKNOWN_PLAQUE), np.uint8(0))
    lesions = []
    for lesion in annotation.lesions.order_by("number"):
        source = sources[lesion.number]
        is_trusted = source in trusted
        if is_trusted:
            labels[numbers == lesion.number] = LABEL_OF_CLASS[LesionClass(lesion.lesion_class)]
        lesions.append(_trained(lesion, source, lesion.lesion_class if is_trusted else UNKNOWN_CLASS))
    return TrainingLabels(volume.with_voxels(labels), tuple(lesions))


def lesion_sources(annotation: Annotation, numbers: NDArray[np.uint16]) -> Mapping[int, LabelSource]:
    """What the class of each lesion rests on, by its number."""
    predicted = _prediction_of(annotation)
    return {lesion.number: _source(lesion, numbers, predicted) for lesion in annotation.lesions.all()}


def _source(lesion: Lesion, numbers: NDArray[np.uint16], predicted: NDArray[np.uint8] | None) -> LabelSource:
    if lesion.evidence is None:
        return LabelSource.NONE
    if lesion.evidence == Evidence.READER_OPINION and predicted is not None:
        inside = predicted[numbers == lesion.number]
        said = LABEL_OF_CLASS[LesionClass(lesion.lesion_class)]
        if 2 * np.count_nonzero(inside == said) > inside.size:
            return LabelSource.AI_CONFIRMED
    return LabelSource(lesion.evidence)


def _prediction_of(annotation: Annotation) -> NDArray[np.uint8] | None:
    """What the network had said when the reader began; None where no network had."""
    version: Annotation | None = annotation
    while version is not None and version.model_id is None:
        version = version.base
    return None if version is None else mask_codec.decode(labels_of(version).content)


def _trained(lesion: Lesion, source: LabelSource, lesion_class: str) -> TrainedLesion:
    return TrainedLesion(lesion.number, lesion_class, source.value, lesion.voxel_count, lesion.volume_ml)
