"""Labelled cases on this machine: a FLAIR and its labels, side by side in a folder, as NIfTI or as PNG slices."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.png_pairs import SPACING_NAME, read_png_pairs
from plaqueview.imaging.volume import Volume, axial_reorientation

FLAIR_NAMES: Final = ("flair.nii.gz", "flair.nii")
CLASSES_NAMES: Final = ("labels.nii.gz", "labels.nii")
PLAQUES_NAMES: Final = ("lesion.nii.gz", "lesion.nii")
# Grey values of the source paper's label images.
PAPER_VALUES: Final = {0: 0, 127: 1, 255: 2}

WITH_CLASSES: Final = "Imported with its labels; on what evidence the classes rest is not known here."
OF_PICTURES: Final = "Imported from PNG slices, with the spacing told beside them; where the head lay is not known."
WITHOUT_CLASSES: Final = "Imported with its labels, which name no class: every plaque is shown as inactive."


class LabelledCaseError(ValueError):
    """A folder does not hold a FLAIR with labels on its grid."""


@dataclass(frozen=True)
class LabelledCase:
    """`patient` is the first folder below the one that was named, so that two visits are of one patient.

    `flair` and `labels` are NIfTI files, or both the folder of PNG slices.
    """

    patient: str
    name: str
    flair: Path
    labels: Path

    @property
    def is_of_pictures(self) -> bool:
        return self.flair == self.labels

    @property
    def has_classes(self) -> bool:
        return self.is_of_pictures or self.labels.name in CLASSES_NAMES

    @property
    def note(self) -> str:
        known = WITH_CLASSES if self.has_classes else WITHOUT_CLASSES
        return f"{known} {OF_PICTURES}" if self.is_of_pictures else known


def find_cases(root: Path) -> Iterator[LabelledCase]:
    """Every folder below `root`, or `root` itself, that holds a FLAIR, in order of name; those of pictures at the end.

    Raises: LabelledCaseError when one has no labels.
    """
    for flair in sorted(path for name in FLAIR_NAMES for path in root.rglob(name)):
        parts = flair.parent.relative_to(root).parts or (root.name,)
        found = [flair.parent / name for name in (*CLASSES_NAMES, *PLAQUES_NAMES) if (flair.parent / name).is_file()]
        if not found:
            raise LabelledCaseError(f"{'/'.join(parts)} has no labels, need {CLASSES_NAMES[0]} or {PLAQUES_NAMES[0]}")
        yield LabelledCase(parts[0], "/".join(parts), flair, found[0])
    for spacing in sorted(root.rglob(SPACING_NAME)):
        parts = spacing.parent.relative_to(root).parts or (root.name,)
        yield LabelledCase(parts[0], "/".join(parts), spacing.parent, spacing.parent)


def read_case_labels(case: LabelledCase) -> Volume:
    """The labels 0, 1, 2 in axial order; plaques without class are 1.

    Raises: LabelledCaseError when a value is of no convention; NiftiError, PngPairsError.
    """
    stored = read_png_pairs(case.labels)[1] if case.is_of_pictures else read_volume_nifti(case.labels)
    axial = axial_reorientation(stored.affine).apply_to(stored)
    voxels = _classes(case, axial.voxels) if case.has_classes else (axial.voxels > 0).astype(np.uint8)
    return axial.with_voxels(voxels)


def _classes(case: LabelledCase, voxels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: NIfTI decides the dtype
    found = {float(value) for value in np.unique(voxels)}
    if found <= {0.0, 1.0, 2.0}:
        return voxels.astype(np.uint8)
    if found <= set(map(float, PAPER_VALUES)):
        return (voxels.astype(np.float32) / 127.0).astype(np.uint8)
    raise LabelledCaseError(f"{case.name}: labels hold {sorted(found)[:8]}, need 0, 1, 2 or 0, 127, 255")
