"""A slice with its plaques drawn over it and a legend below: colours, words and numbers that stay with the pixels."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.volume import axial_reorientation

Color = tuple[int, int, int]

# Narrower pictures are enlarged by a whole number, so that the legend can be read.
SMALLEST_WIDTH: Final = 512
# No scanner measures voxels that are longer; a header may say anything, and the picture has to be kept in memory.
MOST_STRETCHED: Final = 8.0
FONT_SIZE: Final = 14
LETTER_WIDTH: Final = 8  # of the wide ones, so that a line never runs out of the picture
LINE_HEIGHT: Final = 18
MARGIN: Final = 8
SWATCH: Final = 12
HATCH_STEP: Final = 6
WHITE: Final = (235, 235, 235)


@dataclass(frozen=True)
class LegendEntry:
    """A line of the legend; `lesion_class` draws its sign before it."""

    text: str
    lesion_class: LesionClass | None = None


def size_of(shape: tuple[int, int], spacing_mm: tuple[float, float] = (1.0, 1.0)) -> tuple[int, int]:
    """Rows and columns of the picture of a slice: none is left out, and a pixel is as tall as it is wide.

    `spacing_mm` is between rows and between columns; square pixels are enlarged by a whole number.
    """
    stretches = (min(step_mm / min(spacing_mm), MOST_STRETCHED) for step_mm in spacing_mm)
    rows, columns = (steps * stretch for steps, stretch in zip(shape, stretches, strict=True))
    zoom = max(1, math.ceil(SMALLEST_WIDTH / columns))
    return round(rows * zoom), round(columns * zoom)


def upright(slice_: NDArray[Any], affine: NDArray[np.float64]) -> NDArray[Any]:  # Any: keeps the dtype it is given
    """A view of (rows, columns) as a reader expects it, the face up and the patient's right at the left.

    `affine` is that of the volume; slices of another plane than the axial stay as they were stored.
    """
    turn = axial_reorientation(affine)
    if turn.axes != (0, 1, 2):
        return slice_
    return np.flip(slice_, tuple(axis for axis in (0, 1) if turn.flips[axis + 1]))


def draw(
    grey: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
    legend: Sequence[LegendEntry],
    colors: Mapping[LesionClass, Color],
) -> NDArray[np.uint8]:
    """(rows, columns) grey and labels 0, 1, 2 as RGB of `size_of` (rows, columns, 3), with the legend below.

    Inactive plaques are outlined, active ones outlined and hatched, so that colour is never alone. The legend covers
    nothing of the slice.
    """
    slice_ = draw_slice(grey, labels, spacing_mm=spacing_mm, colors=colors)
    return np.concatenate([slice_, _legend(legend, slice_.shape[1], colors)])


def draw_slice(
    grey: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
    colors: Mapping[LesionClass, Color],
) -> NDArray[np.uint8]:
    """The picture of `draw` without its legend, for who says beside it what the signs mean."""
    height, width = size_of(grey.shape, spacing_mm)
    enlarged = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC))
    picture = np.repeat(enlarged[..., np.newaxis], 3, axis=-1)
    marks = labels[_nearest(height, labels.shape[0])][:, _nearest(width, labels.shape[1])]
    for lesion_class, label in LABEL_OF_CLASS.items():
        picture[_strokes(marks == label, lesion_class, width=1 if width == grey.shape[1] else 2)] = colors[lesion_class]
    return picture


def _nearest(size: int, steps: int) -> NDArray[np.intp]:
    """Which of so many rows, or columns, each one of the picture shows."""
    return np.arange(size) * steps // size


def _strokes(mask: NDArray[np.bool_], lesion_class: LesionClass, *, width: int) -> NDArray[np.bool_]:
    """The outline inside the mask, and for active plaques diagonals within it."""
    strokes: NDArray[np.bool_] = mask & ~ndimage.binary_erosion(mask, iterations=width)
    if lesion_class is LesionClass.ACTIVE:
        diagonal = np.arange(mask.shape[0])[:, np.newaxis] + np.arange(mask.shape[1])
        strokes |= mask & (diagonal % HATCH_STEP == 0)
    return strokes


def _legend(entries: Sequence[LegendEntry], width: int, colors: Mapping[LesionClass, Color]) -> NDArray[np.uint8]:
    font = ImageFont.load_default(size=FONT_SIZE)
    lines = [line for entry in entries for line in _wrapped(entry, width)]
    band = Image.new("RGB", (width, len(lines) * LINE_HEIGHT + 2 * MARGIN))
    pen = ImageDraw.Draw(band)
    for index, line in enumerate(lines):
        top = MARGIN + index * LINE_HEIGHT
        left = MARGIN if line.lesion_class is None else MARGIN + SWATCH + MARGIN
        color = WHITE if line.lesion_class is None else colors[line.lesion_class]
        pen.text((left, top), line.text, font=font, fill=color)
    picture = np.array(band)
    for index, line in enumerate(lines):
        if line.lesion_class is not None:
            _draw_swatch(picture, MARGIN + index * LINE_HEIGHT + 2, line.lesion_class, colors[line.lesion_class])
    return picture


def _draw_swatch(picture: NDArray[np.uint8], top: int, lesion_class: LesionClass, color: Color) -> None:
    swatch = np.zeros(picture.shape[:2], np.bool_)
    swatch[top : top + SWATCH, MARGIN : MARGIN + SWATCH] = True
    picture[_strokes(swatch, lesion_class, width=2)] = color


def _wrapped(entry: LegendEntry, width: int) -> Iterator[LegendEntry]:
    """The entry in lines that fit; only the first one bears its sign."""
    room = width - 2 * MARGIN - (SWATCH + MARGIN if entry.lesion_class else 0)
    lesion_class = entry.lesion_class
    for line in textwrap.wrap(_plain(entry.text), room // LETTER_WIDTH):
        yield LegendEntry(line, lesion_class)
        lesion_class = None


def _plain(text: str) -> str:
    """What the font has letters for: mm³ becomes mm3, Kovač becomes Kovac."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).encode("ascii", "replace").decode()
