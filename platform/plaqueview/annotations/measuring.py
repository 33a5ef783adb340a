"""What a reader's mask adds up to, on the grid of the version it grew from."""

import gzip
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.models import Annotation
from plaqueview.core.errors import InvalidError
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesions import CountingRule, LesionError, LesionTable, measure_lesions
from plaqueview.imaging.mask_codec import MaskCodecError
from plaqueview.imaging.regions import Region, RegionRule, regions_of_lesions
from plaqueview.imaging.volume import Volume

# Two million runs, a hundred times those of a reader's mask.
LARGEST_MASK_BYTES = 4 * 1024**2


@dataclass(frozen=True, eq=False)
class MeasuredMask:
    """`encoded` holds the labels in the bytes of `imaging.mask_codec`: equal labels, equal bytes.

    `regions` are those of the table's lesions, in its order; not determined where the base has no region map.
    """

    encoded: bytes
    table: LesionTable
    regions: tuple[Region, ...]


def measure(base: Annotation, encoded: bytes) -> MeasuredMask:
    """The lesions of the mask by the counting rule of the base, with the probabilities of the base.

    Raises: InvalidError when the mask is too large, malformed, on another grid, or has a label other than 0, 1, 2.
    """
    try:
        _check_size_and_grid(base, encoded)
        labels = mask_codec.decode(encoded)
        table = measure_lesions(Volume(labels, affine_of(base)), probabilities_of(base), rule=rule_of(base))
    except (MaskCodecError, LesionError) as error:
        raise InvalidError(str(error), fields={"mask": str(error)}) from error
    return MeasuredMask(mask_codec.encode(labels), table, regions_by(base.region_map_key, table, base))


def regions_by(region_map_key: str, table: LesionTable, grid: Annotation) -> tuple[Region, ...]:
    """The region of each lesion by a stored region map; not determined without one."""
    if not region_map_key:
        return (Region.NOT_DETERMINED,) * len(table.lesions)
    region_map = mask_codec.decode(stored_path(region_map_key).read_bytes())
    voxel_volume_ml = Volume(table.lesion_numbers, affine_of(grid)).voxel_volume_ml
    return regions_of_lesions(table.lesion_numbers, region_map, voxel_volume_ml=voxel_volume_ml, rule=RegionRule())


def affine_of(grid: Annotation) -> NDArray[np.float64]:
    return np.array(grid.affine, np.float64).reshape(4, 4)


def rule_of(base: Annotation) -> CountingRule:
    return CountingRule(base.connectivity, base.minimum_volume_mm3)


def _check_size_and_grid(base: Annotation, encoded: bytes) -> None:
    """Before a run is read: a few bytes can announce any number of voxels."""
    if len(encoded) > LARGEST_MASK_BYTES:
        raise MaskCodecError(f"mask has {len(encoded)} bytes, at most {LARGEST_MASK_BYTES} are accepted")
    shape = mask_codec.shape_of(encoded)
    if shape != base.shape:
        raise MaskCodecError(f"mask has the shape {shape}, its base has {base.shape}")


def probabilities_of(base: Annotation) -> NDArray[np.float32] | None:
    """(slices, rows, columns) of a plaque of either class, 0 to 1; None when the version came without one."""
    if not base.probability_key:
        return None
    scaled = np.frombuffer(gzip.decompress(stored_path(base.probability_key).read_bytes()), np.uint8)
    return scaled.reshape(base.shape).astype(np.float32) / np.float32(255)
