"""The source paper's Figure 7: FLAIR, truth and prediction of chosen slices."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from inference_worker.plots.slices import head_box, label_key, show_labels, show_slice
from inference_worker.plots.style import new_figure, styled

CELL_INCHES = 2.0
CELL_HEIGHT = 2.35
LETTERS_PER_CELL = 22
ROWS = 4


@dataclass(frozen=True, eq=False)
class Triptych:
    """One slice: FLAIR, truth and predicted labels by model, all (rows, columns); `dice` is of the whole study."""

    study: str
    slice_index: int
    pixel_mm: tuple[float, float]
    true_volume_ml: float
    flair: NDArray[np.float32]
    truth: NDArray[np.uint8]
    predictions: Mapping[str, NDArray[np.uint8]]
    dice: Mapping[str, float]


def choose_rows(triptychs: Sequence[Triptych]) -> list[Triptych]:
    """Up to four studies from the lightest to the heaviest load, evenly spread over their order."""
    ordered = sorted(triptychs, key=lambda each: each.true_volume_ml)
    chosen = np.unique(np.linspace(0, len(ordered) - 1, ROWS).round().astype(int))
    return [ordered[index] for index in chosen]


@styled
def draw_triptychs(triptychs: Sequence[Triptych], *, caption: str) -> Figure:
    """A row a slice, a column each for FLAIR, truth and every model."""
    models = list(triptychs[0].predictions)
    columns = 2 + len(models)
    figure, body = new_figure(CELL_INCHES * columns, CELL_HEIGHT * len(triptychs) + 0.7, caption)
    grid = body.subplots(len(triptychs), columns, squeeze=False)
    for axes, triptych in zip(grid, triptychs, strict=True):
        draw_row(axes, triptych)
    for axes, title in zip(grid[0], ("FLAIR", "truth", *map(broken, models)), strict=True):
        axes.set_title("\n".join([title, axes.get_title()]).strip(), size=9)
    body.legend(handles=label_key(shown_labels(triptychs)), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def broken(name: str) -> str:
    """The name of a model on lines as wide as a cell, broken at its underscores."""
    return textwrap.fill(name.replace("_", "_ "), LETTERS_PER_CELL).replace("_ ", "_")


def draw_row(row: Sequence[Axes], triptych: Triptych) -> None:
    box = head_box(triptych.flair)
    labels = [None, triptych.truth, *triptych.predictions.values()]
    dice = [f"Dice {triptych.dice[model]:.3f}" for model in triptych.predictions]
    name = f"{triptych.study}, slice {triptych.slice_index + 1}"
    titles = [name, f"{triptych.true_volume_ml:.1f} ml", *dice]
    for axes, shown, title in zip(row, labels, titles, strict=True):
        show_slice(axes, triptych.flair[box], triptych.pixel_mm)
        if shown is not None:
            show_labels(axes, shown[box], triptych.pixel_mm)
        axes.set_title(title, size=8)
    row[0].text(0.03, 0.97, "R", transform=row[0].transAxes, color="white", size=8, va="top")


def shown_labels(triptychs: Sequence[Triptych]) -> list[int]:
    arrays = [array for each in triptychs for array in (each.truth, *each.predictions.values())]
    return sorted({int(label) for array in arrays for label in np.unique(array)} - {0})
