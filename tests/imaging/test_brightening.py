"""What became brighter between two visits of a phantom brain, whatever its gain, its coil and its pose."""

import numpy as np
import pytest

from plaqueview.imaging.brightened_spots import changes_of_spots, spots_of
from plaqueview.imaging.brightening import find_brightened
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.longitudinal import Change, LesionChange
from plaqueview.imaging.matched_intensities import IntensityError
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, rotated

SHAPE, SPACING_MM = (24, 72, 72), (3.0, 1.5, 1.5)
AFFINE = axial_affine(SPACING_MM, (-54.0, -54.0, -36.0))
STILL = np.eye(4)
LASTING, NEW = ((-15.0, -10.0, 0.0), 5.0), ((14.0, 8.0, 3.0), 4.0)


def visit(*spheres, affine=AFFINE, gain=1.0, seed=0) -> tuple[Volume, np.ndarray]:
    """A ball of brain with a ventricle, bright spheres ((x, y, z) mm, radius mm) and noise; and where the brain is."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).reshape(-1, 3)
    place = grid @ affine[:3, :3].T + affine[:3, 3]
    values = np.where(np.linalg.norm(place, axis=1) < 34.0, 100.0, 5.0)
    values[np.linalg.norm(place, axis=1) < 7.0] = 20.0
    for centre_mm, radius_mm in spheres:
        values[np.linalg.norm(place - np.array(centre_mm), axis=1) < radius_mm] = 160.0
    coil = gain * (1.0 + 0.004 * (gain - 1.0) * place[:, 0])
    noisy = values * coil + np.random.default_rng(seed).normal(0.0, 3.0 * gain, len(values))
    brain = np.linalg.norm(place, axis=1) < 34.0
    return Volume(noisy.reshape(SHAPE), affine), brain.reshape(SHAPE)


def measured(found: np.ndarray):
    return measure_lesions(Volume(found.astype(np.uint8), AFFINE), None, rule=CountingRule()).lesions


def test_a_new_lesion_is_found_where_it_is_whatever_the_gain_and_the_coil():
    current, brain = visit(LASTING, NEW, gain=2.5)
    prior, _ = visit(LASTING, seed=1)

    (spot,) = measured(find_brightened(current, prior, STILL, brain))

    assert np.linalg.norm(np.subtract(spot.centroid_mm, NEW[0])) < 1.5
    assert spot.volume_ml == pytest.approx(4 / 3 * np.pi * 4.0**3 / 1000.0, rel=0.5)


def test_a_lesion_that_went_is_not_brighter():
    current, brain = visit(LASTING)
    prior, _ = visit(LASTING, NEW, seed=1)

    assert not find_brightened(current, prior, STILL, brain).any()


def test_a_head_that_lay_otherwise_is_no_change_once_registered():
    turned = rotated(AFFINE, 8.0)
    prior, _ = visit(LASTING, affine=turned, seed=1)
    current, brain = visit(LASTING, NEW)

    (spot,) = measured(find_brightened(current, prior, STILL, brain))

    assert np.linalg.norm(np.subtract(spot.centroid_mm, NEW[0])) < 1.5


def test_a_shift_moves_with_its_matrix():
    shift = np.eye(4)
    shift[:3, 3] = 6.0, -4.5, 9.0
    current, brain = visit(LASTING, NEW)
    still, _ = visit(LASTING, seed=1)

    moved = find_brightened(current, Volume(still.voxels, shift @ still.affine), shift, brain)

    assert np.array_equal(moved, find_brightened(current, still, STILL, brain))


def test_what_the_prior_does_not_show_is_not_compared():
    current, brain = visit(LASTING, NEW)
    prior, _ = visit(LASTING, seed=1)
    below = Volume(prior.voxels[:10], prior.affine)

    assert not find_brightened(current, below, STILL, brain).any()


def test_volumes_that_cannot_be_compared_are_refused():
    current, brain = visit(NEW)
    far = Volume(current.voxels, axial_affine(SPACING_MM, (500.0, 0.0, 0.0)))

    with pytest.raises(IntensityError, match=r"brain mask has shape \(2, 2, 2\), the volume \(24, 72, 72\)"):
        find_brightened(current, current, STILL, np.ones((2, 2, 2), np.bool_))
    with pytest.raises(IntensityError, match="0 voxels of brain are in both volumes, need 1000"):
        find_brightened(current, far, STILL, brain)
    with pytest.raises(IntensityError, match="one and the same intensity or difference"):
        find_brightened(current.with_voxels(np.ones(SHAPE)), current, STILL, brain)


def test_a_spot_knows_its_voxels_its_lesions_and_what_became_of_them():
    """Two lesions in one spot, of which one is new; and a spot beside every lesion, which comes first for its size."""
    mask, numbers = np.zeros(SHAPE, np.bool_), np.zeros(SHAPE, np.uint16)
    mask[3, 10:12, 20:25], mask[9:12, 30:35, 30:36] = True, True
    numbers[3, 10, 20], numbers[3, 11, 24], numbers[3, 5, 5] = 1, 2, 3
    changes = [
        Change(LesionChange.STABLE, (2,), (1,), 0.1, 0.1, (3, 11, 24)),
        Change(LesionChange.NEW, (1,), (), 0.1, 0.0, (3, 10, 20)),
    ]

    spots = spots_of(Volume(mask, AFFINE))
    beside, within = changes_of_spots(spots, numbers, changes)

    assert [spot.anchor for spot in spots] == [(10, 32, 32), (3, 10, 22)]
    assert [spot.volume_ml for spot in spots] == pytest.approx([90 * 6.75e-3, 10 * 6.75e-3])
    assert np.array_equal(np.sort(np.concatenate([spot.voxels for spot in spots])), np.flatnonzero(mask))
    assert spots[1].runs == ((3 * 72 * 72 + 10 * 72 + 20, 5), (3 * 72 * 72 + 11 * 72 + 20, 5))
    assert (beside.lesions, beside.change, beside.grew) == ((), None, False)
    assert (within.lesions, within.change, within.grew) == ((1, 2), LesionChange.NEW, True)
    assert spots_of(Volume(np.zeros(SHAPE, np.bool_), AFFINE)) == ()
