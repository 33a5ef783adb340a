"""Where plaques appear: seed points by region in the template, sizes and directions as in real masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.synthesis.atlas import PIXEL_MM, load_atlas
from inference_worker.synthesis.plaques import Plaque, Region
from plaqueview.imaging.lesion_class import LesionClass

# Share of plaques by region, roughly that of the 30 consensus masks of Lesjak et al., doi 10.1007/s12021-017-9348-7.
REGION_SHARES = {
    Region.PERIVENTRICULAR: 0.42,
    Region.DEEP_WHITE: 0.30,
    Region.JUXTACORTICAL: 0.20,
    Region.INFRATENTORIAL: 0.08,
}
# Median half axis in mm and the deviation of its logarithm.
RADIUS_MM = {
    Region.PERIVENTRICULAR: (4.3, 0.42),
    Region.DEEP_WHITE: (3.2, 0.38),
    Region.JUXTACORTICAL: (2.9, 0.34),
    Region.INFRATENTORIAL: (3.1, 0.34),
}


STEP = 2  # voxels of the atlas between candidate centres
CLEAR_MM = 3.0  # between plaques that do not join
BESIDE_MM = 10.0  # between the centres of plaques that do


@dataclass(frozen=True, eq=False)
class Places:
    """Candidate centres, (n, 3) mm (x, y, z) by region, and the direction from the ventricle at each."""

    centres_mm: dict[Region, NDArray[np.float64]]
    directions: dict[Region, NDArray[np.float64]]


@cache
def find_places() -> Places:
    """Every second white-matter voxel of the template, by region."""
    atlas = load_atlas()
    ventricles = atlas.ventricles[::STEP, ::STEP, ::STEP]
    nearest = ndimage.distance_transform_edt(~ventricles, return_distances=False, return_indices=True)
    away = np.indices(ventricles.shape) - nearest  # (z, y, x) steps from the ventricle
    distance_mm = np.linalg.norm(away, axis=0) * STEP * PIXEL_MM
    centres, directions = {}, {}
    for region, where in find_regions(distance_mm).items():
        index = np.argwhere(where)
        centres[region] = (index * STEP * PIXEL_MM + atlas.origin_mm)[:, ::-1]
        direction = away[:, where].T[:, ::-1].astype(np.float64)
        directions[region] = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    return Places(centres, directions)


def find_regions(distance_mm: NDArray[np.float64]) -> dict[Region, NDArray[np.bool_]]:
    """Where plaques of each region may lie, on every second voxel, given the distance from the ventricles."""
    atlas = load_atlas()
    grey, white, hull = (each[::STEP, ::STEP, ::STEP] for each in (atlas.grey_matter, atlas.white_matter, atlas.hull))
    axes = (atlas.origin_mm[axis] + STEP * PIXEL_MM * np.arange(length) for axis, length in enumerate(hull.shape))
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    inward_mm = ndimage.distance_transform_edt(hull) * STEP * PIXEL_MM
    near_cortex = ndimage.distance_transform_edt(grey < 0.6) * STEP * PIXEL_MM < 3.5
    is_below = (z < -18) & (y < -14) & (np.abs(x) < 42) & ((y < -30) | (np.abs(x) < 12))
    is_brain_stem = is_below & (white > 0.4) & (inward_mm > 5)
    cerebrum = (white > 0.55) & (z > -20) & ~is_brain_stem
    is_lateral = np.abs(x) > 9  # plaques beside the ventricles are far more common than in the callosum
    return {
        Region.PERIVENTRICULAR: cerebrum & (distance_mm > 0.5) & (distance_mm < 6.5) & is_lateral,
        Region.DEEP_WHITE: cerebrum & (distance_mm > 8.0) & ~near_cortex & (z > 2),
        Region.JUXTACORTICAL: cerebrum & near_cortex & (distance_mm > 14.0) & (inward_mm < 24),
        Region.INFRATENTORIAL: is_brain_stem,
    }


def place_plaques(
    counts: Mapping[LesionClass, int], generator: np.random.Generator, *, size_factor: float, confluence: float
) -> tuple[Plaque, ...]:
    """Plaques of the wanted number and class that do not touch one another, save what `confluence` (0 to 1) joins."""
    plaques: list[Plaque] = []
    for lesion_class, count in counts.items():
        for _ in range(count):
            plaques.append(
                draw_plaque(lesion_class, plaques, generator, size_factor=size_factor, confluence=confluence)
            )
    return tuple(plaques)


def draw_plaque(
    lesion_class: LesionClass,
    others: list[Plaque],
    generator: np.random.Generator,
    *,
    size_factor: float,
    confluence: float,
) -> Plaque:
    """One plaque: grown onto another of its class at the ventricle, or clear of all as far as 40 trials allow."""
    hosts = [each for each in others if each.lesion_class == lesion_class and each.region is Region.PERIVENTRICULAR]
    if hosts and generator.random() < confluence:
        host = hosts[int(generator.integers(len(hosts)))]
        return random_plaque(lesion_class, generator, size_factor=size_factor, beside=host)
    plaque = random_plaque(lesion_class, generator, size_factor=size_factor)
    for _ in range(40):
        if min((gap_mm(plaque, other) for other in others), default=CLEAR_MM) >= CLEAR_MM:
            break
        plaque = random_plaque(lesion_class, generator, size_factor=size_factor)
    return plaque


def gap_mm(first: Plaque, second: Plaque) -> float:
    """Distance between two plaques, taken as balls of their longest half axes."""
    reach = sum(1.2 * float(np.linalg.norm(p.axes_mm, axis=1).max()) for p in (first, second))
    return float(np.linalg.norm(first.centre_mm - second.centre_mm)) - reach


def random_plaque(
    lesion_class: LesionClass, generator: np.random.Generator, *, size_factor: float, beside: Plaque | None = None
) -> Plaque:
    """A plaque anywhere, by the regions' shares, or `beside` another one in its region."""
    region, places = draw_region(generator) if beside is None else beside.region, find_places()
    centres = places.centres_mm[region]
    near = slice(None) if beside is None else np.linalg.norm(centres - beside.centre_mm, axis=1) < BESIDE_MM
    number = int(generator.choice(np.arange(len(centres))[near]))
    median_mm, deviation = RADIUS_MM[region]
    radius_mm = float(np.clip(median_mm * np.exp(deviation * generator.standard_normal()), 1.5, 11.0)) * size_factor
    is_active = lesion_class is LesionClass.ACTIVE
    if is_active:
        radius_mm = max(radius_mm, 2.4)
    return Plaque(
        lesion_class=lesion_class,
        region=region,
        centre_mm=places.centres_mm[region][number] + generator.uniform(-1.5, 1.5, 3),
        axes_mm=random_axes(region, places.directions[region][number], radius_mm, generator),
        waves=random_waves(radius_mm, generator),
        brightness=float(generator.uniform(1.8, 2.5) if is_active else generator.uniform(1.45, 1.95)),
        edge_mm=float(generator.uniform(1.2, 2.0) if is_active else generator.uniform(0.5, 0.9)),
        oedema=float(generator.uniform(0.22, 0.4)) if is_active else 0.0,
        is_ring=bool(radius_mm > 3.5 and generator.random() < 0.15),
    )


def draw_region(generator: np.random.Generator) -> Region:
    return list(REGION_SHARES)[int(generator.choice(len(REGION_SHARES), p=list(REGION_SHARES.values())))]


def random_axes(
    region: Region, direction: NDArray[np.float64], radius_mm: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Half axes (3, 3); periventricular plaques are longest along the veins that leave the ventricle."""
    first = direction + 0.25 * generator.standard_normal(3)
    stretch = generator.uniform(1.0, 1.3, 3)
    if region is Region.PERIVENTRICULAR:
        stretch = np.array([generator.uniform(1.2, 1.9), generator.uniform(0.7, 1.1), generator.uniform(0.8, 1.5)])
    first = first / np.linalg.norm(first)
    second = np.cross(first, generator.standard_normal(3))
    second = second / np.linalg.norm(second)
    directions = np.stack([first, second, np.cross(first, second)])
    return np.asarray(directions * (stretch * radius_mm / np.cbrt(np.prod(stretch)))[:, None])


def random_waves(radius_mm: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Five plane waves (direction in 1/mm, phase) with lengths of one to three radii."""
    directions = generator.standard_normal((5, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths_mm = radius_mm * generator.uniform(1.4, 3.5, (5, 1))
    return np.hstack([directions * 2 * np.pi / lengths_mm, generator.uniform(0, 2 * np.pi, (5, 1))])
