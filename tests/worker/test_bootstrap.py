"""Intervals over patients: the same for the same seed, and missing where there is nothing to draw from."""

import numpy as np
import pytest

from inference_worker.bootstrap import Bootstrap, Interval, mean_by_patient
from inference_worker.metrics import Confusion, MetricError

BOOTSTRAP = Bootstrap(seed=3, resamples=400)
DICE = {"anna": 0.5, "berta": 0.75, "clara": 1.0}


def test_the_same_seed_draws_the_same_patients():
    np.testing.assert_array_equal(BOOTSTRAP.draws(3), Bootstrap(seed=3, resamples=400).draws(3))
    assert (BOOTSTRAP.draws(3) != Bootstrap(seed=4, resamples=400).draws(3)).any()
    assert BOOTSTRAP.draws(3).shape == (400, 3)


def test_patients_without_a_value_take_no_part():
    assert BOOTSTRAP.interval([0.5, None, 1.0]) == BOOTSTRAP.interval([0.5, 1.0])
    assert BOOTSTRAP.interval([0.5, None]) == Interval(0.5, None, None, None, 1)
    assert BOOTSTRAP.interval([None]) == Interval(None, None, None, None, 0)


def test_equal_patients_leave_no_doubt():
    assert BOOTSTRAP.interval([0.75, 0.75, 0.75]) == Interval(0.75, 0.0, 0.75, 0.75, 3)


def test_pooled_figures_draw_patients_not_voxels():
    right, wrong = Confusion(10, 0, 0, 90), Confusion(0, 10, 10, 80)

    pooled = BOOTSTRAP.pooled([right, wrong])

    assert pooled["dice"] == Interval(0.5, None, 0.0, 1.0, 2)
    assert BOOTSTRAP.pooled([right])["dice"] == Interval(1.0, None, None, None, 1)


def test_a_model_that_is_better_on_every_patient_is_better_in_every_resample():
    better = {patient: value + gain for (patient, value), gain in zip(DICE.items(), (0.1, 0.2, 0.3), strict=True)}

    difference = BOOTSTRAP.difference(better, DICE)

    assert difference.mean_difference == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx((0.1, 0.3))
    assert (difference.share_better, difference.patients) == (1.0, 3)
    assert BOOTSTRAP.difference(DICE, better).share_better == 0.0


def test_a_model_is_never_better_than_itself():
    assert BOOTSTRAP.difference(DICE, DICE).share_better == 0.0


def test_pairs_need_the_same_patients():
    with pytest.raises(MetricError, match=r"patients \['dora'\] are in one of two paired models only"):
        BOOTSTRAP.difference({**DICE, "dora": 1.0}, DICE)
    with pytest.raises(MetricError, match="need at least 1"):
        BOOTSTRAP.difference({"anna": None}, {"anna": 1.0})


def test_a_patient_s_studies_are_averaged_first():
    rows = [("anna", 0.5), ("berta", 1.0), ("anna", 1.0), ("berta", None), ("clara", None)]

    assert mean_by_patient(rows) == {"anna": 0.75, "berta": 1.0, "clara": None}
