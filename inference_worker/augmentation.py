"""Random changes of a training slice, as MR scanners and protocols make them.

OpenCV and numpy on one 256x256 slice take about a millisecond with everything switched on; a training step on one core
takes a hundred times that per slice, so the loader needs no worker processes. MONAI and TorchIO do the same changes on
tensors in tens of milliseconds and would each add a large dependency.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_worker.config import AugmentationConfig

AROUND_PLAQUES = (31, 31)  # pixels, of which those of tissue tell how bright it is around a plaque
PLAQUE_EDGE = 0.7  # pixels, sigma

Slice = NDArray[np.float32]
Labels = NDArray[np.uint8]


def augment(
    slice_: Slice, labels: Labels, *, size: int, config: AugmentationConfig, generator: np.random.Generator
) -> tuple[Slice, Labels]:
    """The (rows, columns) float32 slice in 0..1 and its uint8 labels after random changes, cut to (size, size).

    Voxels that are exactly zero lie outside the brain mask and stay zero: masking follows the scanner's effects.
    """
    slice_, labels = transform(slice_, labels, placement(slice_, size, config, generator), size)
    head = slice_ > 0.0
    if config.plaque_contrast != (1.0, 1.0) and generator.random() < config.probability:
        slice_ = plaque_contrast(slice_, labels, config, generator)
    for change in (resolution, blur, bias_field, intensity, noise):
        if generator.random() < config.probability:
            slice_ = change(slice_, config, generator)
    return np.where(head, np.clip(slice_, 0.0, 1.0), 0.0).astype(np.float32), labels


def placement(
    slice_: Slice, size: int, config: AugmentationConfig, generator: np.random.Generator
) -> NDArray[np.float64]:
    """A random 2x3 matrix from target (column, row) to source.

    Mirroring, rotation, scale by axis, shear, and a shift that brings the brain near the middle of the target.
    """
    angle = np.deg2rad(generator.uniform(-config.rotation_degrees, config.rotation_degrees))
    zoom = np.exp(generator.uniform(*np.log(config.scale)))
    stretch = np.exp(generator.uniform(-config.stretch, config.stretch))
    mirror = -1.0 if generator.random() < config.mirror else 1.0
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, generator.uniform(-config.shear, config.shear)], [0.0, 1.0]])
    linear = rotation @ shear @ np.diag([mirror * stretch / zoom, 1.0 / (zoom * stretch)])
    shift = generator.uniform(-config.shift, config.shift, size=2) * slice_.shape[::-1]
    target_middle = np.full(2, (size - 1) / 2.0)
    return np.column_stack([linear, brain_middle(slice_) + shift - linear @ target_middle])


def brain_middle(slice_: Slice) -> NDArray[np.float64]:
    """(column, row) of the middle of the box around everything that is not zero; of the slice, when all is zero."""
    middles = []
    for axis in (0, 1):
        filled = np.flatnonzero(slice_.any(axis=axis))
        ends = (filled[0], filled[-1]) if len(filled) else (0, slice_.shape[1 - axis] - 1)
        middles.append((ends[0] + ends[1]) / 2.0)
    return np.array(middles)


def transform(slice_: Slice, labels: Labels, matrix: NDArray[np.float64], size: int) -> tuple[Slice, Labels]:
    moved = cv2.warpAffine(slice_, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    moved_labels = cv2.warpAffine(labels, matrix, (size, size), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return moved.astype(np.float32, copy=False), moved_labels.astype(np.uint8, copy=False)


def plaque_contrast(slice_: Slice, labels: Labels, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """All plaques of the slice fainter or brighter against the tissue around them, as other sequences show them."""
    factor = np.exp(generator.uniform(*np.log(config.plaque_contrast)))
    plaques = (labels > 0).astype(np.float32)
    tissue = ((slice_ > 0.0) & (labels == 0)).astype(np.float32)
    near = cv2.blur(tissue, AROUND_PLAQUES)
    around = cv2.blur(slice_ * tissue, AROUND_PLAQUES) / np.maximum(near, np.float32(1e-3))
    share = np.where(near > 1e-2, cv2.GaussianBlur(plaques, (0, 0), PLAQUE_EDGE), 0.0)
    return np.asarray(slice_ + share * (factor - 1.0) * (slice_ - around), np.float32)


def resolution(slice_: Slice, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """The slice as a coarser matrix, or one that is coarse in one direction, would show it."""
    factors = generator.uniform(config.lowest_resolution, 1.0, size=2)
    coarse = cv2.resize(slice_, None, fx=factors[0], fy=factors[1], interpolation=cv2.INTER_AREA)
    fine = cv2.resize(coarse, (slice_.shape[1], slice_.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine, np.float32)


def blur(slice_: Slice, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """Blurred, or sharpened by the same amount."""
    smooth = np.asarray(cv2.GaussianBlur(slice_, (0, 0), generator.uniform(*config.blur_sigma)), np.float32)
    return smooth if generator.random() < 0.5 else np.float32(1.6) * slice_ - np.float32(0.6) * smooth


def bias_field(slice_: Slice, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """Multiplied by a smooth field around one, as a surface coil makes it."""
    coarse = generator.normal(0.0, config.bias_field, size=(4, 4)).astype(np.float32)
    field = cv2.resize(coarse, (slice_.shape[1], slice_.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(slice_ * np.exp(np.clip(field, -0.5, 0.5)), np.float32)


def intensity(slice_: Slice, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """Another gamma, contrast and brightness."""
    gamma = np.exp(generator.uniform(*np.log(config.gamma)))
    contrast = np.exp(generator.uniform(*np.log(config.contrast)))
    shift = generator.uniform(-config.brightness, config.brightness)
    return np.asarray(np.clip(slice_, 0.0, 1.0) ** gamma * contrast + shift, np.float32)


def noise(slice_: Slice, config: AugmentationConfig, generator: np.random.Generator) -> Slice:
    """With Rician noise, the magnitude of a signal with complex Gaussian noise."""
    sigma = np.float32(generator.uniform(0.0, config.noise))
    real, imaginary = generator.standard_normal((2, *slice_.shape), dtype=np.float32) * sigma
    return np.asarray(np.hypot(slice_ + real, imaginary), np.float32)
