"""What a network says of the studies that it was not trained on, kept beside its weights for `compare`."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference_worker.config import CLASS_NAMES, SLICE_SIZE
from inference_worker.reading_rule import ReadingRule

HELD_OUT_NAME = "held_out.npz"
UNREADABLE = (ValueError, OSError, EOFError, zipfile.BadZipFile)
VERSION_NAME, THRESHOLD_NAME = "preprocessing_version", "plaque_threshold"
FULL = 255.0  # the byte that stands for a probability of one


class HeldOutError(ValueError):
    """A file of held-out predictions that does not hold what it should."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """By study (slices, classes, 256, 256) float32 probabilities, 0 to 1, and from which on a voxel is a plaque."""

    probabilities: Mapping[str, NDArray[np.float32]]
    plaque_threshold: float


def write_held_out(
    path: Path, probabilities: Mapping[str, NDArray[np.float32]], *, version: str, reading: ReadingRule
) -> None:
    """Keeps (slices, classes, 256, 256) probabilities of each named study, to 1/255, on the network's grid.

    `version` is of the preprocessing, which decides where that grid lies; `reading` is the rule by which the network
    was asked.
    """
    partial = path.with_suffix(".partial")
    kept: dict[str, Any] = {name: np.rint(each * FULL).astype(np.uint8) for name, each in probabilities.items()}
    kept[VERSION_NAME], kept[THRESHOLD_NAME] = np.array(version), np.array(reading.plaque_threshold)
    with partial.open("wb") as stream:
        np.savez_compressed(stream, **kept)
    partial.replace(path)


def held_out_names(path: Path) -> list[str]:
    """The studies that a file holds predictions of.

    Raises: HeldOutError when the file does not read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [name for name in arrays.files if name not in {VERSION_NAME, THRESHOLD_NAME}]
    except UNREADABLE as error:
        raise HeldOutError(f"predictions {path.name} do not read: {error}") from error


def read_held_out(path: Path, *, versions: Collection[str]) -> HeldOut:
    """What `write_held_out` kept.

    Raises: HeldOutError when the file does not read, an array has another shape or dtype, or the file is of none of
    these versions of the preprocessing.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays.files}
    except UNREADABLE as error:
        raise HeldOutError(f"predictions {path.name} do not read: {error}") from error
    version = str(kept.pop(VERSION_NAME, "1"))  # the first version did not say which it was
    threshold = float(kept.pop(THRESHOLD_NAME, ReadingRule().plaque_threshold))  # nor did files say the threshold
    if version not in versions:
        raise HeldOutError(f"predictions {path.name} are of preprocessing {version!r}, need one of {sorted(versions)}")
    for name, array in kept.items():
        if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (len(CLASS_NAMES), SLICE_SIZE, SLICE_SIZE):
            raise HeldOutError(
                f"predictions of {name} are {array.dtype} of shape {array.shape}, "
                f"need uint8 (slices, {len(CLASS_NAMES)}, {SLICE_SIZE}, {SLICE_SIZE})"
            )
    probabilities = {name: array.astype(np.float32) / np.float32(FULL) for name, array in kept.items()}
    return HeldOut(probabilities, threshold)
