"""Probabilities that hold are calibrated, and those that do not are off by what they are wrong."""

import numpy as np
import pytest

from inference_worker.calibration import Calibration


def test_what_comes_true_as_often_as_said_has_no_error():
    probability = np.full(8, 0.25, np.float32)
    truth = np.arange(8) < 2

    calibration = Calibration.of(probability, truth)

    assert calibration.error() == 0.0
    assert calibration.record()["bins"][2] == {
        "from": 0.2, "to": 0.3, "voxels": 8, "mean_probability": 0.25, "plaque_share": 0.25,
    }  # fmt: skip
    assert calibration.record()["bins"][5]["plaque_share"] is None


def test_the_error_is_the_mean_distance_weighted_by_voxels():
    probability = np.array([0.0] * 6 + [0.75] * 2 + [1.0] * 2, np.float32)
    truth = np.array([1] + [0] * 5 + [1, 0] + [1, 0], bool)

    calibration = Calibration.of(probability, truth)

    assert calibration.voxels.tolist() == [6, 0, 0, 0, 0, 0, 0, 2, 0, 2]
    assert calibration.error() == pytest.approx((1 * 1.0 + 2 * 0.25 + 2 * 0.5) / 10)
    assert calibration.error(first_bin=1) == pytest.approx((2 * 0.25 + 2 * 0.5) / 4)


def test_studies_add_up():
    generator = np.random.default_rng(0)
    probability, truth = generator.random(100, dtype=np.float32), generator.random(100) < 0.3

    parts = Calibration.of(probability[:40], truth[:40]) + Calibration.of(probability[40:], truth[40:])

    np.testing.assert_array_equal(parts.plaques, Calibration.of(probability, truth).plaques)
    assert parts.error() == pytest.approx(Calibration.of(probability, truth).error())
    assert Calibration.empty().error() is None
