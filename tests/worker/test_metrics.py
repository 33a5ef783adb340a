"""Metrics have the values that can be counted by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from inference_worker.metrics import Confusion, LesionDetection, MetricError, mean_of

masks = arrays(np.bool_, (3, 4, 4))


def mask(*indices, shape=(1, 4, 5)):
    found = np.zeros(shape, bool)
    for index in indices:
        found[index] = True
    return found


def test_every_figure_of_three_hits_one_false_and_two_missed():
    figures = Confusion(true_positives=3, false_positives=1, false_negatives=2, true_negatives=14).figures()

    assert figures == pytest.approx(
        {
            "iou": 3 / 6,
            "dice": 6 / 9,
            "precision": 3 / 4,
            "recall": 3 / 5,
            "f1": 2 / 3,
            "mcc": (3 * 14 - 1 * 2) / math.sqrt(4 * 5 * 15 * 16),
        }
    )


def test_voxels_are_counted_by_kind():
    prediction, truth = mask((0, 0, 0), (0, 0, 1), (0, 3, 3)), mask((0, 0, 1), (0, 2, 2))

    assert Confusion.of(prediction, truth) == Confusion(1, 2, 1, 16)


def test_pooling_adds_voxels_and_averaging_does_not():
    small, large = Confusion(1, 0, 0, 9), Confusion(0, 30, 30, 40)

    assert (small + large).dice == pytest.approx(2 / 62)
    assert mean_of([small.figures(), large.figures()])["dice"] == 0.5


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (mask(), mask(), 1.0),
        (mask((0, 1, 1)), mask(), 0.0),
        (mask(), mask((0, 1, 1)), 0.0),
        (np.ones((1, 2, 2), bool), np.ones((1, 2, 2), bool), 1.0),
    ],
    ids=["both empty", "nothing to find", "nothing found", "everything is plaque"],
)
def test_empty_cases_are_agreement_or_nothing(prediction, truth, expected):
    assert set(Confusion.of(prediction, truth).figures().values()) == {expected}


@given(masks)
def test_a_mask_agrees_with_itself(truth):
    assert set(Confusion.of(truth, truth).figures().values()) == {1.0}
    assert LesionDetection.of(truth, truth).f1 == 1.0


@given(masks, masks)
def test_precision_of_one_is_recall_of_the_other(first, second):
    there, back = Confusion.of(first, second), Confusion.of(second, first)

    assert there.precision == back.recall
    assert there.dice == back.dice == pytest.approx(there.f1)
    assert there.mcc == pytest.approx(back.mcc)
    assert 0.0 <= there.iou <= there.dice <= 1.0


def test_lesions_are_found_when_one_voxel_touches():
    truth = mask((0, 0, 0), (0, 0, 1), (0, 2, 3), (0, 3, 4))
    prediction = mask((0, 0, 1), (0, 2, 0))

    found = LesionDetection.of(prediction, truth)

    assert found == LesionDetection(true_lesions=2, found_lesions=1, predicted_lesions=2, false_lesions=1)
    assert found.figures() == {"lesion_f1": 0.5, "ltpr": 0.5, "lfpr": 0.5}


def test_one_prediction_may_find_two_lesions_and_confirms_itself_once():
    truth = mask((0, 0, 0), (0, 0, 2))
    prediction = mask((0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 3, 4))

    found = LesionDetection.of(prediction, truth)

    assert found == LesionDetection(true_lesions=2, found_lesions=2, predicted_lesions=2, false_lesions=1)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (mask(), mask(), {"lesion_f1": 1.0, "ltpr": 1.0, "lfpr": 0.0}),
        (mask((0, 1, 1)), mask(), {"lesion_f1": 0.0, "ltpr": 1.0, "lfpr": 1.0}),
        (mask(), mask((0, 1, 1)), {"lesion_f1": 0.0, "ltpr": 0.0, "lfpr": 0.0}),
    ],
    ids=["both empty", "nothing to find", "nothing found"],
)
def test_empty_lesion_cases(prediction, truth, expected):
    assert LesionDetection.of(prediction, truth).figures() == expected


def test_masks_of_other_shapes_and_no_figures_are_refused():
    with pytest.raises(MetricError, match=r"shape \(1, 4, 5\), the truth has \(2, 4, 5\)"):
        Confusion.of(mask(), mask(shape=(2, 4, 5)))
    with pytest.raises(MetricError, match="shape"):
        LesionDetection.of(mask(), mask(shape=(2, 4, 5)))
    with pytest.raises(MetricError, match="at least 1"):
        mean_of([])
