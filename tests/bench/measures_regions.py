"""The region of every voxel of a brain, with the atlas brought onto it: thick slices and a 1 mm volume."""

import statistics
import time
from collections.abc import Iterator

import numpy as np

from inference_worker.regions.region_map import load_distances, map_regions
from plaqueview.imaging.regions import RegionRule
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine
from tests.worker.atlas_heads import scan

ROUNDS = 3
GOAL_S = 30.0
GRIDS = {
    "60_slices": ((60, 256, 256), (3.0, 0.9, 0.9), (-115.0, -130.0, -85.0)),
    "1mm": ((180, 256, 256), (1.0, 1.0, 1.0), (-128.0, -140.0, -85.0)),
}


def run() -> Iterator[dict[str, object]]:
    load_distances()  # once a process, as the worker does before its first task
    for name, (shape, spacing_mm, origin_mm) in GRIDS.items():
        head = scan(Volume(np.zeros(shape, np.uint8), axial_affine(spacing_mm, origin_mm=origin_mm)))
        times = [mapped_in(head.flair, head.brain) for _ in range(ROUNDS)]
        value = statistics.median(times)
        yield {
            "name": f"measures_regions_{name}",
            "value": round(value, 2),
            "unit": "s",
            "peer": "the limit",
            "peer_value": GOAL_S,
            "ratio": round(GOAL_S / value, 2),
            "goal": GOAL_S,
            "n": ROUNDS,
        }


def mapped_in(flair: Volume, brain: np.ndarray) -> float:
    started = time.perf_counter()
    map_regions(flair, brain, rule=RegionRule())
    return time.perf_counter() - started
