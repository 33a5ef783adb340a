"""The T1 after contrast agent is found by stated rules; a FLAIR is never taken for it, and nobody guesses."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies

from plaqueview.imaging.post_contrast import RULES, PostContrastChoice, choose_post_contrast_t1
from plaqueview.imaging.series_choice import SeriesHeader, candidate_by
from tests.imaging.phantoms import AXIAL, SAGITTAL

T1 = SeriesHeader(
    "t1",
    series_number=4,
    series_description="t1_se_tra",
    scanning_sequence=("SE",),
    echo_time_ms=9.0,
    repetition_time_ms=550.0,
    image_orientation_patient=AXIAL,
    slice_count=25,
)
POST = replace(T1, series_instance_uid="post", series_number=9, series_description="t1_se_tra_km")
FLAIR = SeriesHeader(
    "flair",
    series_number=3,
    series_description="t2_tirm_tra_dark-fluid",
    scanning_sequence=("SE", "IR"),
    inversion_time_ms=2500.0,
    echo_time_ms=90.0,
    repetition_time_ms=9000.0,
    image_orientation_patient=AXIAL,
    slice_count=25,
)


def chosen(*series: SeriesHeader) -> str | None:
    return choose_post_contrast_t1(series).series


@pytest.mark.parametrize(
    "description",
    [
        "t1_se_tra_km", "T1 TRA +C", "Ax T1 POST", "AX T1 SE POST GAD", "t1 gd axial", "T1W Gado", "t1_mprage+gd",
        "T1_CE", "t1 tse post contrast", "t1c", "SAG T1 MPRAGE POST", "T1 FLAIR + C",
    ],
)  # fmt: skip
def test_the_names_that_departments_use_are_understood(description):
    assert chosen(FLAIR, T1, replace(POST, series_description=description)) == "post"


def test_the_agent_in_the_header_is_enough():
    with_agent = replace(POST, series_description="t1_se_tra", contrast_bolus_agent="Gadovist 7.5 ml")

    assert chosen(FLAIR, T1, with_agent) == "post"


def test_timing_alone_says_t1():
    spin = replace(POST, series_description="post contrast")
    prepared = replace(spin, repetition_time_ms=2000.0, echo_time_ms=3.0, inversion_time_ms=900.0)
    proton = replace(spin, repetition_time_ms=2500.0, echo_time_ms=15.0)

    assert [chosen(spin), chosen(prepared), chosen(proton)] == ["post", "post", None]


@pytest.mark.parametrize(
    "other",
    [
        replace(FLAIR, contrast_bolus_agent="Gadovist", series_description="FLAIR post KM"),
        replace(FLAIR, contrast_bolus_agent="Gadovist", series_description="t2 flair +c"),
        replace(POST, series_description="t2_tse_tra_km", echo_time_ms=100.0, repetition_time_ms=4000.0),
        replace(POST, series_description="t1_se_tra_nativ", contrast_bolus_agent="Gadovist"),
        replace(POST, series_description="T1 pre contrast"),
        replace(POST, series_description="t1 ohne KM"),
        replace(POST, series_description="T1 without contrast"),
        replace(POST, series_description="t1_se_tra", contrast_bolus_agent="NONE"),
        replace(POST, series_description="t1_sub_km"),
        replace(POST, series_description="dce perfusion t1 gd"),
        replace(POST, series_description="TOF MRA post gd"),
        replace(POST, series_description="t1 spine post gd"),
        replace(POST, series_description="T1 posterior fossa"),
        replace(POST, image_type=("DERIVED", "SECONDARY", "MIP")),
        replace(POST, slice_count=3),
        replace(POST, modality="CT"),
        T1,
    ],
    ids=lambda header: header.series_description,
)
def test_what_is_none_is_not_taken(other):
    choice = choose_post_contrast_t1([FLAIR, other])

    assert choice == PostContrastChoice(None, "none of 2 series is a T1 after contrast agent")


def test_axial_and_whole_comes_first():
    sagittal = replace(POST, series_instance_uid="sagittal", image_orientation_patient=SAGITTAL, slice_count=160)
    incomplete = replace(POST, series_instance_uid="incomplete", is_complete=False, series_number=10)

    assert chosen(sagittal, POST, incomplete) == "post"
    assert chosen(sagittal, incomplete) == "sagittal"


def test_the_later_of_two_is_taken():
    early = replace(POST, acquired_at="20240131093000")
    late = replace(POST, series_instance_uid="late", acquired_at="20240131094000")

    assert chosen(early, late) == chosen(late, early) == "late"


def test_two_that_are_as_good_are_not_chosen_between():
    twin = replace(POST, series_instance_uid="twin")

    assert choose_post_contrast_t1([POST, twin]) == PostContrastChoice(
        None, "series 9 't1_se_tra_km' and series 9 't1_se_tra_km' are equally good as the T1 after contrast agent"
    )


def test_the_reason_is_for_a_reader():
    assert choose_post_contrast_t1([FLAIR, POST]).reason == (
        "series 9 't1_se_tra_km' is taken as the T1 after contrast agent: its name says 'km' (+30); its name says 't1' "
        "(+20); echo time 9 ms and repetition time 550 ms are T1-weighted (+20); slices are axial (+10)"
    )


def test_no_series_is_no_choice():
    assert chosen() is None


EXAMPLES = {
    "other modality": replace(POST, modality="CT"),
    "localizer by image type": replace(POST, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    "localizer by name": replace(POST, series_description="localizer km"),
    "map": replace(POST, image_type=("ORIGINAL", "PRIMARY", "P")),
    "few slices": replace(POST, slice_count=3),
    "flair": FLAIR,
    "other weighting": replace(POST, series_description="t2 km"),
    "other contrast": replace(POST, series_description="t1 perf km"),
    "projection": replace(POST, series_description="t1 km mip"),
    "mask": replace(POST, series_description="t1 km lesion mask"),
    "spine": replace(POST, body_part_examined="CSPINE"),
    "no T1": FLAIR,
    "before contrast": replace(POST, series_description="t1 nativ"),
    "no contrast agent": T1,
    "after contrast by name": POST,
    "contrast agent": replace(POST, contrast_bolus_agent="Dotarem"),
    "T1 by name": POST,
    "T1 by timing": POST,
    "axial": POST,
    "off axis": replace(POST, image_orientation_patient=SAGITTAL),
    "reformatted": replace(POST, image_type=("DERIVED", "SECONDARY", "MPR")),
    "incomplete": replace(POST, is_complete=False),
}


def test_every_rule_has_an_example_that_it_finds():
    assert list(EXAMPLES) == [rule.name for rule in RULES]
    for rule in RULES:
        assert rule.finding(EXAMPLES[rule.name]), rule.name


@given(strategies.permutations([FLAIR, T1, POST, replace(POST, series_instance_uid="s", slice_count=20)]))
def test_the_order_of_the_series_does_not_matter(series):
    assert chosen(*series) == "post"


def test_a_candidate_lists_its_findings():
    assert candidate_by(RULES, T1).reasons[0] == (
        "neither name nor header says that contrast agent was given (excluded)"
    )
