"""Small heads with plaques of known place, for tests that go from a volume to labels."""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.nifti import write_volume_nifti
from plaqueview.imaging.volume import Volume


def head_volume(shape=(8, 96, 96), spacing_mm=(8.0, 2.2, 2.2)) -> Volume:
    """An axial stack of ellipses: scalp, dark skull, brain at 100 with noise, ventricles, and four bright plaques."""
    slices, rows, columns = shape
    voxels = np.random.default_rng(0).normal(0.0, 2.0, shape).astype(np.float32)
    k, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    height = (k - (slices - 1) / 2) * spacing_mm[0] / 62.0
    down, across = (y - (rows - 1) / 2) * spacing_mm[1], (x - (columns - 1) / 2) * spacing_mm[2]
    radius = np.sqrt((down / 88.0) ** 2 + (across / 72.0) ** 2 + height**2 * 0.55)
    for limit, level in ((1.0, 120.0), (0.93, 15.0), (0.86, 100.0)):
        voxels[radius < limit] = level + np.random.default_rng(1).normal(0.0, 3.0, int((radius < limit).sum()))
    voxels[(np.hypot(down / 18.0, across / 8.0) < 1) & (np.abs(height) < 0.5)] = 20.0
    voxels[plaques_of(shape)] += 70.0
    affine = np.array(
        [[0, 0, spacing_mm[2], -100.0], [0, spacing_mm[1], 0, -100.0], [spacing_mm[0], 0, 0, 0.0], [0, 0, 0, 1]]
    )
    return Volume(np.clip(voxels, 0.0, None), affine)


def shallow_head() -> Volume:
    """The same head in half of the slices, for whoever learns or reads it many times."""
    return head_volume((4, 96, 96), (16.0, 2.2, 2.2))


def plaques_of(shape=(8, 96, 96)) -> NDArray[np.bool_]:
    """Where `head_volume` has its plaques."""
    mask = np.zeros(shape, bool)
    middle = shape[0] // 2
    for k, row, column in ((middle, 40, 36), (middle, 58, 60), (middle - 1, 52, 34), (middle + 1, 44, 62)):
        mask[k, row : row + 4, column : column + 4] = True
    return mask


def write_study(folder: Path, *, classes: bool, volume: Volume | None = None) -> None:
    """A study as training reads it; with classes the plaques left of the middle are active."""
    flair = volume or head_volume()
    folder.mkdir(parents=True)
    write_volume_nifti(folder / "flair.nii.gz", flair)
    mask = plaques_of(flair.shape)
    labels = mask.astype(np.uint8)
    if classes:
        labels[:, :, flair.shape[2] // 2 :] *= 2
    name = "labels.nii.gz" if classes else "lesion.nii.gz"
    write_volume_nifti(folder / name, flair.with_voxels(labels))


def write_pairs(folder: Path, spacing_mm=(8.0, 2.2, 2.2)) -> None:
    """`head_volume` as 16-bit pictures, its plaques inactive left of the middle and active right of it."""
    volume = head_volume()
    greys = plaques_of().astype(np.uint8) * 127
    greys[:, :, 48:] = np.where(greys[:, :, 48:] > 0, 255, 0)
    folder.mkdir(parents=True)
    for index, (flair, labels) in enumerate(zip(np.rint(volume.voxels).astype(np.uint16), greys, strict=True)):
        cv2.imwrite(str(folder / f"{index:03}-flair.png"), flair)
        cv2.imwrite(str(folder / f"{index:03}-labels.png"), labels)
    (folder / "spacing_mm.json").write_text(json.dumps(spacing_mm))
