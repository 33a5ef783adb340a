"""Which region a lesion belongs to, by the voxels that it covers in a map."""

import numpy as np
import pytest

from plaqueview.imaging.regions import (
    LABEL_OF_REGION,
    Dissemination,
    Region,
    RegionError,
    RegionRule,
    counts_by_region,
    regions_of_lesions,
)

BELOW, VENTRICLE, CORTEX, DEEP = (LABEL_OF_REGION[region] for region in LABEL_OF_REGION)
VOXEL_ML = 0.005  # 5 mm³: two voxels are the least contact of 10 mm³


def regions(*lesions: list[int]) -> tuple[Region, ...]:
    """The regions of lesions that cover these labels of the map, a lesion a row."""
    longest = max(map(len, lesions), default=0)
    numbers, region_map = np.zeros((2, 1, max(1, len(lesions)), longest + 1), np.uint8)
    for row, labels in enumerate(lesions):
        numbers[0, row, : len(labels)] = row + 1
        region_map[0, row, : len(labels)] = labels
    return regions_of_lesions(numbers.astype(np.uint16), region_map, voxel_volume_ml=VOXEL_ML, rule=RegionRule())


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        ([DEEP] * 8, Region.DEEP_WHITE_MATTER),
        ([CORTEX] * 2 + [DEEP] * 6, Region.JUXTACORTICAL),
        ([CORTEX] * 1 + [DEEP] * 7, Region.DEEP_WHITE_MATTER),
        ([VENTRICLE] * 2 + [CORTEX] * 6, Region.PERIVENTRICULAR),
        ([VENTRICLE] * 1 + [CORTEX] * 7, Region.JUXTACORTICAL),
        ([BELOW] * 4 + [VENTRICLE] * 4, Region.INFRATENTORIAL),
        ([BELOW] * 3 + [VENTRICLE] * 5, Region.PERIVENTRICULAR),
        ([0] * 4 + [VENTRICLE] * 4, Region.NOT_DETERMINED),
        ([0] * 3 + [BELOW] * 5, Region.INFRATENTORIAL),
    ],
)
def test_a_lesion_has_one_region_by_precedence(covered, expected):
    assert regions(covered) == (expected,)


def test_half_of_a_tiny_lesion_is_contact_enough():
    """Two voxels of 5 mm³ at a ventricle: one of them is under 10 mm³ and half of the lesion."""
    assert regions([VENTRICLE, DEEP]) == (Region.PERIVENTRICULAR,)


def test_the_regions_are_those_of_the_lesions_by_number():
    assert regions([DEEP] * 3, [BELOW] * 3, [CORTEX] * 3) == (
        Region.DEEP_WHITE_MATTER,
        Region.INFRATENTORIAL,
        Region.JUXTACORTICAL,
    )


def test_no_lesions_have_no_regions():
    assert regions() == ()


def test_a_map_on_another_grid_is_refused():
    with pytest.raises(RegionError, match=r"region map has shape \(1, 2, 3\), the lesions have \(1, 2, 2\)"):
        regions_of_lesions(
            np.zeros((1, 2, 2), np.uint16), np.zeros((1, 2, 3), np.uint8), voxel_volume_ml=1.0, rule=RegionRule()
        )


def test_a_label_that_is_no_region_is_refused():
    with pytest.raises(RegionError, match="region map has label 5, need 0 to 4"):
        regions([5])


def test_every_region_is_counted_also_those_without_a_lesion():
    found = counts_by_region([Region.JUXTACORTICAL, Region.JUXTACORTICAL, Region.INFRATENTORIAL])

    assert found == {
        Region.PERIVENTRICULAR: 0,
        Region.JUXTACORTICAL: 2,
        Region.INFRATENTORIAL: 1,
        Region.DEEP_WHITE_MATTER: 0,
        Region.NOT_DETERMINED: 0,
    }


def test_dissemination_counts_places_and_is_no_diagnosis():
    counts = counts_by_region([Region.PERIVENTRICULAR, Region.DEEP_WHITE_MATTER, Region.INFRATENTORIAL])

    found = Dissemination(counts)

    assert found.locations == 2
    assert found.sentence == (
        "Lesions in 2 of the 3 brain locations of McDonald 2017, which asks for 2 of 4 with the spinal cord; "
        "spinal cord and optic nerve not assessed. A count of predicted or marked lesions, never a diagnosis."
    )


def test_the_rule_names_its_distances():
    assert "at least 10 mm³ of it lie within 3 mm of a lateral ventricle" in RegionRule().sentence
    assert "within 4 mm of the surface of the brain" in RegionRule().sentence
