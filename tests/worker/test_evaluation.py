"""A prediction that is known voxel by voxel gets the figures that can be counted by hand."""

import numpy as np
import pytest

from inference_worker.evaluation import ClassCounts, evaluate_study, markdown_table, summarise
from inference_worker.metrics import Confusion, MetricError
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


def test_figures_of_one_hit_one_half_one_miss_and_one_false_lesion():
    study = evaluate_study("anna", FOUND, TRUTH)

    assert study.confusion == Confusion(12, 12, 12, 3 * 144 - 36)
    assert study.lesions == {
        "lesion_f1": pytest.approx(2 / 3),
        "ltpr": pytest.approx(2 / 3),
        "lfpr": pytest.approx(1 / 3),
    }
    assert (study.true_volume_ml, study.predicted_volume_ml) == (0.024, 0.024)
    # Slices: 0 has 6 of 8 + 8 voxels right, 1 has 6 of 12 + 12, 2 has 0 of 4 + 4.
    assert study.slices["dice"] == pytest.approx((12 / 16 + 12 / 24 + 0.0) / 3)


def test_classes_are_counted_by_lesion_and_by_voxel():
    study = evaluate_study("anna", FOUND, TRUTH)

    assert study.class_counts == ClassCounts(active_as_active=1, inactive_as_active=1)
    assert study.class_counts.accuracy == 0.5
    assert study.classes["active"] == Confusion(8, 8, 0, 3 * 144 - 16)
    assert study.classes["inactive"].true_positives == 0


def test_labels_without_classes_give_no_figures_of_classes():
    study = evaluate_study("anna", FOUND, np.where(TRUTH > 0, 3, 0).astype(np.uint8))

    assert study.classes is None
    assert study.confusion == evaluate_study("anna", FOUND, TRUTH).confusion


def test_summary_pools_voxels_and_averages_studies():
    perfect = evaluate_study("berta", segmentation_of(TRUTH), TRUTH)
    studies = [evaluate_study("anna", FOUND, TRUTH), perfect]

    summary = summarise(studies)

    assert summary["mean"]["dice"] == pytest.approx((0.5 + 1.0) / 2)
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


def test_no_studies_are_refused():
    with pytest.raises(MetricError):
        summarise([])
