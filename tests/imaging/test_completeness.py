"""A series says what is wrong with its stack, from headers alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies

from plaqueview.imaging.completeness import Completeness, InstanceHeader, assess, plane_of
from plaqueview.imaging.slice_stack import SliceStackError, stack_slices
from tests.imaging.phantoms import AXIAL, CORONAL, SAGITTAL, affines


def slices(positions_mm, **attributes) -> list[InstanceHeader]:
    """An axial stack, instance i + 1 at z = positions_mm[i]."""
    plain = {
        "image_orientation_patient": AXIAL,
        "pixel_spacing": (0.8, 0.5),
        "rows": 256,
        "columns": 224,
        "slice_thickness": 5.0,
    }
    return [
        InstanceHeader(f"1.2.{at}", at, image_position_patient=(-100.0, -110.0, float(z)), **{**plain, **attributes})
        for at, z in enumerate(positions_mm, start=1)
    ]


def test_a_whole_stack_is_complete_in_any_order():
    stack = slices(np.arange(20) * 7.2)

    assert assess(stack) == Completeness(20, pytest.approx(7.2), ())
    assert assess(stack[::-1]) == assess(stack)


def test_positions_as_scanners_round_them_are_complete():
    jitter = np.random.default_rng(0).uniform(-0.004, 0.004, 20)

    assert assess(slices(np.arange(20) * 0.9 + jitter)).problems == ()


@pytest.mark.parametrize(
    ("positions_mm", "problem"),
    [
        (
            [0, 7.2, 14.4, 28.8, 36],
            "1 slice missing between instance 3 and instance 4: step 14.4 mm, expected 7.2 mm",
        ),
        (
            [0, 7.2, 14.4, 43.2, 50.4],
            "3 slices missing between instance 3 and instance 4: step 28.8 mm, expected 7.2 mm",
        ),
        (
            [0, 7.2, 14.4, 24, 31.2],
            "slices are unevenly spaced between instance 3 and instance 4: step 9.6 mm, expected 7.2 mm",
        ),
        (
            [0, 5, 5, 10, 15],
            "slices share a position (instance 2 and instance 3), need one slice at each place",
        ),
    ],
)
def test_the_problem_is_named_with_its_slices(positions_mm, problem):
    completeness = assess(slices(positions_mm))

    assert not completeness.is_complete
    assert completeness.slice_count == 5
    assert completeness.problems == (problem,)
    with pytest.raises(SliceStackError) as refused:
        stack_slices(slices(positions_mm))
    assert str(refused.value) == problem


def test_every_gap_is_named():
    assert assess(slices([0, 5, 15, 20, 30, 35])).problems == (
        "1 slice missing between instance 2 and instance 3: step 10 mm, expected 5 mm",
        "1 slice missing between instance 4 and instance 5: step 10 mm, expected 5 mm",
    )


@given(strategies.integers(4, 40), strategies.floats(0.5, 9.0), strategies.data())
def test_a_slice_taken_from_inside_is_always_missed(count, spacing_mm, data):
    stack = slices(np.arange(count) * spacing_mm)
    taken = data.draw(strategies.integers(1, count - 2))

    completeness = assess(stack[:taken] + stack[taken + 1 :])

    assert len(completeness.problems) == 1
    assert completeness.problems[0].startswith(f"1 slice missing between instance {taken} and instance {taken + 2}:")


def test_an_end_that_may_be_cut_off_is_a_remark_and_no_problem():
    completeness = assess(slices([0, 5, 10], images_in_acquisition=25))

    assert completeness.is_complete
    assert completeness.remarks == (
        "the header announces 25 images in the acquisition, 3 are here: an end may be cut off",
    )


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        (
            {"echo_time_ms": 90.0},
            "echo times 10.0 and 90.0 ms",
        ),
        (
            {"acquisition_number": 2},
            "acquisitions 1 and 2",
        ),
        (
            {"image_type": ("ORIGINAL", "PRIMARY", "P")},
            "image types ORIGINAL/PRIMARY/M and ORIGINAL/PRIMARY/P",
        ),
    ],
)
def test_two_volumes_in_one_series_are_told_apart(attributes, cause):
    plain = {"echo_time_ms": 10.0, "acquisition_number": 1, "image_type": ("ORIGINAL", "PRIMARY", "M")}
    first = slices([0, 5], **plain)
    second = [replace(one, sop_instance_uid=f"{one.sop_instance_uid}.2", **attributes) for one in first]

    pairs = "(instance 1 and instance 1, instance 2 and instance 2)"
    assert assess(first + second).problems == (
        f"slices share a position {pairs}: it holds {cause}, need one slice at each place",
    )


def test_many_shared_positions_are_counted():
    first = slices(np.arange(10) * 5)
    second = [replace(one, sop_instance_uid=f"{one.sop_instance_uid}.2") for one in first]

    assert " and 4 more pairs)" in assess(first + second).problems[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"image_orientation_patient": SAGITTAL},
            "slices lie in more than one orientation (3 axial, 1 sagittal), need one",
        ),
        ({"rows": 512}, "slices have more than one matrix (3 of 256 x 224, 1 of 512 x 224), need one"),
        (
            {"pixel_spacing": (0.8, 0.6)},
            "slices have more than one PixelSpacing (3 of (0.8, 0.5) mm, 1 of (0.8, 0.6) mm), need one",
        ),
        ({"image_position_patient": None}, "ImagePositionPatient is missing or unusable at instance 4"),
        ({"image_orientation_patient": None}, "ImageOrientationPatient is missing or unusable at instance 4"),
        (
            {"image_orientation_patient": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)},
            "ImageOrientationPatient is missing or unusable at instance 4",
        ),
        ({"pixel_spacing": (0.8, 0.0)}, "PixelSpacing is missing or unusable at instance 4"),
        ({"rows": None}, "Rows and Columns is missing or unusable at instance 4"),
        ({"number_of_frames": 24}, "an instance announces 24 frames and describes 1, need as many"),
        (
            {"image_position_patient": (-90.0, -110.0, 15.0)},
            "instance 3 lies 6.67 mm beside the line of the others, need a straight stack",
        ),
    ],
)
def test_one_slice_that_does_not_fit_is_a_problem(change, problem):
    stack = slices([0, 5, 10, 15])
    stack[3] = replace(stack[3], **change)

    assert assess(stack).problems == (problem,)


def test_no_slices_are_a_problem():
    assert assess([]) == Completeness(0, None, ("the series has no slices, need at least one",))


def test_a_single_slice_has_the_spacing_of_its_header_or_is_refused():
    assert assess(slices([5.0])).slice_spacing_mm == 5.0
    assert assess(slices([5.0], spacing_between_slices=6.5)).slice_spacing_mm == 6.5
    assert assess(slices([5.0], slice_thickness=None)).problems == (
        "a single slice needs SpacingBetweenSlices or SliceThickness, and has neither",
    )
    assert stack_slices(slices([5.0])).affine[:3, 0].tolist() == [0.0, 0.0, 5.0]


def test_the_affine_places_the_voxels_as_the_standard_says():
    stack = stack_slices(slices([10.0, 5.0, 0.0]))

    assert stack.shape == (3, 256, 224)
    assert [header.instance_number for header in stack.headers] == [3, 2, 1]
    assert stack.affine.tolist() == [[0, 0, 0.5, -100], [0, 0.8, 0, -110], [5, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("orientation", "plane", "axis"), [(AXIAL, "axial", 2), (CORONAL, "coronal", 1), (SAGITTAL, "sagittal", 0)]
)
@pytest.mark.parametrize("direction", [1, -1])
def test_slices_ascend_to_the_head_the_back_or_the_left(orientation, plane, axis, direction):
    positions = np.zeros((4, 3))
    positions[:, axis] = direction * np.arange(4) * 3.0
    stack = [
        replace(one, image_position_patient=tuple(position), image_orientation_patient=orientation)
        for one, position in zip(slices(range(4)), positions, strict=True)
    ]

    ordered = stack_slices(stack)

    assert plane_of(orientation) == plane
    assert ordered.affine[axis, 0] == 3.0
    assert [header.instance_number for header in ordered.headers] == ([1, 2, 3, 4] if direction > 0 else [4, 3, 2, 1])


@given(affines(), strategies.integers(2, 6))
def test_any_oblique_stack_has_the_affine_that_placed_it(affine, count):
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    stack = [
        InstanceHeader(
            f"1.{at}",
            at,
            image_position_patient=tuple(affine[:3, 3] + at * affine[:3, 0]),
            image_orientation_patient=(*(affine[:3, 2] / spacing[2]), *(affine[:3, 1] / spacing[1])),
            pixel_spacing=(spacing[1], spacing[2]),
            rows=4,
            columns=5,
        )
        for at in range(count)
    ]

    ordered = stack_slices(stack)

    is_reversed = ordered.headers[0].instance_number != 0
    expected = affine.copy()
    if is_reversed:
        expected[:3, 3] += (count - 1) * affine[:3, 0]
        expected[:3, 0] *= -1
    assert np.allclose(ordered.affine, expected, atol=1e-6)
