"""Plaques of known size, shape and place fall into the strata that their rules say, and are found where they are."""

import numpy as np

from inference_worker.strata import RULES, StratumCounts, Surroundings, count_strata, within

SHAPE = (3, 60, 60)
PIXEL_MM = (1.0, 2.0)


def box(k, rows, columns):
    mask = np.zeros(SHAPE, bool)
    mask[k, slice(*rows), slice(*columns)] = True
    return mask


BRAIN = np.zeros(SHAPE, bool)
BRAIN[:, 4:56, 4:56] = True
VENTRICLES = box(1, (28, 32), (28, 32))
# 9 pixels in slice 1, 8 mm from the border at row 3, and above it 12 pixels of the same lesion.
SMALL = box(1, (11, 14), (20, 23)) | box(2, (10, 14), (20, 23))
# 6 x 6 with a hole of 2 x 2, 1 column (2 mm) from the ventricles.
RING = box(1, (26, 32), (22, 28)) & ~box(1, (28, 30), (24, 26))
# 16 pixels with a hole of one, far from everything.
PLAIN = box(0, (40, 44), (30, 34)) & ~box(0, (41, 42), (31, 32))
TRUTH = SMALL | RING | PLAIN


def strata(prediction, ventricles=VENTRICLES):
    return count_strata(prediction, TRUTH, Surroundings(BRAIN, ventricles, PIXEL_MM))


def test_every_plaque_is_in_its_strata():
    counts = strata(TRUTH)

    assert counts == {
        "lesions": StratumCounts(3, 3, 21 + 32 + 15, 21 + 32 + 15),
        "border": StratumCounts(1, 1, 21, 21),
        "ventricles": StratumCounts(1, 1, 32, 32),
        "slice_plaques": StratumCounts(4, 4, 68, 68),
        "small": StratumCounts(1, 1, 9, 9),
        "ring": StratumCounts(1, 1, 32, 32),
    }
    assert counts.keys() == RULES.keys()


def test_a_plaque_is_found_by_one_voxel_and_recall_is_by_voxels():
    counts = strata(box(2, (13, 14), (20, 21)) | box(1, (26, 28), (22, 28)))

    assert counts["lesions"].record() == {"plaques": 3, "found": 2, "found_share": 2 / 3, "recall": 13 / 68}
    assert counts["border"].record() == {"plaques": 1, "found": 1, "found_share": 1.0, "recall": 1 / 21}
    assert counts["small"].record() == {"plaques": 1, "found": 0, "found_share": 0.0, "recall": 0.0}
    assert counts["ring"].record() == {"plaques": 1, "found": 1, "found_share": 1.0, "recall": 12 / 32}


def test_without_a_mask_of_the_ventricles_nothing_is_said_of_them():
    assert "ventricles" not in strata(TRUTH, ventricles=None)


def test_no_plaques_have_no_share():
    nothing = np.zeros(SHAPE, bool)

    counts = count_strata(TRUTH, nothing, Surroundings(BRAIN, VENTRICLES, PIXEL_MM))

    assert all(
        each.record() == {"plaques": 0, "found": 0, "found_share": None, "recall": None} for each in counts.values()
    )


def test_nearness_is_in_mm_and_in_the_slice():
    near = within(box(1, (30, 31), (30, 31)), 2.0, PIXEL_MM)

    assert near.sum(axis=(1, 2)).tolist() == [0, 7, 0]
    assert near[1, 28:33, 30].all()
    assert near[1, 30, 29:32].all()
