"""A protocol is held to what is recommended, and to the prior's; what a header does not say is not known."""

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from plaqueview.imaging.image_quality import ImageQuality
from plaqueview.imaging.protocol import (
    RECOMMENDED,
    TITLES,
    Acquisition,
    Check,
    Verdict,
    acquisition_of,
    check_protocol,
    compare_protocols,
)

GOOD = Acquisition(
    description="t2 flair",
    scanner_model="Acme One",
    serial_number="17",
    field_tesla=3.0,
    kind="3D",
    repetition_time_ms=5000.0,
    echo_time_ms=390.0,
    inversion_time_ms=1800.0,
    slice_thickness_mm=1.0,
    slice_spacing_mm=1.0,
    pixel_mm=(1.0, 1.0),
    matrix=(256, 256),
)
CLEAN = ImageQuality(noise=0.02, ghosting=0.01, edge_brain=0.0)
P, W, N = Verdict.PASSED, Verdict.WARNING, Verdict.NOT_KNOWN


def verdicts(flair: Acquisition | None, quality: ImageQuality | None = CLEAN) -> dict[Check, Verdict]:
    return {one.check: one.verdict for one in check_protocol(flair, quality)}


def test_a_protocol_as_recommended_passes_every_check():
    findings = check_protocol(GOOD, CLEAN)

    assert {one.verdict for one in findings} == {P}
    assert {one.check: one.found for one in findings} == {
        Check.FLAIR: "t2 flair",
        Check.FIELD_STRENGTH: "3 T",
        Check.ACQUISITION: "3D",
        Check.SLICE_THICKNESS: "1 mm",
        Check.SLICE_GAP: "0 mm",
        Check.IN_PLANE: "1 × 1 mm",  # noqa: RUF001
        Check.COVERAGE: "0.0%",
        Check.NOISE: "2.0%",
        Check.GHOSTING: "1.0%",
    }
    assert {one.check for one in findings} == set(RECOMMENDED)
    assert set(TITLES) == set(Check)


@pytest.mark.parametrize(
    ("changed", "check", "verdict"),
    [
        ({"field_tesla": 1.494}, Check.FIELD_STRENGTH, P),
        ({"field_tesla": 1.0}, Check.FIELD_STRENGTH, W),
        ({"field_tesla": 15000.0}, Check.FIELD_STRENGTH, N),
        ({"kind": "2D", "slice_thickness_mm": 3.0, "slice_spacing_mm": 3.0}, Check.SLICE_THICKNESS, P),
        ({"kind": "2D", "slice_thickness_mm": 5.0}, Check.SLICE_THICKNESS, W),
        ({"slice_thickness_mm": 3.0}, Check.SLICE_THICKNESS, W),
        ({"slice_thickness_mm": 1.5, "slice_spacing_mm": 0.75}, Check.SLICE_THICKNESS, P),
        ({"slice_thickness_mm": 1.5, "slice_spacing_mm": 1.5}, Check.SLICE_THICKNESS, W),
        ({"kind": "", "slice_thickness_mm": 1.0}, Check.SLICE_THICKNESS, P),
        ({"kind": "", "slice_thickness_mm": 2.0}, Check.SLICE_THICKNESS, N),
        ({"kind": "", "slice_thickness_mm": 5.0}, Check.SLICE_THICKNESS, W),
        ({"slice_thickness_mm": 5.0, "slice_spacing_mm": 5.6}, Check.SLICE_GAP, W),
        ({"slice_thickness_mm": 5.0, "slice_spacing_mm": 5.02}, Check.SLICE_GAP, P),
        ({"pixel_mm": (0.9, 1.2)}, Check.IN_PLANE, W),
        ({"pixel_mm": (1.0156, 1.0156)}, Check.IN_PLANE, P),
    ],
)
def test_each_limit_is_the_recommended_one(changed, check, verdict):
    assert verdicts(replace(GOOD, **changed))[check] == verdict


def test_what_a_header_does_not_say_is_not_known_and_never_guessed():
    found = check_protocol(Acquisition(description="brain.nii.gz", slice_spacing_mm=3.0), None)

    assert {one.check: one.verdict for one in found} == {Check.FLAIR: P} | dict.fromkeys(
        set(RECOMMENDED) - {Check.FLAIR}, N
    )
    assert {one.found for one in found} == {"brain.nii.gz", ""}


def test_what_was_measured_passes_up_to_its_limit():
    measured = verdicts(GOOD, ImageQuality(noise=0.051, ghosting=None, edge_brain=0.41))

    assert (measured[Check.NOISE], measured[Check.GHOSTING], measured[Check.COVERAGE]) == (W, N, W)


def test_a_study_without_a_flair_is_told_only_that():
    assert verdicts(None) == {Check.FLAIR: W}


def test_a_protocol_differs_from_the_prior_where_a_number_is_more_than_a_twentieth_off():
    prior = replace(GOOD, repetition_time_ms=5200.0, echo_time_ms=350.0, serial_number="18", matrix=(256, 240))

    found = {one.check: (one.found, one.prior, one.verdict) for one in compare_protocols(GOOD, prior)}

    assert found[Check.ECHO_TIME] == ("390 ms", "350 ms", W)
    assert found[Check.SCANNER] == ("17", "18", W)
    assert found[Check.MATRIX] == ("256 × 256", "256 × 240", W)  # noqa: RUF001
    assert {check for check, (_, _, verdict) in found.items() if verdict == P} == {
        Check.SCANNER_MODEL, Check.FIELD_STRENGTH, Check.ACQUISITION, Check.REPETITION_TIME, Check.INVERSION_TIME,
        Check.SLICE_THICKNESS, Check.SLICE_SPACING, Check.IN_PLANE,
    }  # fmt: skip


def test_against_a_prior_that_says_nothing_nothing_is_known():
    found = compare_protocols(GOOD, Acquisition())

    assert {one.verdict for one in found} == {N}
    assert {one.prior for one in found} == {""}


def test_exchanging_the_visits_changes_no_verdict():
    prior = replace(GOOD, echo_time_ms=350.0, inversion_time_ms=None)

    there, back = compare_protocols(GOOD, prior), compare_protocols(prior, GOOD)

    assert [one.verdict for one in there] == [one.verdict for one in back]
    assert [one.found for one in there] == [one.prior for one in back]


def test_a_header_is_read_as_it_stands_and_zero_says_nothing():
    header = Dataset()
    header.Manufacturer, header.ManufacturerModelName = "Acme", "One"
    header.MagneticFieldStrength, header.MRAcquisitionType = 1.5, "2D"
    header.RepetitionTime, header.InversionTime, header.SliceThickness = 9000.0, 0.0, 5.0

    found = acquisition_of(header, slice_spacing_mm=6.0, pixel_mm=(0.9, 0.9), matrix=(256, 256))

    assert found == Acquisition(
        scanner_model="Acme One",
        field_tesla=1.5,
        kind="2D",
        repetition_time_ms=9000.0,
        slice_thickness_mm=5.0,
        slice_spacing_mm=6.0,
        pixel_mm=(0.9, 0.9),
        matrix=(256, 256),
    )
