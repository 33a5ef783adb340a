"""Where in the brain each lesion lies, told from a map that has a region for every voxel.

The four regions are those of the McDonald criteria and of MAGNIMS. A worker makes the map (`inference_worker.regions`);
whoever has it and a mask can tell the regions of that mask's lesions, of any version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Region(StrEnum):
    PERIVENTRICULAR = "periventricular"
    JUXTACORTICAL = "juxtacortical"  # or cortical: FLAIR does not tell the two apart
    INFRATENTORIAL = "infratentorial"
    DEEP_WHITE_MATTER = "deep_white_matter"
    NOT_DETERMINED = "not_determined"


# Of the voxels of a region map; 0 is outside the brain, or where the region is not known.
LABEL_OF_REGION: Mapping[Region, int] = {
    Region.INFRATENTORIAL: 1,
    Region.PERIVENTRICULAR: 2,
    Region.JUXTACORTICAL: 3,
    Region.DEEP_WHITE_MATTER: 4,
}

# The places in the brain that count for dissemination in space.
LOCATIONS = (Region.PERIVENTRICULAR, Region.JUXTACORTICAL, Region.INFRATENTORIAL)
NOT_ASSESSED = ("spinal cord", "optic nerve")
LEAST_LOCATIONS = 2


class RegionError(ValueError):
    """The region map does not belong to the lesions."""


@dataclass(frozen=True)
class RegionRule:
    """When a lesion belongs to a region; printed beside every count by region.

    A lesion is infratentorial when half of it is; else periventricular when it abuts a lateral ventricle, else
    juxtacortical when it abuts the cortex, as MAGNIMS and McDonald define them. Sources: Filippi et al., Lancet Neurol
    2016;15:292-303 and Brain 2019;142:1858-1875; Thompson et al., Lancet Neurol 2018;17:162-173.

    "Abuts" needs a tolerance. `ventricle_mm` is from the edge of the ventricle: the ependyma and half a pixel of
    partial volume on both sides. `cortex_mm` is from the surface or a sulcus: cortex is 2.5 mm thick on average,
    up to 4.5 mm (Fischl and Dale, PNAS 2000;97:11050-11055). Less contact than `least_contact_mm3`, two pixels of a
    thick slice, is none.
    """

    ventricle_mm: float = 3.0
    cortex_mm: float = 4.0
    least_contact_mm3: float = 10.0

    @property
    def sentence(self) -> str:
        return (
            "infratentorial when at least half of the lesion lies in cerebellum or brainstem; else periventricular "
            f"when at least {self.least_contact_mm3:g} mm³ of it lie within {self.ventricle_mm:g} mm of a lateral "
            f"ventricle; else juxtacortical or cortical when as much lies within {self.cortex_mm:g} mm of the surface "
            "of the brain or a sulcus; else deep white matter, deep grey matter included; not determined when at "
            "least half of it lies where the map says nothing"
        )


def regions_of_lesions(
    lesion_numbers: NDArray[np.uint16], region_map: NDArray[np.uint8], *, voxel_volume_ml: float, rule: RegionRule
) -> tuple[Region, ...]:
    """The region of each lesion, by number from 1.

    Both arrays are (slices, rows, columns) on one grid: lesion numbers, 0 for none (`LesionTable.lesion_numbers`), and
    `LABEL_OF_REGION`.

    Raises: RegionError when the shapes differ or the map has another label.
    """
    if region_map.shape != lesion_numbers.shape:
        raise RegionError(f"region map has shape {region_map.shape}, the lesions have {lesion_numbers.shape}")
    is_lesion = lesion_numbers > 0
    labels = region_map[is_lesion].astype(np.intp)
    kinds = len(LABEL_OF_REGION) + 1
    if labels.size and int(labels.max()) >= kinds:
        raise RegionError(f"region map has label {labels.max()}, need 0 to {kinds - 1}")
    numbers = lesion_numbers[is_lesion].astype(np.intp)
    highest = int(numbers.max()) if numbers.size else 0
    counts = np.bincount(numbers * kinds + labels, minlength=(highest + 1) * kinds).reshape(-1, kinds)
    return tuple(_region(row, voxel_volume_ml * 1000.0, rule) for row in counts[1:])


def _region(counts: NDArray[np.intp], voxel_volume_mm3: float, rule: RegionRule) -> Region:
    """The region of one lesion with so many voxels of each label."""
    half = counts.sum() / 2.0
    if counts[0] >= half:
        return Region.NOT_DETERMINED
    if counts[LABEL_OF_REGION[Region.INFRATENTORIAL]] >= half:
        return Region.INFRATENTORIAL
    least = min(rule.least_contact_mm3, half * voxel_volume_mm3)
    for region in (Region.PERIVENTRICULAR, Region.JUXTACORTICAL):
        if counts[LABEL_OF_REGION[region]] * voxel_volume_mm3 >= least:
            return region
    return Region.DEEP_WHITE_MATTER


def counts_by_region(regions: Sequence[Region]) -> dict[Region, int]:
    """How many lesions lie in each region; the regions without one are there too."""
    return {region: sum(one is region for one in regions) for region in Region}


@dataclass(frozen=True)
class Dissemination:
    """What the lesions of a brain say of dissemination in space after McDonald 2017: never a diagnosis.

    The criterion is at least one lesion in at least two of four places, of which a FLAIR of the head shows three.
    Source: Thompson et al., Lancet Neurol 2018;17:162-173, panel 5. The 2024 revision adds the optic nerve.
    """

    counts: Mapping[Region, int]

    @property
    def locations(self) -> int:
        """In how many of `LOCATIONS` there is a lesion."""
        return sum(self.counts[region] > 0 for region in LOCATIONS)

    @property
    def sentence(self) -> str:
        return (
            f"Lesions in {self.locations} of the {len(LOCATIONS)} brain locations of McDonald 2017, which asks for "
            f"{LEAST_LOCATIONS} of 4 with the spinal cord; {' and '.join(NOT_ASSESSED)} not assessed. "
            "A count of predicted or marked lesions, never a diagnosis."
        )
