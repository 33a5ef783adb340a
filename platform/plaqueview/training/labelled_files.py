"""Labelled cases on this machine: a FLAIR and its labels, side by side in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation

FLAIR_NAMES: Final = ("flair.nii.gz", "flair.nii")
CLASSES_NAMES: Final = ("labels.nii.gz", "labels.nii")
PLAQUES_NAMES: Final = ("lesion.nii.gz", "lesion.nii")
# Grey values of the source paper's label images.
PAPER_VALUES: Final = {0: 0, 127: 1, 255: 2}

WITH_CLASSES: Final = "Imported with its labels; on what evidence the classes rest is not known here."
WITHOUT_CLASSES: Final = "Imported with its labels, which name no class: every plaque is shown as inactive."


class LabelledCaseError(ValueError):
    """A folder does not hold a FLAIR with labels on its grid."""


@dataclass(frozen=True)
class LabelledCase:
    """`patient` is the first folder below the one that was named, so that two visits are of one patient."""

    patient: str
    name: str
    flair: Path
    labels: Path

    @property
    def has_classes(self) -> bool:
        return self.labels.name in CLASSES_NAMES

    @property
    def note(self) -> str:
        return WITH_CLASSES if self.has_classes else WITHOUT_CLASSES


def find_cases(root: Path) -> Iterator[LabelledCase]:
    """Every folder below `root`, or `root` itself, that holds a FLAIR, in order of name.

    Raises: LabelledCaseError when one has no labels.
    """
    for flair in sorted(path for name in FLAIR_NAMES for path in root.rglob(name)):
        parts = flair.parent.relative_to(root).parts or (root.name,)
        found = [flair.parent / name for name in (*CLASSES_NAMES, *PLAQUES_NAMES) if (flair.parent / name).is_file()]
        if not found:
            raise LabelledCaseError(f"{'/'.join(parts)} has no labels, need {CLASSES_NAMES[0]} or {PLAQUES_NAMES[0]}")
        yield LabelledCase(parts[0], "/".join(parts), flair, found[0])


def read_case_labels(case: LabelledCase) -> Volume:
    """The labels 0, 1, 2 in axial order; plaques without class are 1.

    Raises: LabelledCaseError when a value is of no convention; NiftiError.
    """
    stored = read_volume_nifti(case.labels)
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
