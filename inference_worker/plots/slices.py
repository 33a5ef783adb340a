"""How a slice of a head is shown in a figure: windowed, cut to the head, with plaques over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from numpy.typing import NDArray

from inference_worker.labels import ACTIVE, INACTIVE, UNKNOWN_PLAQUE

# Of the Okabe and Ito palette, those that are bright on a grey brain.
LABEL_COLOURS: Mapping[int, str] = {INACTIVE: "#56B4E9", ACTIVE: "#E69F00", UNKNOWN_PLAQUE: "#F0E442"}
LABEL_NAMES: Mapping[int, str] = {INACTIVE: "inactive", ACTIVE: "active", UNKNOWN_PLAQUE: "plaque, class not given"}
FILL = 0.45
MARGIN = 4  # pixels around the head

Box = tuple[slice, slice]


def head_box(picture: NDArray[np.float32]) -> Box:
    """The rows and columns that hold the head, with a margin; all of them where nothing is bright."""
    bright = picture > 0.15 * np.percentile(picture, 99.5)
    sides = [np.flatnonzero(bright.mean(axis=axis) > 0.01) for axis in (1, 0)]
    if any(len(side) == 0 for side in sides):
        return slice(None), slice(None)
    rows, columns = (slice(max(0, int(side[0]) - MARGIN), int(side[-1]) + MARGIN + 1) for side in sides)
    return rows, columns


def show_slice(axes: Axes, picture: NDArray[np.float32], pixel_mm: tuple[float, float]) -> None:
    """Front above, the patient's right on the left, pixels as high and wide as they are in mm."""
    low, high = np.percentile(picture, (1.0, 99.7))
    axes.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=pixel_mm[0] / pixel_mm[1])
    axes.set_axis_off()


def show_labels(axes: Axes, labels: NDArray[np.uint8], pixel_mm: tuple[float, float]) -> None:
    """Plaques over a slice, filled and outlined in the colour of their class."""
    overlay = np.zeros((*labels.shape, 4), np.float32)
    for label, colour in LABEL_COLOURS.items():
        mask = labels == label
        overlay[mask] = to_rgba(colour, FILL)
        if mask.any():
            axes.contour(mask, levels=[0.5], colors=[colour], linewidths=0.9)
    axes.imshow(overlay, aspect=pixel_mm[0] / pixel_mm[1], interpolation="nearest")


def label_key(labels: Sequence[int]) -> list[Patch]:
    """The legend's entries of the labels that are shown."""
    return [Patch(color=LABEL_COLOURS[label], label=LABEL_NAMES[label]) for label in LABEL_COLOURS if label in labels]
