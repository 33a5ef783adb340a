"""Studies as pairs of PNG slices, the form in which the source paper's cohort is kept.

A folder holds `NAME-flair.png` (8 or 16 bits, grey) and `NAME-labels.png` (0, 127, 255) of every slice, in order from
feet to head, and `spacing_mm.json`, `[between slices, between rows, between columns]`: pictures have no millimetres.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import Volume

SPACING_NAME = "spacing_mm.json"
FLAIR_ENDING = "-flair.png"
LABELS_ENDING = "-labels.png"


class PngPairsError(ValueError):
    """A folder of PNG slices that makes no study."""


def read_png_pairs(folder: Path) -> tuple[Volume, Volume]:
    """The FLAIR and its labels, as grey as they are, on one axial grid.

    Rows go to the back and columns to the left.

    Raises: PngPairsError when a slice has no partner, is no grey picture, or has another size than the first.
    """
    flairs = sorted(folder.glob(f"*{FLAIR_ENDING}"))
    partners = [flair.with_name(flair.name.removesuffix(FLAIR_ENDING) + LABELS_ENDING) for flair in flairs]
    surplus = {path.name for path in folder.glob("*.png")} - {path.name for path in (*flairs, *partners)}
    if surplus:
        raise PngPairsError(f"slices {sorted(surplus)[:3]} belong to no NAME{FLAIR_ENDING}, need one for each")
    if not flairs:
        raise PngPairsError(f"folder {folder.name} holds no NAME{FLAIR_ENDING}, need at least 1")
    affine = affine_of(folder / SPACING_NAME)
    return Volume(read_stack(flairs), affine), Volume(read_stack(partners), affine)


def read_stack(paths: list[Path]) -> NDArray[Any]:  # Any: 8 or 16 bits
    """(slices, rows, columns) of grey pictures of one size."""
    stack = [read_grey(path) for path in paths]
    for path, picture in zip(paths, stack, strict=True):
        if picture.shape != stack[0].shape:
            raise PngPairsError(f"slice {path.name} is {picture.shape}, the first is {stack[0].shape}")
    return np.stack(stack)


def read_grey(path: Path) -> NDArray[Any]:  # Any: 8 or 16 bits
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if picture is None or picture.ndim != 2:
        found = "missing or no picture" if picture is None else f"of {picture.shape[2]} colours"
        raise PngPairsError(f"slice {path.name} is {found}, need a grey PNG")
    return np.asarray(picture)


def affine_of(path: Path) -> NDArray[np.float64]:
    """Index (slice, row, column) to LPS in mm, the first voxel at the origin."""
    try:
        spacing = np.array(json.loads(path.read_text(encoding="utf-8")), np.float64)
    except (OSError, ValueError, TypeError) as error:
        raise PngPairsError(f"{path.name} of {path.parent.name} does not read: {error}") from error
    if spacing.shape != (3,) or not (np.isfinite(spacing) & (spacing > 0)).all():
        raise PngPairsError(f"{path.name} of {path.parent.name} holds {spacing.tolist()}, need 3 lengths in mm above 0")
    affine = np.zeros((4, 4))
    affine[[2, 1, 0, 3], [0, 1, 2, 3]] = *spacing, 1.0
    return affine
