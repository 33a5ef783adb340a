"""Distances between surfaces are those that a ruler would find, in mm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from inference_worker.distances import hd95_mm, surface
from plaqueview.imaging.volume import Volume

SHAPE = (4, 12, 12)
GRID = Volume(np.zeros(SHAPE, bool), np.diag([6.0, 2.0, 0.5, 1.0])[[2, 1, 0, 3]])


def cube(k, row, column):
    mask = np.zeros(SHAPE, bool)
    mask[k : k + 2, row : row + 3, column : column + 3] = True
    return mask


@pytest.mark.parametrize(
    ("moved", "expected_mm"), [(cube(1, 2, 2), 6.0), (cube(0, 3, 2), 2.0), (cube(0, 2, 5), 1.5), (cube(0, 2, 2), 0.0)]
)
def test_a_mask_moved_by_voxels_is_as_far_away_as_they_are_large(moved, expected_mm):
    assert hd95_mm(moved, cube(0, 2, 2), GRID) == pytest.approx(expected_mm)


def test_one_voxel_in_twenty_far_away_does_not_count_and_two_do():
    line = np.zeros((1, 30, 40), bool)
    line[0, 0, :40] = True
    near, far = line.copy(), line.copy()
    near[0, 20, 0] = True
    far[0, 20, :4] = True
    grid = Volume(line, np.diag([1.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])

    assert hd95_mm(near, line, grid) == 0.0
    assert hd95_mm(far, line, grid) == 20.0


def test_nothing_is_no_distance_away():
    nothing = np.zeros(SHAPE, bool)

    assert hd95_mm(nothing, nothing, GRID) == 0.0
    assert hd95_mm(cube(0, 2, 2), nothing, GRID) is None
    assert hd95_mm(nothing, cube(0, 2, 2), GRID) is None


@given(arrays(np.bool_, (2, 4, 4)), arrays(np.bool_, (2, 4, 4)))
def test_distance_is_the_same_both_ways(first, second):
    grid = Volume(first, GRID.affine)

    assert hd95_mm(first, second, grid) == hd95_mm(second, first, grid)
    assert hd95_mm(first, first, grid) == 0.0


def test_the_surface_of_a_cube_leaves_out_its_core():
    mask = np.zeros((5, 5, 5), bool)
    mask[1:4, 1:4, 1:4] = True

    assert np.argwhere(mask & ~surface(mask)).tolist() == [[2, 2, 2]]
