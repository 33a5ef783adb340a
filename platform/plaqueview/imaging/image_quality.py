"""How noisy and how ghosted a volume is, and whether the brain is wholly in it: estimates, each with its limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plaqueview.imaging.volume import Volume

# A normal distribution's standard deviation for one median absolute deviation.
DEVIATION_OF_MAD = 1.4826

# Cancels whatever is linear in a slice and keeps noise, six times its deviation. Source: Immerkær, Comput Vis Image
# Underst 1996;64:300-302.
NOISE_MASK = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
GAIN_OF_NOISE_MASK = 6.0

HEAD_SHARE_OF_MEDIAN = 0.3  # of the brain's median: what is brighter belongs to the head
AIR_GAP_MM = 5.0
FEWEST_VOXELS = 200
MOST_ZEROS = 0.5  # of the air: beyond, somebody has set it to zero, and no ghost is left in it
MOST_SLICES = 24  # as many, evenly spaced, say what all of them say
SMALLEST_BRAIN_SHARE = 0.3  # of the largest section: slices with less brain are not measured

# Chosen on ten clean studies of one scanner and on what was spoilt of them (docs/decisions/0032-protocol-check.md).
MOST_NOISE = 0.05
MOST_GHOSTING = 0.035
MOST_EDGE_BRAIN = 0.4

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class ImageQualityError(ValueError):
    """A brain mask that is not of the volume."""


@dataclass(frozen=True)
class ImageQuality:
    """Medians over slices, as shares; None where it cannot be told.

    `noise` is the deviation of the noise over the median of the brain. It reads too low where the scanner has
    interpolated or smoothed. `ghosting` is the difference between the air beside the head and that before and behind
    it, over twice the head's mean; it sees what moves along the phase direction, and nothing where air was set to zero.
    `edge_brain` is the brain of the outermost slice, the larger of the two ends, over that of the largest section.
    """

    noise: float | None
    ghosting: float | None
    edge_brain: float | None


def measure_quality(volume: Volume, brain: Mask) -> ImageQuality:
    """`brain` is (slices, rows, columns) on the grid of the volume.

    Source of the ghosting: American College of Radiology, Phantom Test Guidance, percent signal ghosting, of which this
    is half, for it takes the mean of two sides where that takes their sum; here of a head, in whose air its limit of
    2.5 % does not hold.
    Raises: ImageQualityError when the grids differ.
    """
    if brain.shape != volume.shape:
        raise ImageQualityError(f"the brain mask has shape {brain.shape}, need {volume.shape}")
    areas = brain.sum(axis=(1, 2))
    largest = int(areas.max(initial=0))
    if largest == 0:
        return ImageQuality(None, None, None)
    median = float(np.median(volume.voxels[brain]))
    chosen = _evenly(np.flatnonzero(areas >= SMALLEST_BRAIN_SHARE * largest))
    gap = max(1, round(AIR_GAP_MM / min(volume.spacing_mm[1:])))
    slices = [(np.maximum(volume.voxels[index], 0).astype(np.float64), brain[index]) for index in chosen]
    return ImageQuality(
        noise=_median([_noise(voxels, inside, median) for voxels, inside in slices]),
        ghosting=_median([_ghosting(voxels, median, gap) for voxels, _ in slices]),
        edge_brain=float(max(areas[0], areas[-1])) / largest,
    )


def _evenly(indices: NDArray[np.intp]) -> list[int]:
    places = np.linspace(0, len(indices) - 1, min(MOST_SLICES, len(indices))).round().astype(int)
    return [int(index) for index in indices[places]]


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _noise(voxels: Floats, brain: Mask, median: float) -> float | None:
    inside = ndimage.binary_erosion(brain, iterations=2)
    if median <= 0.0 or int(inside.sum()) < FEWEST_VOXELS:
        return None
    rest = (ndimage.convolve(voxels, NOISE_MASK) / GAIN_OF_NOISE_MASK)[inside]
    return DEVIATION_OF_MAD * float(np.median(np.abs(rest - np.median(rest)))) / median


def _ghosting(voxels: Floats, median: float, gap: int) -> float | None:
    head = _head(voxels > HEAD_SHARE_OF_MEDIAN * median)
    if not head.any():
        return None
    air = ~ndimage.binary_dilation(head, iterations=gap)
    rows, columns = _filled(head, axis=1), _filled(head, axis=0)
    beside, before_and_behind = air & rows & ~columns, air & columns & ~rows
    if min(int(beside.sum()), int(before_and_behind.sum())) < FEWEST_VOXELS:
        return None
    if float((voxels[beside | before_and_behind] <= 0.0).mean()) > MOST_ZEROS:
        return None
    difference = abs(float(voxels[beside].mean()) - float(voxels[before_and_behind].mean()))
    return difference / (2.0 * float(voxels[head].mean()))


def _head(bright: Mask) -> Mask:
    """The largest piece without holes; nothing when nothing is bright."""
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(bright, iterations=3))
    numbers, count = ndimage.label(closed)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    sizes[0] = 0
    head: Mask = (numbers == sizes.argmax()) & (count > 0)
    return head


def _filled(head: Mask, *, axis: int) -> Mask:
    """Where the head is along the other axis, from its first line to its last; as wide as a line, to be broadcast."""
    line: Mask = np.any(head, axis=axis, keepdims=True)
    along = 1 - axis
    return np.logical_or.accumulate(line, along) & np.flip(np.logical_or.accumulate(np.flip(line, along), along), along)
