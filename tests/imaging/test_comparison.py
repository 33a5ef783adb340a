"""What one reading changes in another, on spheres of known place and class."""

import pytest

from plaqueview.imaging.agreement import AgreementError
from plaqueview.imaging.comparison import compare
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, labels_on, paint_sphere

AFFINE = axial_affine(spacing_mm=(4.0, 1.0, 1.0), origin_mm=(-16.0, -16.0, -12.0))
RULE = CountingRule()
LEFT, RIGHT, FRONT = (-8.0, -8.0, -4.0), (8.0, -8.0, 0.0), (0.0, 8.0, 4.0)


def mask(**labels_at: int) -> Volume:
    places = {"left": LEFT, "right": RIGHT, "front": FRONT}
    volume = labels_on((6, 32, 32), AFFINE)
    for name, label in labels_at.items():
        paint_sphere(volume, centre_mm=places[name], radius_mm=4.5, label=label)
    return volume


def test_a_reading_changes_nothing_in_itself():
    one = mask(left=1, right=2)

    found = compare(one, one, rule=RULE)

    assert found.as_json() == {
        "dice": 1.0, "lesion_f1": 1.0, "matched": 2, "class_changed": 0, "added": 0, "removed": 0,
        "class_agreement": 1.0,
    }  # fmt: skip


def test_lesions_are_added_removed_and_given_another_class():
    found = compare(mask(left=1, right=1), mask(left=2, front=1), rule=RULE)

    assert (found.matched, found.class_changed, found.added, found.removed) == (1, 1, 1, 1)
    assert (found.lesion_f1, found.class_agreement) == (0.5, 0.0)


def test_without_a_pair_there_is_no_agreement_on_classes():
    found = compare(mask(), mask(left=1), rule=RULE)

    assert (found.dice, found.lesion_f1, found.class_agreement, found.added) == (0.0, 0.0, None, 1)


def test_masks_on_two_grids_are_not_compared():
    with pytest.raises(AgreementError, match="need one grid"):
        compare(mask(), labels_on((5, 32, 32), AFFINE), rule=RULE)
