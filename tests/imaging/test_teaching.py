"""What labelling a study would teach: each reason by itself, and all of them together."""

import numpy as np
import pytest

from plaqueview.imaging.comparison import Comparison
from plaqueview.imaging.lesion_sizes import SizeClass
from plaqueview.imaging.teaching import (
    Part,
    PartName,
    TrainedOn,
    disagreement,
    rarity,
    score_of,
    uncertainty,
    unlikeness,
)

TRAINED_ON = TrainedOn(
    {"slice_mm": (1.0, 6.0), "pixel_mm": (0.9,)}, {SizeClass.SMALL: 60, SizeClass.MEDIUM: 35, SizeClass.LARGE: 5}
)


def volume(*probabilities: float) -> np.ndarray:
    return np.array(probabilities, np.float32).reshape(1, 1, -1)


def test_uncertain_is_the_share_of_what_it_points_at_that_it_hesitates_about():
    sure, unsure = volume(0.0, 0.95, 0.95, 0.0), volume(0.05, 0.95, 0.5, 0.2)

    found = [uncertainty(one, one >= 0.3, voxel_ml=1.0) for one in (sure, unsure)]

    assert found[0].value == 0.0
    assert found[1].value == pytest.approx(2.0 / (3.0 + 0.0141))
    assert found[1].text == "The network hesitates about 2.0 of the 3.0 ml that it points at."


def test_one_doubtful_voxel_in_a_study_without_marks_teaches_little():
    probability = volume(0.0, 0.12, 0.0)

    found = uncertainty(probability, probability >= 0.3, voxel_ml=0.001)

    assert found.value == pytest.approx(1.0 / 15.1)


def test_a_shadow_that_says_the_same_teaches_nothing():
    same = Comparison(dice=1.0, lesion_f1=1.0, matched=3, class_changed=0, added=0, removed=0)
    other = Comparison(dice=0.5, lesion_f1=0.7, matched=2, class_changed=1, added=2, removed=1)

    assert disagreement(same, shadow="trained-2").value == 0.0
    found = disagreement(other, shadow="trained-2")
    assert (found.name, found.value) == ("disagreement", pytest.approx(0.4))
    assert found.text == (
        "Model trained-2 in shadow: Dice 0.50, lesion F1 0.70; 2 lesions more, 1 less, 1 of another class."
    )


@pytest.mark.parametrize(
    ("spacing_mm", "value", "text"),
    [
        ((3.0, 0.9, 0.9), 0.5, "Slices 3 mm apart; the nearest that the model was trained on: 6 mm."),
        ((6.0, 0.45, 0.45), 0.5, "Pixels of 0.45 mm; the nearest that the model was trained on: 0.9 mm."),
    ],
)
def test_a_spacing_that_training_never_met_is_unlike_by_how_far_the_nearest_is(spacing_mm, value, text):
    found = unlikeness(spacing_mm, TRAINED_ON)

    assert found == Part(PartName.UNLIKENESS, value, text)


def test_a_spacing_that_training_has_met_is_no_reason():
    assert unlikeness((5.99, 0.9, 0.9), TRAINED_ON) is None
    assert unlikeness((3.0, 0.9, 0.9), TrainedOn({"slice_mm": (), "pixel_mm": ()}, {})) is None


def test_lesions_of_a_size_that_training_had_few_of_are_rare():
    found = rarity({SizeClass.SMALL: 6, SizeClass.LARGE: 2}, TRAINED_ON)

    assert found is not None
    assert found.value == pytest.approx(0.5 * 2 / 8)
    assert found.text == "2 of 8 lesions are large, as were 5% of those that the model was trained on."
    assert rarity({SizeClass.SMALL: 6, SizeClass.MEDIUM: 2}, TRAINED_ON) is None
    assert rarity({}, TRAINED_ON) is None


def test_a_score_is_at_least_its_largest_part_and_grows_with_each():
    half, some = Part(PartName.UNCERTAINTY, 0.5, ""), Part(PartName.RARITY, 0.2, "")

    assert (score_of([]), score_of([half]), score_of([half, some])) == (0.0, 0.5, pytest.approx(0.6))


def test_what_a_network_was_trained_on_is_carried_in_its_facts_and_added_to():
    carried = TrainedOn.of_facts({"trained_on": TRAINED_ON.as_json()})
    more = TrainedOn({"slice_mm": (3.0,), "pixel_mm": (0.9,)}, {SizeClass.LARGE: 7}).joined(carried)

    assert carried == TRAINED_ON
    assert more.spacings_mm == {"slice_mm": [1.0, 3.0, 6.0], "pixel_mm": [0.9]}
    assert more.sizes == {SizeClass.SMALL: 60, SizeClass.MEDIUM: 35, SizeClass.LARGE: 12}
    assert TrainedOn.of_facts({}) is None
