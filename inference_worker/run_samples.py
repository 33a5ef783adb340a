"""A few slices of the validation side, the same at each validation, with what the expert and the network draw there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from inference_worker.dataset import LabelledStudy
from inference_worker.labels import ACTIVE, BACKGROUND, INACTIVE
from inference_worker.metrics import Confusion
from inference_worker.reading_rule import ReadingRule
from inference_worker.training import predict_classes

SAMPLE_COUNT: Final = 4
# Outlines run along the edges of pixels: contours of OpenCV run through the middles of the pixels of a mask.
FINER: Final = 4

Outline = list[list[float]]


@dataclass(frozen=True, eq=False)
class Sample:
    """One slice on the network's grid, as a grey PNG, with outlines in its pixels, x before y.

    `outlines` are by `expert`, `active` and `inactive`; `slice_number` counts from 1; `dice` is of any plaque on this
    slice, None where neither draws one.
    """

    number: int
    study: str
    slice_number: int
    png: bytes
    outlines: Mapping[str, list[Outline]]
    dice: float | None


class Watched:
    """Of each study the slice with the largest plaques, then the second of each, until there are a few."""

    def __init__(self, validation: Sequence[LabelledStudy]) -> None:
        places = zip_longest(*(_by_plaques(study) for study in validation))
        self._places: list[tuple[LabelledStudy, int]] = list(
            islice((place for round_ in places for place in round_ if place), SAMPLE_COUNT)
        )

    def samples(self, network: nn.Module) -> list[Sample]:
        """The slices with what the network says of them now."""
        if not self._places:
            return []
        slices = np.stack([study.slices[index] for study, index in self._places])
        found = _classes(predict_classes(network, slices))
        return [_sample(at + 1, *self._places[at], found[at]) for at in range(len(found))]


def _by_plaques(study: LabelledStudy) -> Iterator[tuple[LabelledStudy, int]]:
    areas = (study.labels > BACKGROUND).sum(axis=(1, 2))
    for index in np.argsort(-areas, kind="stable"):
        if areas[index]:
            yield study, int(index)


def _classes(probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(n, rows, columns) labels, read as a validation does."""
    plaque = 1.0 - probabilities[:, BACKGROUND] >= ReadingRule().plaque_threshold
    larger = np.where(probabilities[:, ACTIVE] >= probabilities[:, INACTIVE], ACTIVE, INACTIVE)
    return np.where(plaque, larger, BACKGROUND).astype(np.uint8)


def _sample(number: int, study: LabelledStudy, index: int, found: NDArray[np.uint8]) -> Sample:
    truth = study.labels[index] > BACKGROUND
    masks = {"expert": truth, "active": found == ACTIVE, "inactive": found == INACTIVE}
    either = bool(truth.any() or found.any())
    return Sample(
        number=number,
        study=study.name,
        slice_number=index + 1,
        png=cv2.imencode(".png", study.slices[index])[1].tobytes(),
        outlines={name: outlines_of(mask) for name, mask in masks.items()},
        dice=Confusion.of(found > BACKGROUND, truth).dice if either else None,
    )


def outlines_of(mask: NDArray[np.bool_]) -> list[Outline]:
    """Closed lines around the parts of a (rows, columns) mask and around their holes, as [x, y] in pixels."""
    finer = mask.astype(np.uint8).repeat(FINER, axis=0).repeat(FINER, axis=1)
    contours, _ = cv2.findContours(finer, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [((contour[:, 0] + 0.5) / FINER).round(2).tolist() for contour in contours]
