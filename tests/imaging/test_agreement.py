"""Agreement of two readers on masks whose answers are known by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plaqueview.imaging.agreement import AgreementError, measure_agreement
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.volume import Volume

RULE = CountingRule(connectivity=26, minimum_volume_mm3=2.0)  # two voxels of 1 mm³
INACTIVE, ACTIVE = 1, 2


def volume(*runs: tuple[int, int, int, int], columns: int = 20) -> Volume:
    """Labels of one slice: each run is (row, first column, last column, label); two rows apart, runs do not touch."""
    labels = np.zeros((1, 12, columns), np.uint8)
    for row, first, last, label in runs:
        labels[0, row, first : last + 1] = label
    return Volume(labels, np.eye(4))


EMPTY = volume()


def test_a_mask_agrees_with_itself_in_full():
    mask = volume((0, 0, 3, ACTIVE), (2, 0, 3, INACTIVE), (4, 0, 1, INACTIVE))

    agreement = measure_agreement(mask, mask, rule=RULE)

    assert (agreement.dice, agreement.dice_active, agreement.dice_inactive) == (1.0, 1.0, 1.0)
    assert (agreement.lesion_f1, agreement.class_kappa, agreement.lesions_matched) == (1.0, 1.0, 3)


def test_the_figures_are_those_that_one_counts_by_hand():
    first = volume((0, 0, 3, ACTIVE), (2, 0, 3, ACTIVE), (4, 0, 3, INACTIVE), (6, 0, 3, INACTIVE), (8, 0, 3, ACTIVE))
    second = volume((0, 2, 5, ACTIVE), (2, 0, 3, INACTIVE), (4, 0, 3, INACTIVE), (6, 0, 3, ACTIVE))

    agreement = measure_agreement(first, second, rule=RULE)

    assert agreement.dice == 2 * (2 + 4 + 4 + 4) / (20 + 16)
    assert agreement.dice_active == 2 * 2 / (12 + 8)
    assert agreement.dice_inactive == 2 * 4 / (8 + 8)
    assert agreement.lesion_f1 == pytest.approx(2 * 0.8 * 1.0 / 1.8)
    # Of four pairs two agree; each reader says active of half of them, so chance alone agrees on half.
    assert (agreement.lesions_matched, agreement.class_kappa) == (4, 0.0)


def test_classes_that_are_always_swapped_have_a_kappa_of_minus_one():
    first, second = volume((0, 0, 3, ACTIVE), (2, 0, 3, INACTIVE)), volume((0, 0, 3, INACTIVE), (2, 0, 3, ACTIVE))

    agreement = measure_agreement(first, second, rule=RULE)

    assert (agreement.dice, agreement.dice_active, agreement.dice_inactive) == (1.0, 0.0, 0.0)
    assert (agreement.lesion_f1, agreement.class_kappa) == (1.0, -1.0)


def test_one_large_lesion_of_one_reader_may_match_two_of_the_other():
    one, two = volume((0, 0, 9, ACTIVE)), volume((0, 0, 2, ACTIVE), (0, 5, 6, INACTIVE))

    agreement = measure_agreement(one, two, rule=RULE)

    assert (agreement.lesion_f1, agreement.lesions_matched) == (1.0, 2)
    # The first reader says active both times: half of the pairs agree, and by chance as many would.
    assert agreement.class_kappa == 0.0


def test_what_is_too_small_for_a_lesion_still_counts_as_voxels():
    first, second = volume((0, 0, 0, ACTIVE), (2, 0, 3, ACTIVE)), volume((2, 0, 3, ACTIVE))

    agreement = measure_agreement(first, second, rule=RULE)

    assert (agreement.dice, agreement.lesion_f1, agreement.lesions_matched) == (2 * 4 / 9, 1.0, 1)


def test_two_empty_masks_agree_in_full_and_say_nothing_of_classes():
    agreement = measure_agreement(EMPTY, EMPTY, rule=RULE)

    assert (agreement.dice, agreement.dice_active, agreement.dice_inactive, agreement.lesion_f1) == (1.0,) * 4
    assert (agreement.class_kappa, agreement.lesions_matched) == (None, 0)


def test_an_empty_mask_does_not_agree_with_one_that_has_a_lesion():
    agreement = measure_agreement(EMPTY, volume((0, 0, 3, ACTIVE)), rule=RULE)

    assert (agreement.dice, agreement.dice_active, agreement.dice_inactive) == (0.0, 0.0, 1.0)
    assert (agreement.lesion_f1, agreement.class_kappa, agreement.lesions_matched) == (0.0, None, 0)


def test_kappa_is_undefined_where_both_say_one_same_class_of_everything():
    mask = volume((0, 0, 3, ACTIVE), (2, 0, 3, ACTIVE))

    assert measure_agreement(mask, mask, rule=RULE).class_kappa is None


def test_the_rule_says_what_the_figures_mean():
    rule = measure_agreement(EMPTY, EMPTY, rule=CountingRule()).rule

    assert "share a voxel" in rule
    assert rule.endswith(CountingRule().sentence)


def test_masks_on_different_grids_are_not_compared():
    with pytest.raises(AgreementError, match=r"\(1, 12, 20\) and \(1, 12, 21\)"):
        measure_agreement(EMPTY, volume(columns=21), rule=RULE)
    with pytest.raises(AgreementError):
        measure_agreement(EMPTY, Volume(EMPTY.voxels, np.diag([2.0, 1.0, 1.0, 1.0])), rule=RULE)


labels = arrays(np.uint8, (3, 6, 6), elements=st.sampled_from([0, 0, 0, 1, 2]))


@given(labels, labels)
def test_it_does_not_matter_who_is_first(one, other):
    first, second = Volume(one, np.eye(4)), Volume(other, np.eye(4))

    there, back = measure_agreement(first, second, rule=RULE), measure_agreement(second, first, rule=RULE)

    assert there == back
    assert 0.0 <= there.dice <= 1.0
    assert 0.0 <= there.lesion_f1 <= 1.0
    assert there.class_kappa is None or -1.0 <= there.class_kappa <= 1.0
