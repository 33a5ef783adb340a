"""The source paper's Figure 1: what every step of the preprocessing makes of three slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inference_worker.plots.style import new_figure, styled
from inference_worker.preprocessing import Preprocessing
from inference_worker.preprocessing_steps import Step, steps_of_slice
from plaqueview.imaging.volume import Volume

CELL_INCHES = 1.55
HEIGHTS = (0.35, 0.55, 0.8)  # of the way up the brain: temporal lobes, ventricles, vertex


def steps_of_three_slices(volume: Volume) -> dict[int, tuple[Step, ...]]:
    """By slice index of an axial volume.

    Raises: PreprocessingError as `Preprocessing.prepare` does.
    """
    preprocessing = Preprocessing()
    held = np.flatnonzero(preprocessing.prepare(volume).brain_mask.any(axis=(1, 2)))
    indices = [int(held[round(height * (len(held) - 1))]) for height in HEIGHTS]
    return {index: steps_of_slice(volume, index, preprocessing) for index in indices}


@styled
def draw_steps(slices: Mapping[int, Sequence[Step]], pixel_mm: tuple[float, float], *, caption: str) -> Figure:
    """A row a slice, a column a step; every picture from its darkest to its brightest value, which stand under it."""
    first = next(iter(slices.values()))
    figure, body = new_figure(CELL_INCHES * len(first), (CELL_INCHES + 0.12) * len(slices) + 0.2, caption)
    grid = body.subplots(len(slices), len(first), squeeze=False)
    for axes, (index, steps) in zip(grid, slices.items(), strict=True):
        for cell, step in zip(axes, steps, strict=True):
            draw_step(cell, step, pixel_mm if step.picture.shape == first[0].picture.shape else (1.0, 1.0))
        axes[0].text(0.03, 0.97, f"slice {index + 1}", transform=axes[0].transAxes, color="white", size=7, va="top")
    for axes, step in zip(grid[0], first, strict=True):
        axes.set_title(step.name, size=9)
    return figure


def draw_step(axes: Axes, step: Step, pixel_mm: tuple[float, float]) -> None:
    values = step.picture.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    axes.imshow(values, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=pixel_mm[0] / pixel_mm[1])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"{low:.4g} to {high:.4g}", size=7, labelpad=2)
