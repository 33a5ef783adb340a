"""Contrast agent in the lesions of a phantom brain, whatever the gain and the pose of the T1 before it."""

import numpy as np
import pytest

from plaqueview.imaging.enhancement import EnhancementRule, T1Pair, find_uptakes
from plaqueview.imaging.matched_intensities import IntensityError, on_grid
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, rotated

SHAPE, SPACING_MM = (36, 60, 60), (2.0, 1.2, 1.2)
AFFINE = axial_affine(SPACING_MM, (-36.0, -36.0, -36.0))
STILL = np.eye(4)
FIRST, SECOND, ALONE = (-12.0, -8.0, 0.0), (12.0, 8.0, 4.0), (0.0, 20.0, -8.0)


def places(affine) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    return grid @ affine[:3, :3].T + affine[:3, 3]


def near(centre_mm, radius_mm, affine=AFFINE) -> np.ndarray:
    return np.linalg.norm(places(affine) - np.array(centre_mm), axis=-1) < radius_mm


def t1(*bright, affine=AFFINE, gain=1.0, seed=0) -> Volume:
    """Brain of two tissues with dark lesions and noise; bright places ((x, y, z) mm, radius mm) took up the agent."""
    tissue = 100.0 + 15.0 * np.sin(places(affine)[..., 0] / 5.0)
    values = np.where(near((0, 0, 0), 33.0, affine), tissue, 3.0)
    values[near(FIRST, 6.0, affine) | near(SECOND, 6.0, affine)] = 75.0
    for centre_mm, radius_mm in bright:
        values[near(centre_mm, radius_mm, affine)] = 150.0
    noisy = gain * (values + np.random.default_rng(seed).normal(0.0, 3.0, SHAPE))
    return Volume(noisy, affine)


LESIONS = Volume((near(FIRST, 6.0) + 2 * near(SECOND, 6.0)).astype(np.uint16), AFFINE)
BRAIN = near((0, 0, 0), 33.0)


def uptakes(before: Volume, after: Volume, to_before=STILL):
    return find_uptakes(LESIONS, T1Pair(before, after, to_before, STILL), BRAIN)


def test_the_lesion_that_took_up_the_agent_is_found_whatever_the_gain():
    (found,) = uptakes(t1(gain=2.5, seed=1), t1((FIRST, 3.5)))

    assert (found.lesion, found.share_in_lesion) == (1, 1.0)
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * 3.5**3, rel=0.35)
    assert np.linalg.norm(LESIONS.positions_mm(np.array([found.anchor]))[0] - FIRST) < 2.0


def test_both_lesions_enhance_by_number_and_an_uptake_beside_every_lesion_is_none():
    found = uptakes(t1(seed=1), t1((SECOND, 3.5), (FIRST, 3.5), (ALONE, 4.0)))

    assert [one.lesion for one in found] == [1, 2]


def test_a_vessel_that_runs_through_a_lesion_is_no_uptake():
    after = t1()
    _, y, z = np.moveaxis(places(AFFINE), -1, 0)
    after.voxels[(np.hypot(y - FIRST[1], z - FIRST[2]) < 1.8) & BRAIN] += 60.0

    assert uptakes(t1(seed=1), after) == ()


def test_a_speck_is_no_uptake():
    assert uptakes(t1(seed=1), t1((FIRST, 1.1))) == ()


def test_a_head_that_lay_otherwise_before_is_registered():
    shift = np.eye(4)
    shift[:3, 3] = 5.0, -4.0, 6.0
    still = t1(affine=rotated(AFFINE, 6.0), seed=1)
    moved = Volume(still.voxels, shift @ still.affine)

    (found,) = uptakes(moved, t1((FIRST, 3.5)), shift)

    assert found.lesion == 1


def test_without_lesions_nothing_enhances():
    pair = T1Pair(t1(seed=1), t1((FIRST, 3.5)), STILL, STILL)

    assert find_uptakes(LESIONS.with_voxels(np.zeros(SHAPE, np.uint16)), pair, BRAIN) == ()


def test_t1s_that_cannot_be_compared_are_refused():
    far = Volume(t1().voxels, axial_affine(SPACING_MM, (500.0, 0.0, 0.0)))

    with pytest.raises(IntensityError, match=r"brain mask has shape \(2, 2, 2\), the lesions \(36, 60, 60\)"):
        find_uptakes(LESIONS, T1Pair(t1(), t1(), STILL, STILL), np.ones((2, 2, 2), np.bool_))
    with pytest.raises(IntensityError, match="0 voxels of brain are in both T1s, need 1000"):
        uptakes(far, t1())


def test_the_rule_says_what_does_not_count():
    assert "so that vessels and choroid plexus do not count" in EnhancementRule().sentence


@pytest.mark.parametrize("step_mm", [0.9999999, 1.0, 1.0000001])
def test_what_lies_one_voxel_beside_a_lesion_is_within_a_rim_of_1_mm(step_mm):
    affine = axial_affine((2.0, step_mm, step_mm), (-36.0, -30.0, -30.0))
    lesions = Volume(near(FIRST, 4.0, affine).astype(np.uint16), affine)
    uptake = np.roll(lesions.voxels > 0, 1, axis=2) | (lesions.voxels > 0)
    after = t1(affine=affine)
    after.voxels[uptake] = 200.0

    (found,) = find_uptakes(
        lesions, T1Pair(t1(affine=affine, seed=1), after, STILL, STILL), near((0, 0, 0), 28.0, affine)
    )

    assert found.share_in_lesion == pytest.approx(0.92, abs=0.01)


@pytest.mark.parametrize("degrees", [0, 5, 12])
def test_a_volume_covers_all_of_its_own_grid(degrees):
    volume = t1(affine=rotated(axial_affine(SPACING_MM, (-36.1, -36.3, -35.9)), degrees))

    moved, covered = on_grid(volume, volume, STILL)

    assert covered.all()
    assert moved == pytest.approx(volume.voxels, rel=1e-6)
