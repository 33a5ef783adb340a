"""Labels of every convention become one."""

import numpy as np
import pytest

from inference_worker.labels import LabelError, from_classes, from_plaque_mask


@pytest.mark.parametrize("values", [[0, 1, 2], [0, 127, 255]], ids=["indices", "grey values of the paper"])
def test_both_conventions_of_classes_give_indices(values):
    labels = from_classes(np.array([values], np.float32))

    assert labels.dtype == np.uint8
    assert labels.tolist() == [[0, 1, 2]]


def test_a_plaque_without_class_may_stand_beside_classes():
    assert from_classes(np.array([0, 1, 3])).tolist() == [0, 1, 3]


def test_a_mask_says_nothing_of_the_class():
    assert from_plaque_mask(np.array([0, 1, 255])).tolist() == [0, 3, 3]


@pytest.mark.parametrize("values", [[0, 1, 4], [0, 128], [0, 0.5], [-1, 0]])
def test_other_values_are_refused(values):
    with pytest.raises(LabelError, match="need 0, 1, 2, 3 or 0, 127, 255"):
        from_classes(np.array(values))
