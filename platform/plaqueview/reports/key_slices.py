"""The few slices that show the most lesions, drawn with their marks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.imaging import mask_codec
from plaqueview.imaging.dicom_document import COLORS
from plaqueview.imaging.dicom_source import DocumentError
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.overlay_picture import draw_slice, upright
from plaqueview.imaging.windowing import Window, apply_window
from plaqueview.studies import services as studies

MOST_SLICES: Final = 6

# Pictures are read again and again and made once; higher levels cost much and save little.
PNG_LEVEL: Final = 4


@dataclass(frozen=True)
class KeySlice:
    """A slice, from 0, the numbers of the lesions on it, and its picture; `aspect` is width over height in mm."""

    slice_index: int
    lesions: tuple[int, ...]
    png: bytes
    aspect: float


def key_slices(annotation: Annotation, lesions: Sequence[Lesion]) -> list[KeySlice]:
    """The key slices in slice order, drawn in the window of the series.

    Raises: DocumentError when the series no longer fits the version; SeriesReadError when it cannot be read.
    """
    indices = chosen_slices(lesions)
    if not indices:
        return []
    labels = mask_codec.decode(labels_of(annotation).content)
    window = window_of(annotation)
    height, width = size_mm(annotation)
    return [
        KeySlice(
            slice_index=index,
            lesions=tuple(lesion.number for lesion in lesions if index in lesion.slice_indices),
            png=png_of(picture_of(apply_window(voxels, window), labels[index], affine_of(annotation))),
            aspect=width / height,
        )
        for index, voxels in studies.load_slices(annotation.series, indices).items()
    ]


def window_of(annotation: Annotation) -> Window:
    """Raises: DocumentError when the series no longer fits the version."""
    series = studies.read_slices(annotation.series)
    if series.shape != annotation.shape:
        raise DocumentError(
            f"the version lies on a grid of {annotation.shape} voxels, its series now has {series.shape}"
        )
    if series.window is None:
        raise DocumentError("the series has no slice from which a window could be taken")
    return series.window


def picture_of(grey: NDArray[np.uint8], labels: NDArray[np.uint8], affine: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A slice of the volume with that affine, its plaques drawn over it, upright."""
    return draw_slice(upright(grey, affine), upright(labels, affine), colors=COLORS)


def affine_of(annotation: Annotation) -> NDArray[np.float64]:
    return np.array(annotation.affine, np.float64).reshape(4, 4)


def size_mm(annotation: Annotation) -> tuple[float, float]:
    """Height and width of a slice."""
    height, width = np.linalg.norm(affine_of(annotation)[:3, 1:3], axis=0) * annotation.shape[1:]
    return float(height), float(width)


def chosen_slices(lesions: Sequence[Lesion], *, most: int = MOST_SLICES) -> list[int]:
    """Of all slices those that show the most lesions not yet shown, active ones first, until all are or it is enough.

    Of slices that show equally many it is the one with the larger lesions, then the lower one.
    """
    return sorted(islice(_greedily(lesions), most))


def _greedily(lesions: Sequence[Lesion]) -> Iterator[int]:
    unseen = {lesion.number: lesion for lesion in lesions}
    while True:
        indices = sorted({index for lesion in unseen.values() for index in lesion.slice_indices})
        if not indices:
            return
        best = max(indices, key=lambda index: _worth(index, unseen.values()))
        yield best
        unseen = {number: lesion for number, lesion in unseen.items() if best not in lesion.slice_indices}


def _worth(index: int, unseen: Iterable[Lesion]) -> tuple[int, int, float]:
    there = [lesion for lesion in unseen if index in lesion.slice_indices]
    active = sum(lesion.lesion_class == LesionClass.ACTIVE for lesion in there)
    return active, len(there), sum(lesion.volume_ml for lesion in there)


def png_of(picture: NDArray[np.uint8]) -> bytes:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG", compress_level=PNG_LEVEL)
    return stream.getvalue()
