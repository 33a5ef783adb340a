"""All measures of a study of 60 slices and of a 1 mm volume, against straightforward code over scipy.ndimage.

The peer labels the whole volume, and then asks each component for its voxels, as one writes it first: the same lesions
with the same counts, volumes, centroids, slices and both longest axes, which the benchmark checks.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import pdist

from plaqueview.imaging.lesions import CountingRule, LesionMeasures, measure_lesions
from plaqueview.imaging.volume import Volume

PEER = "scipy.ndimage, component by component"
ROUNDS = 5
LESIONS = 60
AFFINES = {"60_slices": ((60, 256, 256), (3.0, 0.9, 0.9), 1.0), "1mm": ((180, 256, 256), (1.0, 1.0, 1.0), 10.0)}

Measured = list[tuple[int, float, float]]


def run() -> Iterator[dict[str, object]]:
    for name, (shape, spacing_mm, goal_s) in AFFINES.items():
        labels = study(shape, spacing_mm)
        ours, peer = interleaved(partial(measured, labels), partial(straightforward, labels))
        yield {
            "name": f"measures_{name}",
            "value": round(ours, 4),
            "unit": "s",
            "peer": PEER,
            "peer_value": round(peer, 4),
            "ratio": round(peer / ours, 2),
            "goal": goal_s,
            "n": ROUNDS,
        }


def study(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Volume:
    """Sixty ellipsoids of 2 to 12 mm half-axes, of either class, within the middle of the field of view."""
    generator = np.random.default_rng(7)
    labels = Volume(np.zeros(shape, np.uint8), np.diag([*spacing_mm, 1.0])[[2, 1, 0, 3]])
    for _ in range(LESIONS):
        centre = generator.uniform(0.2, 0.8, 3) * shape
        half_axes = generator.uniform(2.0, 12.0, 3) / spacing_mm
        low = np.maximum(0, np.floor(centre - half_axes)).astype(int)
        high = np.minimum(shape, np.ceil(centre + half_axes).astype(int) + 1)
        box = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), -1)
        region = tuple(map(slice, low, high))
        labels.voxels[region][(((box - centre) / half_axes) ** 2).sum(-1) < 1.0] = generator.integers(1, 3)
    return labels


def measured(labels: Volume) -> Measured:
    return [summary(one) for one in measure_lesions(labels, None, rule=CountingRule()).lesions]


def summary(lesion: LesionMeasures) -> tuple[int, float, float]:
    return lesion.voxel_count, round(lesion.longest_axis_mm, 6), round(lesion.in_plane_axis_mm, 6)


def straightforward(labels: Volume) -> Measured:
    rule = CountingRule()
    components, count = ndimage.label(labels.voxels > 0, np.ones((3, 3, 3)))
    found = []
    for number in range(1, count + 1):
        mask = components == number
        if mask.sum() * labels.voxel_volume_ml * 1000.0 < rule.minimum_volume_mm3:
            continue
        ndimage.center_of_mass(mask)
        surface = np.argwhere(mask & ~ndimage.binary_erosion(mask))
        slices = [surface[surface[:, 0] == index] for index in np.unique(surface[:, 0])]
        in_plane = max(farthest_mm(one, labels) for one in slices)
        found.append((int(mask.sum()), round(farthest_mm(surface, labels), 6), round(in_plane, 6)))
    return sorted(found, key=lambda one: -one[0])


def farthest_mm(indices: NDArray[np.intp], labels: Volume) -> float:
    shortest = max(labels.spacing_mm[1:])
    return max(shortest, float(pdist(labels.positions_mm(indices)).max())) if len(indices) > 1 else shortest


def interleaved(ours: Callable[[], Measured], peer: Callable[[], Measured]) -> tuple[float, float]:
    """Median seconds of both, in turns.

    Raises: ValueError when they measure different lesions.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        results = []
        for step, seconds in zip((ours, peer), times, strict=True):
            started = time.perf_counter()
            results.append(step())
            seconds.append(time.perf_counter() - started)
        if sorted(results[0]) != sorted(results[1]):
            raise ValueError("the peer finds other lesions than ours")
    return statistics.median(times[0]), statistics.median(times[1])
