"""The T1 before contrast agent is the same sequence, earlier; where that is not certain, the reason is said."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies

from plaqueview.imaging.series_choice import SeriesHeader, candidate_by
from plaqueview.imaging.t1_pair import T1PairChoice, choose_t1_pair, rules_before
from tests.imaging.phantoms import SAGITTAL
from tests.imaging.test_post_contrast import FLAIR
from tests.imaging.test_post_contrast import T1 as UNTIMED

SPACING_MM = (3.0, 0.5, 0.5)
T1 = replace(UNTIMED, series_instance_uid="before", acquired_at="20240131093000", spacing_mm=SPACING_MM)
POST = replace(
    T1,
    series_instance_uid="after",
    series_number=9,
    series_description="t1_se_tra_km",
    acquired_at="20240131095000",
)
PAIR = ("before", "after")


def chosen(*series: SeriesHeader) -> tuple[str | None, str | None]:
    choice = choose_t1_pair(series)
    return choice.before, choice.after


def test_the_reason_is_for_a_reader():
    assert choose_t1_pair([FLAIR, T1, POST]) == T1PairChoice(
        *PAIR,
        "series 4 't1_se_tra' is taken as the T1 before contrast agent of series 9 't1_se_tra_km': its name says 't1' "
        "(+20); echo time 9 ms and repetition time 550 ms are T1-weighted (+20)",
    )


def test_a_name_that_says_before_needs_no_time_and_prevails_over_a_stamped_agent():
    named = replace(T1, series_description="t1 nativ", acquired_at="", contrast_bolus_agent="Gadovist")

    assert chosen(FLAIR, named, POST) == PAIR


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"acquired_at": "20240131095000"}, "it was not acquired earlier"),
        ({"acquired_at": ""}, "neither name nor time says that it was acquired earlier"),
        ({"scanning_sequence": ("GR",)}, "scanning sequence is GR, not SE"),
        ({"echo_time_ms": 15.0}, "echo time is 15 ms, not 9 ms"),
        ({"repetition_time_ms": 1100.0}, "repetition time is 1100 ms, not 550 ms"),
        ({"spacing_mm": (5.0, 0.5, 0.5)}, "its voxels are 5.0 x 0.5 x 0.5 mm, not 3.0 x 0.5 x 0.5 mm"),
        ({"image_orientation_patient": SAGITTAL}, "its slices are sagittal, not axial"),
    ],
)
def test_what_does_not_go_with_it_is_not_subtracted_from_it(change, why):
    unfit = replace(T1, **change)

    choice = choose_t1_pair([FLAIR, unfit, POST])

    said = f"no T1 before contrast agent goes with series 9 't1_se_tra_km': series 4 't1_se_tra': {why} (excluded)"
    assert choice == T1PairChoice(None, None, said)


def test_an_inversion_of_another_time_is_another_sequence():
    after = replace(POST, inversion_time_ms=900.0)

    said = {rule.name: rule.finding(replace(T1, inversion_time_ms=500.0)) for rule in rules_before(after)}

    assert said["other inversion time"] == "inversion time is 500 ms, not 900 ms"


def test_a_t1_with_contrast_agent_is_not_one_before_it():
    stamped = replace(T1, contrast_bolus_agent="Gadovist", acquired_at="20240131094500")

    assert candidate_by(rules_before(POST), stamped).is_excluded
    assert choose_t1_pair([FLAIR, replace(POST, series_instance_uid="first", acquired_at="20240131094500"), POST]) == (
        T1PairChoice(
            None, None, "none of 3 series is a T1 before contrast agent; series 9 't1_se_tra_km' is one after it"
        )
    )


def test_two_before_it_are_not_chosen_between_for_the_later_may_be_one_after_it():
    twin = replace(T1, series_instance_uid="twin", series_number=6, acquired_at="20240131094800", slice_count=30)

    assert choose_t1_pair([T1, twin, POST]).reason == (
        "series 4 't1_se_tra' and series 6 't1_se_tra' are equally good as the T1 before contrast agent of series 9 "
        "'t1_se_tra_km'"
    )
    assert chosen(T1, replace(twin, is_complete=False), POST) == PAIR


def test_another_t1_after_it_is_taken_when_the_best_has_none_before():
    prepared = {"scanning_sequence": ("GR", "IR"), "repetition_time_ms": 2000.0, "inversion_time_ms": 900.0}
    volume = {**prepared, "echo_time_ms": 3.0, "image_orientation_patient": SAGITTAL, "spacing_mm": (1.0, 1.0, 1.0)}
    before = replace(T1, series_instance_uid="mprage", series_description="t1_mprage_sag", **volume)
    after = replace(POST, series_instance_uid="mprage km", series_description="t1_mprage_sag_km", **volume)

    assert chosen(FLAIR, before, after, POST) == ("mprage", "mprage km")


def test_without_contrast_agent_there_is_no_pair():
    assert choose_t1_pair([FLAIR, T1]).reason == "none of 2 series is a T1 after contrast agent"
    assert choose_t1_pair([]).reason == "none of 0 series is a T1 after contrast agent"


@given(strategies.permutations([FLAIR, T1, POST, replace(POST, series_instance_uid="s", slice_count=20)]))
def test_the_order_of_the_series_does_not_matter(series):
    assert chosen(*series) == PAIR
