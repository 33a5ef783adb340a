"""Geometry is carried exactly, there and back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from plaqueview.imaging.volume import (
    GeometryError,
    Reorientation,
    Volume,
    axial_reorientation,
    reorientation_between,
)
from tests.imaging.phantoms import affines, axial_affine, rotated, voxels

orders = strategies.permutations(range(3)).map(tuple)
directions = strategies.tuples(*[strategies.booleans()] * 3)


def test_an_axial_stack_is_left_as_it_is():
    assert axial_reorientation(axial_affine((5.0, 0.8, 0.9))).is_identity


def test_a_stack_turned_ten_degrees_is_left_as_it_is():
    assert axial_reorientation(rotated(axial_affine((5.0, 0.8, 0.9)), 10)).is_identity


def test_an_array_as_nifti_holds_it_is_turned_to_the_axial_order():
    # (column, row, slice) in RAS: columns run to the right, rows to the front.
    affine = np.diag([-0.9, -0.8, 5.0, 1.0])
    volume = Volume(np.arange(24).reshape(2, 3, 4), affine)

    axial = axial_reorientation(affine).apply_to(volume)

    assert axial.shape == (4, 3, 2)
    assert axial.spacing_mm == pytest.approx((5.0, 0.8, 0.9))
    assert axial.voxels[1, 2, 0] == volume.voxels[1, 0, 1]
    assert axial_reorientation(axial.affine).is_identity


@given(voxels(), affines())
def test_reorientation_keeps_every_voxel_where_it_is_in_the_patient(mask, affine):
    volume = Volume(mask, affine)
    reorientation = axial_reorientation(affine)
    turned = reorientation.apply_to(volume)

    indices = np.argwhere(np.ones(turned.shape, bool))
    there = turned.positions_mm(indices)
    back = np.rint((there - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(int)

    assert np.allclose(volume.positions_mm(back), there, atol=1e-6)
    assert (mask[tuple(back.T)] == turned.voxels[tuple(indices.T)]).all()
    assert turned.voxel_volume_ml == pytest.approx(volume.voxel_volume_ml)


@given(voxels(), orders, directions)
def test_a_reorientation_is_undone(mask, axes, flips):
    reorientation = Reorientation(axes, flips)

    assert np.array_equal(reorientation.undo(reorientation.apply(mask)), mask)
    assert np.array_equal(reorientation.apply(reorientation.undo(mask)), mask)


@settings(max_examples=200)
@given(voxels(smallest_side=2), affines(), orders, directions)
def test_the_reorientation_between_two_grids_is_found(mask, affine, axes, flips):
    source = Volume(mask, affine)
    target = Reorientation(axes, flips).apply_to(source)

    found = reorientation_between(source, target)

    assert found == Reorientation(axes, flips)
    assert np.array_equal(found.undo(target.voxels), mask)


@pytest.mark.parametrize(
    "other",
    [
        Volume(np.zeros((4, 5, 7)), axial_affine()),
        Volume(np.zeros((4, 5, 6)), axial_affine(origin_mm=(0.0, 0.0, 0.5))),
        Volume(np.zeros((4, 5, 6)), axial_affine((1.0, 1.0, 1.1))),
        Volume(np.zeros((4, 5, 6)), rotated(axial_affine(), 3)),
        Volume(np.zeros((4, 5, 6)), rotated(axial_affine(), 50)),
    ],
)
def test_grids_that_differ_by_more_than_axes_are_refused(other):
    with pytest.raises(GeometryError, match="differ by more than the order of their axes"):
        reorientation_between(Volume(np.zeros((4, 5, 6)), axial_affine()), other)


def test_measures_of_the_grid():
    volume = Volume(np.zeros((2, 3, 4)), rotated(axial_affine((5.0, 0.8, 0.9), (1.0, 2.0, 3.0)), 40))

    assert volume.shape == (2, 3, 4)
    assert volume.spacing_mm == pytest.approx((5.0, 0.8, 0.9))
    assert volume.voxel_volume_ml == pytest.approx(5.0 * 0.8 * 0.9 / 1000)
    assert volume.with_voxels(np.ones((2, 3, 4))).affine is volume.affine


@pytest.mark.parametrize(
    ("array", "affine", "message"),
    [
        (np.zeros((2, 3)), np.eye(4), "2 dimensions, need 3"),
        (np.zeros((2, 3, 4)), np.eye(3), "need a finite 4x4"),
        (np.zeros((2, 3, 4)), np.full((4, 4), np.nan), "need a finite 4x4"),
        (np.zeros((2, 3, 4)), np.diag([1.0, 1.0, 0.0, 1.0]), "singular"),
    ],
)
def test_what_is_no_grid_is_refused(array, affine, message):
    with pytest.raises(GeometryError, match=message):
        Volume(array, affine)


def test_voxels_of_another_shape_are_refused():
    with pytest.raises(GeometryError, match=r"voxels have shape \(2, 3, 5\)"):
        Volume(np.zeros((2, 3, 4)), np.eye(4)).with_voxels(np.zeros((2, 3, 5)))
