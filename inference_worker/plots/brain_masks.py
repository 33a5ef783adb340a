"""The brain mask on the slices where it is hardest: the lowest and the highest, beside one of the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from inference_worker.mask_measures import MaskedStudy, MaskMeasure
from inference_worker.plots.slices import show_slice
from inference_worker.plots.style import new_figure, styled

OURS, GIVEN = "#56B4E9", "#E69F00"
CELL_INCHES = 1.55
COLUMNS = ("below the mask", "lowest", "second", "middle", "last but one", "highest", "above the mask")


@dataclass(frozen=True, eq=False)
class MaskedSlice:
    """One FLAIR slice with our mask and the given one, all (rows, columns)."""

    index: int
    picture: NDArray[np.float32]
    ours: NDArray[np.bool_]
    given: NDArray[np.bool_] | None


@dataclass(frozen=True, eq=False)
class MaskRow:
    """The slices that are shown of one study, None where the volume ends, with the masks on them."""

    measure: MaskMeasure
    pixel_mm: tuple[float, float]
    slices: tuple[MaskedSlice | None, ...]


def mask_row(study: MaskedStudy) -> MaskRow:
    """Copies of the shown slices only, so that the volume can go."""
    indices = chosen_slices(study.brain_mask)
    return MaskRow(
        study.measure, study.flair.spacing_mm[1:], tuple(None if k is None else slice_of(study, k) for k in indices)
    )


def slice_of(study: MaskedStudy, k: int) -> MaskedSlice:
    given = None if study.given is None else study.given[k].copy()
    return MaskedSlice(k, study.flair.voxels[k].astype(np.float32), study.brain_mask[k].copy(), given)


def chosen_slices(mask: NDArray[np.bool_]) -> list[int | None]:
    """One slice a column; of a mask that failed, slices spread over the volume."""
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(held):
        return [int(k) for k in np.linspace(0, len(mask) - 1, len(COLUMNS))]
    low, high = int(held[0]), int(held[-1])
    wanted = [low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1]
    return [k if 0 <= k < len(mask) else None for k in wanted]


@styled
def draw_brain_masks(rows: Sequence[MaskRow], *, caption: str) -> Figure:
    size = (CELL_INCHES * len(COLUMNS) + 1.4, (CELL_INCHES * 1.05) * len(rows) + 0.5)
    figure, body = new_figure(*size, caption)
    grid = body.subplots(len(rows), len(COLUMNS) + 1, squeeze=False, width_ratios=(0.85, *[1.0] * len(COLUMNS)))
    for axes, row in zip(grid, rows, strict=True):
        axes[0].set_axis_off()
        axes[0].text(0.0, 0.5, row_title(row.measure), transform=axes[0].transAxes, va="center", size=8)
        for cell, shown in zip(axes[1:], row.slices, strict=True):
            draw_cell(cell, shown, row.pixel_mm)
    for axes, title in zip(grid[0][1:], COLUMNS, strict=True):
        axes.set_title(title, size=8)
    key = [Line2D([], [], color=OURS, label="our mask"), Line2D([], [], color=GIVEN, label="given mask")]
    body.legend(handles=key, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def row_title(measure: MaskMeasure) -> str:
    lines = [measure.study.replace("/", "\n")]
    if measure.lesion_share is not None:
        lines.append(f"lesions {measure.lesion_share:.2%}")
    if measure.dice is not None:
        lines.append(f"Dice {measure.dice:.3f}")
    if measure.failure is not None:
        lines.append("mask failed")
    return "\n".join(lines)


def draw_cell(axes: Axes, shown: MaskedSlice | None, pixel_mm: tuple[float, float]) -> None:
    axes.set_axis_off()
    if shown is None:
        axes.set_box_aspect(1)  # its title stands as high as those of its neighbours
        return
    show_slice(axes, shown.picture, pixel_mm)
    for mask, colour in ((shown.given, GIVEN), (shown.ours, OURS)):
        if mask is not None and mask.any():
            axes.contour(mask, levels=[0.5], colors=[colour], linewidths=0.8)
    axes.text(0.03, 0.97, f"{shown.index + 1}", transform=axes.transAxes, color="white", size=7, va="top")
