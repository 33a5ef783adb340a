"""What the brain mask keeps of the expert's lesions, and how it agrees with a mask that somebody else made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.dataset import CLASSES_NAME, PLAQUES_NAME, DatasetError
from inference_worker.evaluation_data import read_mask
from inference_worker.metrics import Confusion
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation

FLAIR_PATTERN = "flair*.nii.gz"  # a folder of two visits holds two
GIVEN_NAMES = ("brain_mask.nii.gz", "brainmask.nii.gz")
RULE = (
    "lesion_share: share of the voxels marked as plaque that lie inside our brain mask; dice: of our mask with the "
    "given one, over the whole volume; missing where the study has no such file or our mask fails its checks"
)


@dataclass(frozen=True)
class MaskMeasure:
    """`failure` says why there is no mask."""

    study: str
    lesion_share: float | None
    dice: float | None
    failure: str | None

    def record(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class MaskedStudy:
    """Our mask of an axial FLAIR, empty where it failed, and the given one; all on one grid."""

    measure: MaskMeasure
    flair: Volume
    brain_mask: NDArray[np.bool_]
    given: NDArray[np.bool_] | None


def find_flairs(folder: Path) -> list[Path]:
    """Raises: DatasetError when there is none."""
    found = sorted(folder.rglob(FLAIR_PATTERN))
    if not found:
        raise DatasetError(f"folder {folder.name} holds no {FLAIR_PATTERN}, need at least 1")
    return found


def measure_masks(folder: Path) -> Iterator[MaskedStudy]:
    """Every FLAIR under a folder, one after the other.

    Raises: DatasetError when there is none, or a mask lies elsewhere than its FLAIR.
    """
    for path in find_flairs(folder):
        name = str(path.relative_to(folder)).removesuffix(".nii.gz").removesuffix("/flair")
        yield measure_mask(name, path)


def measure_mask(name: str, path: Path) -> MaskedStudy:
    volume = read_volume_nifti(path)
    flair = axial_reorientation(volume.affine).apply_to(volume)
    lesions = first_mask(path.parent, (PLAQUES_NAME, CLASSES_NAME), flair)
    given = first_mask(path.parent, GIVEN_NAMES, flair)
    try:
        mask = Preprocessing().prepare(flair).brain_mask
    except PreprocessingError as error:
        return MaskedStudy(MaskMeasure(name, None, None, str(error)), flair, np.zeros(flair.shape, bool), given)
    share = None if lesions is None or not lesions.any() else float(mask[lesions].mean())
    dice = None if given is None else Confusion.of(mask, given).dice
    return MaskedStudy(MaskMeasure(name, share, dice, None), flair, mask, given)


def first_mask(folder: Path, names: tuple[str, ...], grid: Volume) -> NDArray[np.bool_] | None:
    """The first of the named masks that is there."""
    paths = [folder / name for name in names if (folder / name).is_file()]
    return read_mask(paths[0], grid) if paths else None
