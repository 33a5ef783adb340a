"""A prediction that is known voxel by voxel gets the figures that can be counted by hand."""

import numpy as np
import pytest

from inference_worker.evaluation import ClassCounts, evaluate_study, found_by_size
from inference_worker.metrics import Confusion, LesionDetection, MetricError
from inference_worker.summary import summarise
from inference_worker.tables import markdown_table
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
SHAPE = (3, 12, 12)


def labels_with(*boxes):
    """Labels with 2 x 2 x 2 boxes at (slice, row, column), of the label that stands last."""
    labels = np.zeros(SHAPE, np.uint8)
    for k, row, column, label in boxes:
        labels[k : k + 2, row : row + 2, column : column + 2] = label
    return labels


def segmentation_of(labels):
    volume = Volume(labels, AFFINE)
    lesions = measure_lesions(volume, None, rule=CountingRule(minimum_volume_mm3=0.0))
    plaque = (labels > 0).astype(np.float32)
    return Segmentation(volume, labels >= 0, plaque, plaque, lesions, {}, ())


TRUTH = labels_with((0, 0, 0, 2), (0, 4, 4, 1), (1, 8, 8, 1))
FOUND = segmentation_of(labels_with((0, 0, 0, 2), (0, 4, 5, 2), (1, 0, 8, 1)))


def test_lesions_are_found_by_their_size():
    """2 x 2 voxels of 4 mm are 5.7 mm across, a single one is as wide as a voxel."""
    truth = np.zeros(SHAPE, np.uint8)
    truth[0, :2, :2] = truth[0, 5:7, 5:7] = truth[2, 9, 9] = 1
    prediction = np.zeros(SHAPE, bool)
    prediction[0, 0, 0] = prediction[1, 9, 9] = True

    assert found_by_size(prediction, Volume(truth, AFFINE @ np.diag([4.0, 4.0, 4.0, 1.0]))) == {
        "small": 0.0,
        "medium": 0.5,
    }


def test_figures_of_one_hit_one_half_one_miss_and_one_false_lesion():
    plaques = evaluate_study("anna", FOUND, TRUTH).plaques

    assert plaques.confusion == Confusion(12, 12, 12, 3 * 144 - 36)
    assert plaques.lesions == LesionDetection(3, 2, 3, 1)
    assert (plaques.true_volume_ml, plaques.predicted_volume_ml) == (0.024, 0.024)
    assert (plaques.volume_difference_ml, plaques.relative_volume_difference) == (0.0, 0.0)
    # Slices: 0 has 6 of 8 + 8 voxels right, 1 has 6 of 12 + 12, 2 has 0 of 4 + 4.
    assert plaques.slices["dice"] == pytest.approx((12 / 16 + 12 / 24 + 0.0) / 3)
    # Every voxel of these boxes is surface.
    found, true = np.argwhere(FOUND.labels.voxels), np.argwhere(TRUTH)
    distances = np.linalg.norm(found[:, None] - true[None], axis=2)
    assert plaques.hd95_mm == pytest.approx(max(np.percentile(distances.min(axis=axis), 95) for axis in (0, 1)))


def test_classes_are_counted_by_lesion_and_by_voxel():
    study = evaluate_study("anna", FOUND, TRUTH)

    assert study.class_counts == ClassCounts(active_as_active=1, inactive_as_active=1)
    assert study.class_counts.accuracy == 0.5
    assert study.classes["active"].confusion == Confusion(8, 8, 0, 3 * 144 - 16)
    assert study.classes["active"].lesions == LesionDetection(1, 1, 2, 1)
    assert study.classes["active"].relative_volume_difference == 1.0
    assert study.classes["inactive"].confusion.true_positives == 0


def test_labels_without_classes_give_no_figures_of_classes():
    study = evaluate_study("anna", FOUND, np.where(TRUTH > 0, 3, 0).astype(np.uint8))

    assert study.classes is None
    assert study.plaques == evaluate_study("anna", FOUND, TRUTH).plaques


def test_what_an_empty_truth_leaves_undefined_is_missing():
    study = evaluate_study("anna", FOUND, np.zeros(SHAPE, np.uint8))

    assert study.plaques.figures()["relative_volume_difference"] is None
    assert study.plaques.figures()["hd95_mm"] is None
    assert study.plaques.volume_difference_ml == 0.024


def test_a_study_without_any_plaque_is_right_to_have_none():
    nothing = np.zeros(SHAPE, np.uint8)

    figures = evaluate_study("anna", segmentation_of(nothing), nothing).plaques.figures()

    assert figures["hd95_mm"] == figures["volume_difference_ml"] == figures["relative_volume_difference"] == 0.0


def test_summary_pools_voxels_and_averages_studies():
    perfect = evaluate_study("berta", segmentation_of(TRUTH), TRUTH)
    studies = [evaluate_study("anna", FOUND, TRUTH), perfect]

    summary = summarise(studies)

    assert summary["mean"]["dice"] == pytest.approx((0.5 + 1.0) / 2)
    assert summary["intervals"]["mean"]["dice"] == pytest.approx(
        {"mean": 0.75, "standard_deviation": np.sqrt(0.125), "low": 0.5, "high": 1.0, "patients": 2}
    )
    assert summary["pooled"]["dice"] == pytest.approx(2 * 36 / (2 * 36 + 24))
    assert summary["lesion_classes"] == {
        "active_as_active": 2,
        "active_as_inactive": 0,
        "inactive_as_active": 1,
        "inactive_as_inactive": 2,
        "accuracy": 4 / 5,
    }
    assert list(summary["by_study"]) == ["anna", "berta"]
    assert markdown_table(studies).splitlines()[-1].startswith("| mean | 0.750 |")


def test_two_studies_of_one_patient_weigh_as_one():
    studies = [
        evaluate_study("anna/first", FOUND, TRUTH),
        evaluate_study("anna/second", segmentation_of(TRUTH), TRUTH),
        evaluate_study("berta", segmentation_of(TRUTH), TRUTH),
    ]

    summary = summarise(studies)

    assert (summary["studies"], summary["patients"]) == (3, 2)
    assert summary["mean"]["dice"] == pytest.approx((0.75 + 1.0) / 2)
    assert summary["intervals"]["pooled"]["dice"]["patients"] == 2


def test_patients_without_a_figure_are_left_out_and_counted():
    empty = evaluate_study("berta", FOUND, np.zeros(SHAPE, np.uint8))

    summary = summarise([evaluate_study("anna", segmentation_of(TRUTH), TRUTH), empty])

    assert summary["mean"]["hd95_mm"] == 0.0
    assert summary["intervals"]["mean"]["hd95_mm"]["patients"] == 1
    assert "-" in markdown_table([empty]).splitlines()[2].split(" | ")[-1]


def test_loads_are_told_apart_by_the_true_volume():
    large = Volume(np.zeros(SHAPE, np.uint8), np.diag([10.0, 10.0, 10.0, 1.0])[[2, 1, 0, 3]])
    found = measure_lesions(large.with_voxels(TRUTH), None, rule=CountingRule(minimum_volume_mm3=0.0))
    plaque = (TRUTH > 0).astype(np.float32)
    heavy = Segmentation(large.with_voxels(TRUTH), TRUTH >= 0, plaque, plaque, found, {}, ())

    loads = summarise([evaluate_study("anna", FOUND, TRUTH), evaluate_study("berta", heavy, TRUTH)])["loads"]

    assert {name: load["studies"] for name, load in loads.items()} == {"light": 1, "moderate": 0, "heavy": 1}
    assert loads["light"]["mean"]["dice"] == 0.5
    assert loads["heavy"]["lesions"] == {"plaques": 3, "found": 3, "found_share": 1.0, "recall": 1.0}
    assert loads["moderate"] == {"rule": "studies with at least 5 and below 15 ml of true plaque", "studies": 0}


def test_no_studies_are_refused():
    with pytest.raises(MetricError):
        summarise([])
