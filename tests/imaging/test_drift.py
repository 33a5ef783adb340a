"""What a study looks like in numbers, and whether studies of late are like those before."""

import numpy as np
import pytest

from plaqueview.imaging.drift import compare_samples
from plaqueview.imaging.input_measures import InputMeasureError, measure_input
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine

AFFINE = axial_affine(spacing_mm=(4.0, 0.5, 1.5000004), origin_mm=(0.0, 0.0, 0.0))
BEFORE = np.random.default_rng(7).normal(100.0, 5.0, 60).tolist()


def test_a_volume_is_measured_within_its_brain():
    voxels = np.zeros((4, 10, 10), np.float32)
    voxels[1:3] = 200.0
    voxels[2, 5:] = 300.0
    brain = voxels > 0

    found = measure_input(Volume(voxels, AFFINE), brain)

    assert (found.slice_mm, found.pixel_mm, found.intensity_median, found.intensity_contrast) == (4.0, 1.0, 200.0, 1.5)
    assert found.brain_ml == pytest.approx(200 * 3.0 / 1000, rel=1e-5)


def test_without_a_brain_nothing_is_measured():
    volume = Volume(np.ones((4, 10, 10), np.float32), AFFINE)

    with pytest.raises(InputMeasureError, match="has 0 voxels"):
        measure_input(volume, np.zeros((4, 10, 10), np.bool_))


def test_a_shift_of_the_scanner_is_an_alert_and_the_same_scanner_is_none():
    after = np.random.default_rng(8)

    shifted = compare_samples(BEFORE, after.normal(110.0, 5.0, 30).tolist())
    same = compare_samples(BEFORE, after.normal(100.0, 5.0, 30).tolist())

    assert shifted is not None
    assert same is not None
    assert (shifted.is_alert, same.is_alert) == (True, False)


def test_another_slice_thickness_is_as_far_as_can_be():
    found = compare_samples([3.0] * 40, [5.0] * 20)

    assert found is not None
    assert (found.distance, found.is_alert) == (1.0, True)


def test_too_few_studies_say_nothing():
    assert compare_samples(BEFORE, [200.0] * 19) is None
