"""The FLAIR is found by stated rules, and what is no FLAIR is never taken."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies

from plaqueview.imaging.series_choice import RULES, SeriesHeader, choose_flair
from tests.imaging.phantoms import AXIAL, CORONAL, SAGITTAL

# A series that no rule finds anything in: MR, enough slices, not axial, no name, no timing.
PLAIN = SeriesHeader("1", slice_count=25, image_orientation_patient=SAGITTAL)

FLAIR = SeriesHeader(
    "flair",
    series_number=3,
    series_description="t2_tirm_tra_dark-fluid_5mm",
    scanning_sequence=("SE", "IR"),
    inversion_time_ms=2500.0,
    echo_time_ms=90.0,
    repetition_time_ms=9000.0,
    image_type=("ORIGINAL", "PRIMARY", "M", "ND", "NORM"),
    image_orientation_patient=AXIAL,
    slice_count=25,
)

# Each rule with series it applies to and the sentence that a reader then sees.
EXAMPLES = {
    "other modality": [
        (replace(PLAIN, modality="CT"), "modality is CT, need MR (excluded)"),
        (replace(PLAIN, modality=""), "modality is not given, need MR (excluded)"),
    ],
    "localizer by image type": [
        (replace(PLAIN, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")), "image type says LOCALIZER (excluded)"),
    ],
    "localizer by name": [
        (replace(PLAIN, series_description="AAHead_Scout_MPR"), "its name says 'scout': a localizer (excluded)"),
        (replace(PLAIN, series_description="3-Plane Loc"), "its name says '3 plane': a localizer (excluded)"),
        (replace(PLAIN, series_description="Survey_SHC"), "its name says 'survey': a localizer (excluded)"),
    ],
    "map": [
        (replace(PLAIN, image_type=("DERIVED", "PRIMARY", "DIFFUSION", "ADC")), "image type says DIFFUSION (excluded)"),
        (replace(PLAIN, image_type=("ORIGINAL", "PRIMARY", "P", "ND")), "image type says P (excluded)"),
    ],
    "few slices": [(replace(PLAIN, slice_count=3), "3 slices, need at least 8 (excluded)")],
    "inversion time of another sequence": [
        (
            replace(PLAIN, inversion_time_ms=150.0),
            "inversion time 150 ms nulls fat, as STIR does; need 1300 to 3500 ms (excluded)",
        ),
        (
            replace(PLAIN, inversion_time_ms=860.0),
            "inversion time 860 ms nulls another tissue than fluid; need 1300 to 3500 ms (excluded)",
        ),
    ],
    "short echo time": [
        (replace(PLAIN, echo_time_ms=9.4), "echo time 9.4 ms is not T2-weighted, need at least 50 ms (excluded)")
    ],
    "short repetition time": [
        (
            replace(PLAIN, repetition_time_ms=2000.0),
            "repetition time 2000 ms is too short for a FLAIR, need at least 3000 ms (excluded)",
        )
    ],
    "other weighting": [
        (replace(PLAIN, series_description="t1_mprage_sag"), "its name says 't1': another weighting (excluded)"),
        (replace(PLAIN, series_description="Ax T1 FLAIR"), "its name says 't1': another weighting (excluded)"),
        (
            replace(PLAIN, series_description="T2w.nii", is_nifti=True),
            "its name says 't2': another weighting (excluded)",
        ),
    ],
    "other contrast": [
        (replace(PLAIN, series_description="SWI_Images"), "its name says 'swi': another contrast (excluded)"),
        (replace(PLAIN, series_description="pd_tse.nii"), "its name says 'pd': another contrast (excluded)"),
        (replace(PLAIN, series_description="ep2d_diff_3scan"), "its name says 'ep2d': another contrast (excluded)"),
    ],
    "other inversion recovery": [
        (replace(PLAIN, series_description="STIR cor"), "its name says 'stir': another inversion recovery (excluded)"),
        (replace(PLAIN, series_description="t2_spc_DIR"), "its name says 'dir': another inversion recovery (excluded)"),
    ],
    "projection": [(replace(PLAIN, series_description="FLAIR MIP"), "its name says 'mip': a projection (excluded)")],
    "mask": [
        (
            replace(PLAIN, series_description="flair_lesion.nii"),
            "its name says 'lesion': a mask, not an acquisition (excluded)",
        ),
        (replace(PLAIN, series_description="brainmask"), "its name says 'mask': a mask, not an acquisition (excluded)"),
        (replace(PLAIN, series_description="flair-seg"), "its name says 'seg': a mask, not an acquisition (excluded)"),
        (replace(PLAIN, series_description="labels"), "its name says 'label': a mask, not an acquisition (excluded)"),
    ],
    "spine": [
        (
            replace(PLAIN, series_description="t2_tirm_sag_c-spine"),
            "its name or body part says 'spine': not a head (excluded)",
        ),
        (replace(PLAIN, body_part_examined="TSPINE"), "its name or body part says 'spine': not a head (excluded)"),
    ],
    "flair by name": [
        (replace(PLAIN, series_description="3D_Brain_VIEW_FLAIR_SHC"), "its name says 'flair': FLAIR (+50)"),
        (replace(PLAIN, series_description="t2_tirm_tra_dark-fluid"), "its name says 'dark fluid': FLAIR (+50)"),
        (replace(PLAIN, series_description="t2_spc_da-fl_sag_p2_iso"), "its name says 'da fl': FLAIR (+50)"),
        (replace(PLAIN, series_description="SPACE DarkFluid"), "its name says 'darkfluid': FLAIR (+50)"),
        (replace(PLAIN, protocol_name="CUBE T2-FLAIR"), "its name says 'flair': FLAIR (+50)"),
    ],
    "NIfTI": [
        (
            replace(PLAIN, is_nifti=True),
            "a NIfTI file has no sequence attributes: uploading it declares it a FLAIR (+50)",
        )
    ],
    "fluid nulled": [(replace(PLAIN, inversion_time_ms=1650.0), "inversion time 1650 ms nulls fluid (+30)")],
    "inversion recovery": [
        (replace(PLAIN, scanning_sequence=("SE", "IR")), "scanning sequence is SE/IR: inversion recovery (+10)"),
        (replace(PLAIN, sequence_name="*spcir_242ns"), "sequence name is *spcir_242ns: inversion recovery (+10)"),
        (replace(PLAIN, series_description="t2_tirm_tra"), "its name says 'tirm': inversion recovery (+10)"),
    ],
    "long echo time": [(replace(PLAIN, echo_time_ms=90.0), "echo time 90 ms is T2-weighted (+10)")],
    "long repetition time": [
        (replace(PLAIN, repetition_time_ms=9000.0), "repetition time 9000 ms is as long as a FLAIR needs (+10)")
    ],
    "axial": [(replace(PLAIN, image_orientation_patient=AXIAL), "slices are axial (+10)")],
    "reformatted": [
        (
            replace(PLAIN, image_type=("DERIVED", "SECONDARY", "MPR")),
            "image type says DERIVED/SECONDARY/MPR: computed from another series (-15)",
        )
    ],
    "contrast agent": [
        (replace(PLAIN, contrast_bolus_agent="Gadovist"), "contrast agent given: Gadovist (-10)"),
        (replace(PLAIN, series_description="Ax +C"), "its name says 'post contrast': taken after contrast agent (-10)"),
        (replace(PLAIN, series_description="tra_KM"), "its name says 'km': taken after contrast agent (-10)"),
    ],
    "incomplete": [(replace(PLAIN, is_complete=False), "slices are missing or do not fit together (-30)")],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_speaks_where_it_applies_and_only_there(rule):
    assert rule.finding(PLAIN) is None
    for header, sentence in EXAMPLES[rule.name]:
        (candidate,) = choose_flair([header]).candidates
        assert sentence in candidate.reasons
        assert candidate.is_excluded or rule.points is not None


def test_the_examples_name_the_rules_one_by_one():
    assert sorted(EXAMPLES) == sorted(rule.name for rule in RULES)


def test_no_rule_excludes_a_typical_flair():
    (candidate,) = choose_flair([FLAIR]).candidates

    assert candidate.score == 50 + 30 + 10 + 10 + 10 + 10
    assert not candidate.is_excluded


def described(description: str, **attributes) -> SeriesHeader:
    return replace(PLAIN, series_instance_uid=description, series_description=description, **attributes)


T2 = described("t2_tse_tra", echo_time_ms=100.0, repetition_time_ms=6000.0, image_orientation_patient=AXIAL)
T1_FLAIR = described(
    "Ax T1 FLAIR", scanning_sequence=("SE", "IR"), inversion_time_ms=780.0, echo_time_ms=10.0, repetition_time_ms=1900.0
)
STIR = described(
    "t2_tirm_cor", scanning_sequence=("SE", "IR"), inversion_time_ms=150.0, echo_time_ms=60.0, repetition_time_ms=5000.0
)
MPRAGE = described("t1_mprage_sag", scanning_sequence=("GR", "IR"), inversion_time_ms=900.0, echo_time_ms=2.3)
PSIR = described("PSIR", scanning_sequence=("SE", "IR"), inversion_time_ms=400.0, echo_time_ms=12.0)
DIR = described("t2_spc_dir_sag", inversion_time_ms=3000.0, echo_time_ms=310.0, repetition_time_ms=7500.0)
DWI = described("ep2d_diff_3scan_trace", echo_time_ms=90.0, repetition_time_ms=5000.0)
LOCALIZER = described("localizer", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"), slice_count=9)
TIRM_WITHOUT_TIMING = described("t2_tirm_tra", scanning_sequence=("SE", "IR"), image_orientation_patient=AXIAL)


@pytest.mark.parametrize(
    "other", [T2, T1_FLAIR, STIR, MPRAGE, PSIR, DIR, DWI, LOCALIZER], ids=lambda one: one.series_description
)
def test_what_is_no_flair_is_not_taken_alone_nor_beside_one(other):
    assert choose_flair([other]).flair is None
    assert choose_flair([other, FLAIR]).flair == "flair"


def test_an_inversion_recovery_without_inversion_time_or_word_is_not_taken():
    timed = replace(TIRM_WITHOUT_TIMING, echo_time_ms=60.0, repetition_time_ms=5000.0)  # as a STIR is, too

    assert choose_flair([TIRM_WITHOUT_TIMING]).flair is None
    assert choose_flair([timed]).flair is None


@pytest.mark.parametrize(
    "header",
    [
        FLAIR,
        described("Ax FLAIR"),  # anonymised: the word alone
        replace(FLAIR, series_description="", series_instance_uid="timing alone"),
        described("T2 FLAIR SAG 3D", scanning_sequence=("SE", "IR"), inversion_time_ms=1650.0, echo_time_ms=390.0),
        described("t1 t2 flair", inversion_time_ms=2200.0, echo_time_ms=120.0),  # named after a whole protocol
        described("Ax FLAIR +C", contrast_bolus_agent="Dotarem"),
        described("Cor FLAIR", image_orientation_patient=CORONAL),
        described("visit1_space-T1_FLAIR.nii.gz", is_nifti=True),
        described("scan.nii", is_nifti=True),
    ],
    ids=lambda one: one.series_description or one.series_instance_uid,
)
def test_flairs_of_many_makers_are_taken(header):
    assert choose_flair([header, T2, MPRAGE, LOCALIZER]).flair == header.series_instance_uid


@pytest.mark.parametrize(
    "name",
    ["t1.nii", "sub-01_T1w.nii.gz", "T2.nii", "pd.nii", "dwi.nii.gz", "swi.nii", "flair_mask.nii", "lesion.nii.gz",
     "label.nii", "flair_seg.nii", "t1_post_gd.nii.gz", "brain_mask.nii.gz", "normal_wmh_lesions.nii",
     "ventricles.nii.gz", "change_expert.nii.gz", "normal_wmh.nii.gz"],
)  # fmt: skip
def test_a_nifti_that_names_itself_otherwise_is_not_taken(name):
    assert choose_flair([described(name, is_nifti=True)]).flair is None


def test_an_incomplete_flair_is_still_the_flair():
    incomplete = described("Ax FLAIR", is_complete=False)

    choice = choose_flair([incomplete, T2])

    assert choice.flair == "Ax FLAIR"
    assert choice.candidates[0].score == 20
    assert choice.candidates[0].evidence == 50


def twin(**attributes) -> SeriesHeader:
    return replace(FLAIR, series_instance_uid="better", **attributes)


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (replace(FLAIR, is_complete=False), twin(series_number=1)),
        (replace(FLAIR, image_orientation_patient=SAGITTAL), twin(series_number=1)),
        (replace(FLAIR, contrast_bolus_agent="Gadovist"), twin(series_number=1)),
        (replace(FLAIR, image_type=("DERIVED", "SECONDARY", "MPR")), twin(series_number=1)),
        (FLAIR, twin(slice_count=30)),
        (replace(FLAIR, acquired_at="20240131093000"), twin(acquired_at="20240131101500")),
        (FLAIR, twin(series_number=9)),
    ],
)
def test_of_two_flairs_the_better_is_taken_in_any_order(worse, better):
    assert choose_flair([worse, better]).flair == "better"
    assert choose_flair([better, worse]).flair == "better"


def test_flairs_without_a_difference_are_left_to_a_reader():
    choice = choose_flair([FLAIR, twin()])

    assert choice.flair is None
    assert choice.reason == (
        "series 3 't2_tirm_tra_dark-fluid_5mm' and series 3 't2_tirm_tra_dark-fluid_5mm' are equally good FLAIRs; "
        "a reader has to choose"
    )


def test_the_reason_names_the_series_its_points_and_the_next():
    sagittal = replace(FLAIR, series_instance_uid="sag", series_number=7, image_orientation_patient=SAGITTAL)

    assert choose_flair([FLAIR, sagittal, T2]).reason == (
        "series 3 't2_tirm_tra_dark-fluid_5mm' is taken as the FLAIR with 120 points; "
        "next is series 7 't2_tirm_tra_dark-fluid_5mm' with 110"
    )
    assert choose_flair([FLAIR, T2]).reason.endswith("with 120 points; no other series reaches 50")
    assert choose_flair([T2, MPRAGE]).reason == (
        "none of 2 series is a FLAIR; the nearest, series 't2_tse_tra', has 30 points of the 50 needed"
    )
    assert choose_flair([MPRAGE]).reason.endswith("'t1_mprage_sag', is excluded")
    assert choose_flair([]).reason == "the study has no series"


def test_every_series_is_listed_best_first_and_excluded_last():
    choice = choose_flair([LOCALIZER, T2, FLAIR, T1_FLAIR])

    assert [one.series_instance_uid for one in choice.candidates][:2] == ["flair", "t2_tse_tra"]
    assert [one.is_excluded for one in choice.candidates] == [False, False, True, True]


@given(strategies.permutations([FLAIR, T2, T1_FLAIR, STIR, MPRAGE, PSIR, DIR, DWI, LOCALIZER]))
def test_the_order_of_arrival_does_not_matter(series):
    choice = choose_flair(series)

    assert choice.flair == "flair"
    assert choice == choose_flair(series[::-1])


@pytest.mark.parametrize("orientation", [None, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)])
def test_an_orientation_that_is_none_is_not_axial(orientation):
    (candidate,) = choose_flair([replace(FLAIR, image_orientation_patient=orientation)]).candidates

    assert candidate.score == 110
