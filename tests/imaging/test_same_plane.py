"""A slice of one visit is found again in another, wherever the head lay."""

import numpy as np
import pytest

from plaqueview.imaging.same_plane import plane_in
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, labels_on, paint_sphere, rotated


def ramp_on(shape, affine) -> Volume:
    """Intensity x + 2y + 3z in mm, which linear interpolation gives back exactly."""
    grid = Volume(np.zeros(shape, np.float32), affine)
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    return grid.with_voxels((grid.positions_mm(indices) @ [1.0, 2.0, 3.0]).reshape(shape).astype(np.float32))


@pytest.mark.parametrize("degrees", [0, 8])
def test_a_plane_has_the_intensities_of_its_places_in_the_other_visit(degrees):
    grid = labels_on((4, 10, 12), axial_affine((6.0, 0.9, 0.9), origin_mm=(1.0, 2.0, 3.0)))
    matrix = rotated(np.eye(4), degrees)
    matrix[:3, 3] = (4.0, -2.0, 5.0)
    other = ramp_on((40, 40, 40), axial_affine((1.0, 0.8, 0.7), origin_mm=(-6.0, -9.0, -3.0)))

    plane = plane_in(other.affine, grid=grid, slice_index=2, matrix=matrix)
    needed = plane.slices_needed(40)
    found = plane.sampled(other.voxels[needed.start : needed.stop], needed.start)

    rows, columns = np.meshgrid(np.arange(10), np.arange(12), indexing="ij")
    here = grid.positions_mm(np.stack([np.full(rows.shape, 2), rows, columns], -1).reshape(-1, 3))
    there = here @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.allclose(found.ravel(), there @ [1.0, 2.0, 3.0], atol=1e-3)
    assert len(needed) < 12


def test_a_lesion_of_the_other_visit_is_drawn_where_the_head_has_it():
    grid = labels_on((3, 30, 30))
    other = labels_on((3, 30, 30))
    paint_sphere(other, centre_mm=(20.0, 10.0, 1.0), radius_mm=4.2, label=2)
    matrix = np.eye(4)
    matrix[:3, 3] = (5.0, -3.0, 0.0)

    found = plane_in(other.affine, grid=grid, slice_index=1, matrix=matrix).labels(other.voxels)

    assert np.argwhere(found).mean(axis=0) == pytest.approx([13.0, 15.0])
    assert set(np.unique(found)) == {0, 2}


def test_a_plane_beside_the_other_visit_needs_none_of_its_slices_and_is_black():
    grid = labels_on((3, 8, 8))
    matrix = np.eye(4)
    matrix[2, 3] = 50.0

    plane = plane_in(grid.affine, grid=grid, slice_index=1, matrix=matrix)

    assert list(plane.slices_needed(3)) == []
    assert not plane.labels(np.ones((3, 8, 8), np.uint8)).any()


@pytest.mark.parametrize("degrees", [0, 5, 12])
def test_the_first_slice_of_a_visit_is_in_the_visit_itself_though_rounding_puts_it_a_hair_outside(degrees):
    affine = rotated(axial_affine((5.0, 0.7, 0.7), origin_mm=(-81.3, -97.7, -40.1)), degrees)
    visit = Volume(np.ones((4, 16, 16), np.uint8), affine)

    for index in (0, 3):
        plane = plane_in(affine, grid=visit, slice_index=index, matrix=np.eye(4))
        needed = plane.slices_needed(4)
        slices = visit.voxels[needed.start : needed.stop].astype(np.float32)
        assert (plane.labels(visit.voxels) == 1).all()
        assert plane.sampled(slices, needed.start) == pytest.approx(np.ones((16, 16)))


@pytest.mark.parametrize(("beyond_mm", "expected"), [(2.4, 1), (2.6, 0)])
def test_a_slice_reaches_half_its_spacing_beyond_its_middle(beyond_mm, expected):
    visit = Volume(np.ones((4, 8, 8), np.uint8), axial_affine((5.0, 1.0, 1.0)))
    for index, matrix in ((0, np.eye(4)), (3, np.eye(4))):
        matrix[2, 3] = -beyond_mm if index == 0 else beyond_mm
        plane = plane_in(visit.affine, grid=visit, slice_index=index, matrix=matrix)
        needed = plane.slices_needed(4)

        assert np.unique(plane.labels(visit.voxels)).tolist() == [expected]
        sampled = plane.sampled(visit.voxels[needed.start : needed.stop].astype(np.float32), needed.start)
        assert np.unique(sampled).tolist() == [expected]
