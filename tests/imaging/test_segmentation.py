"""A segmentation's parts lie on one grid."""

from dataclasses import replace

import numpy as np
import pytest

from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation, SegmentationError
from tests.imaging.phantoms import labels_on


@pytest.fixture
def segmentation() -> Segmentation:
    labels = labels_on((2, 3, 4))
    probability = np.zeros(labels.shape, np.float32)
    lesions = measure_lesions(labels, probability, rule=CountingRule())
    mask = np.ones(labels.shape, np.bool_)
    return Segmentation(labels, mask, probability, probability, lesions, seconds={"network": 1.0}, warnings=())


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"brain_mask": np.ones((2, 3, 5), np.bool_)}, r"brain mask: found bool \(2, 3, 5\), need bool \(2, 3, 4\)"),
        ({"plaque_probability": np.zeros((2, 3, 4))}, "plaque probability: found float64"),
        ({"active_probability": np.zeros((2, 3), np.float32)}, "active probability: found float32"),
        ({"labels": labels_on((1, 1, 1))}, "brain mask: found bool"),
    ],
)
def test_a_part_on_another_grid_is_refused(segmentation, part, message):
    with pytest.raises(SegmentationError, match=message):
        replace(segmentation, **part)


def test_labels_that_are_no_bytes_are_refused(segmentation):
    labels = segmentation.labels.with_voxels(np.zeros((2, 3, 4), np.int64))

    with pytest.raises(SegmentationError, match="labels: found int64"):
        replace(segmentation, labels=labels)
