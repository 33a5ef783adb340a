"""Where the atlas lies in a FLAIR: an affine registration of two brains, and the check that it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.regions.atlas import Structure
from plaqueview.imaging.registration import at_voxel_size, image_of, matrix_of, metric_at
from plaqueview.imaging.volume import Volume

# What each structure looks like on a FLAIR, white matter as 1. Mutual information needs the order more than the values.
BRIGHTNESS: Mapping[Structure, float] = {
    Structure.OUTSIDE: 0.0,
    Structure.INNER: 1.0,
    Structure.CORTEX: 1.1,
    Structure.LATERAL_VENTRICLE: 0.2,
    Structure.MIDLINE_VENTRICLE: 0.3,
    Structure.FLUID: 0.4,
    Structure.INFRATENTORIAL: 1.0,
}
IS_BRAIN_FROM = 0.3  # of the brightness: everything within the brain's outline but the ventricles' middle

# A slice shows the mean over its thickness: a box of width 1 has this standard deviation.
BOX_SIGMA = 0.29

# Heads lie pitched in a scanner, and the brain mask's middle is off where slices miss the vertex or the cerebellum.
START_PITCHES_DEGREES = (-20.0, -10.0, 0.0, 10.0, 20.0)
START_SHIFTS_MM = (-12.0, 0.0, 12.0)
STARTS_FOLLOWED = 2

HISTOGRAM_BINS = 32
STEP_SHRINKS_TO = 0.7

# The outline of the brain is what an affine registration holds on to, so some air around it is looked at as well.
MARGIN_MM = 8.0
BRIGHTEST = 1.6  # of white matter's brightness: a lesion says nothing of the head's place

# Refusals: of twelve whole heads in thick slices the worst overlaps by 0.93, correlates by 0.83 and is stretched by
# 0.87 to 1.3. A head with its slices in reverse still overlaps by 0.89 and correlates by 0.73.
LEAST_OVERLAP = 0.9
LEAST_SIMILARITY = 0.77
STRETCHES = (0.72, 1.45)
JUDGED_AT_MM = 2.0


class AlignmentError(ValueError):
    """The atlas could not be brought onto the FLAIR, or not so that it can be relied on."""


@dataclass(frozen=True)
class Level:
    voxel_mm: float
    longest_step_mm: float
    steps: int


COARSEST = Level(6.0, longest_step_mm=2.0, steps=100)
FINER = (Level(4.0, longest_step_mm=1.0, steps=100), Level(3.0, longest_step_mm=0.5, steps=60))


@dataclass(frozen=True, eq=False)
class Alignment:
    """`matrix` is 4x4 and takes LPS mm of the FLAIR to LPS mm of the atlas.

    `similarity` is the correlation of the brain and its margin with what the atlas expects there, -1 to 1; `overlap`
    the Dice coefficient of the brain mask and the atlas's brain within the FLAIR's slices.
    """

    matrix: NDArray[np.float64]
    similarity: float
    overlap: float


def align(flair: Volume, brain: NDArray[np.bool_], atlas: Volume) -> Alignment:
    """The place of the atlas in the FLAIR; the same for the same input, on one thread.

    `brain` is (slices, rows, columns) on the FLAIR's grid, slices feet to head.

    Raises: AlignmentError when the brain is empty, or what was found is no brain of a likely size and shape.
    """
    if not brain.any():
        raise AlignmentError("the brain mask is empty")
    pair = _Pair(_brain_only(flair, brain), _expected(atlas, flair.spacing_mm[0]), _margin(flair, brain))
    transform = _affine(_search(pair, _centre(flair, brain)))
    for level in FINER:
        transform, _ = _climb(pair.at(level.voxel_mm), level, transform)
    return _checked(pair, matrix_of(transform))


@dataclass(frozen=True, eq=False)
class _Pair:
    """The FLAIR's brain, what the atlas expects, and where in the FLAIR the two are compared."""

    fixed: Volume
    moving: Volume
    compared: NDArray[np.bool_]

    def at(self, voxel_mm: float) -> _Pair:
        share = at_voxel_size(self.fixed.with_voxels(self.compared), voxel_mm).voxels
        return _Pair(at_voxel_size(self.fixed, voxel_mm), at_voxel_size(self.moving, voxel_mm), share > 0.5)


def _brain_only(flair: Volume, brain: NDArray[np.bool_]) -> Volume:
    """The brain with its median at 1, and nothing around it."""
    level = float(np.median(flair.voxels[brain]))
    if level <= 0.0:
        raise AlignmentError(f"the brain's level is {level:g}, need more than 0")
    scaled = np.clip(flair.voxels.astype(np.float32) / np.float32(level), 0.0, BRIGHTEST)
    return flair.with_voxels(np.where(brain, scaled, np.float32(0.0)))


def _expected(atlas: Volume, thickness_mm: float) -> Volume:
    """The atlas as a FLAIR of such slices would show it."""
    bright = np.array([BRIGHTNESS[structure] for structure in Structure], np.float32)[atlas.voxels]
    return atlas.with_voxels(
        ndimage.gaussian_filter(bright, [BOX_SIGMA * thickness_mm / atlas.spacing_mm[0], 0.7, 0.7])
    )


def _margin(flair: Volume, brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    reach = [2 * int(MARGIN_MM / spacing) + 1 for spacing in flair.spacing_mm]
    grown: NDArray[np.bool_] = ndimage.maximum_filter(brain.astype(np.uint8), size=reach).astype(np.bool_)
    return grown


def _centre(volume: Volume, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    centre: NDArray[np.float64] = volume.positions_mm(np.argwhere(mask).mean(axis=0)[None])[0]
    return centre


def _search(pair: _Pair, centre: NDArray[np.float64]) -> SimpleITK.Similarity3DTransform:
    """The best of several starts at the coarsest level, moved, turned and scaled as a whole."""
    coarse = pair.at(COARSEST.voxel_mm)
    is_brain = pair.moving.voxels > IS_BRAIN_FROM
    size_ml = float((pair.fixed.voxels > IS_BRAIN_FROM).sum()) * pair.fixed.voxel_volume_ml
    scale = float(np.cbrt(float(is_brain.sum()) * pair.moving.voxel_volume_ml / size_ml))
    shift = _centre(pair.moving, is_brain) - centre
    starts = [
        _start(centre, pitch, scale, shift + np.array([0.0, 0.0, upward]))
        for pitch, upward in product(START_PITCHES_DEGREES, START_SHIFTS_MM)
    ]
    method, images = _method(coarse, COARSEST), (image_of(coarse.fixed), image_of(coarse.moving))
    values = [metric_at(method, images, start) for start in starts]
    best = [starts[index] for index in np.argsort(values, kind="stable")[:STARTS_FOLLOWED]]
    return min((_climb(coarse, COARSEST, start) for start in best), key=lambda found: found[1])[0]


def _start(
    centre: NDArray[np.float64], pitch_degrees: float, scale: float, shift: NDArray[np.float64]
) -> SimpleITK.Similarity3DTransform:
    transform = SimpleITK.Similarity3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetRotation((1.0, 0.0, 0.0), float(np.radians(pitch_degrees)))
    transform.SetScale(scale)
    transform.SetTranslation(shift.tolist())
    return transform


def _affine(similar: SimpleITK.Similarity3DTransform) -> SimpleITK.AffineTransform:
    """The same movement, free to stretch and shear from here."""
    transform = SimpleITK.AffineTransform(3)
    transform.SetCenter(similar.GetCenter())
    transform.SetMatrix(similar.GetMatrix())
    transform.SetTranslation(similar.GetTranslation())
    return transform


def _method(pair: _Pair, level: Level) -> SimpleITK.ImageRegistrationMethod:
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(HISTOGRAM_BINS)
    method.SetMetricFixedMask(image_of(pair.fixed.with_voxels(pair.compared.astype(np.uint8))))
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=level.longest_step_mm,
        minStep=0.01,
        numberOfIterations=level.steps,
        relaxationFactor=STEP_SHRINKS_TO,
        gradientMagnitudeTolerance=1e-7,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _climb(pair: _Pair, level: Level, start: SimpleITK.Transform) -> tuple[SimpleITK.Transform, float]:
    """The transform of the same kind that the optimiser reaches from the start, and its metric.

    Raises: AlignmentError when the two do not meet.
    """
    method = _method(pair, level)
    transform = type(start)(start)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(image_of(pair.fixed), image_of(pair.moving))
    except RuntimeError as error:
        raise AlignmentError("atlas and FLAIR do not overlap where the brain is") from error
    return transform, float(method.GetMetricValue())


# --- the check ------------------------------------------------------------------------------------------------------


def _checked(pair: _Pair, matrix: NDArray[np.float64]) -> Alignment:
    """Raises: AlignmentError when the measures say that it is no alignment."""
    coarse = pair.at(JUDGED_AT_MM)
    seen, brain = sample(coarse.moving, coarse.fixed, matrix), coarse.fixed.voxels > IS_BRAIN_FROM
    similarity = float(np.corrcoef(seen[coarse.compared], coarse.fixed.voxels[coarse.compared])[0, 1])
    is_brain = seen > IS_BRAIN_FROM
    overlap = 2.0 * float((is_brain & brain).sum()) / float(is_brain.sum() + brain.sum())
    stretches = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if overlap < LEAST_OVERLAP:
        raise AlignmentError(f"the atlas covers the brain with a Dice of {overlap:.2f}, need {LEAST_OVERLAP}")
    if similarity < LEAST_SIMILARITY:
        raise AlignmentError(f"the atlas correlates with the FLAIR by {similarity:.2f}, need {LEAST_SIMILARITY}")
    if not STRETCHES[0] <= stretches.min() <= stretches.max() <= STRETCHES[1]:
        found = f"{stretches.min():.2f} to {stretches.max():.2f}"
        raise AlignmentError(f"the atlas is stretched by {found}, need {STRETCHES[0]} to {STRETCHES[1]}")
    return Alignment(matrix, similarity, overlap)


def sample(moving: Volume, fixed: Volume, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """The moving volume, float32, at the voxels of the fixed one, linearly; its edge's values beyond its edge."""
    to_index = np.linalg.inv(moving.affine) @ matrix @ fixed.affine
    sampled: NDArray[np.float32] = ndimage.affine_transform(
        moving.voxels, to_index, output_shape=fixed.shape, order=1, mode="nearest"
    )
    return sampled
