"""A slice as a reader expects it, whichever way its rows and columns were stored."""

import numpy as np
import pytest

from plaqueview.imaging.overlay_picture import upright

SLICE = np.array([[1, 2], [3, 4]], np.uint8)


def affine_of(*axes: tuple[float, float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """LPS steps of slices, rows and columns as a matrix."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(axes).T
    return affine


HEADWARDS, BACKWARDS, LEFTWARDS = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)
FORWARDS, RIGHTWARDS = (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("axes", "shown"),
    [
        ((HEADWARDS, BACKWARDS, LEFTWARDS), [[1, 2], [3, 4]]),
        ((HEADWARDS, FORWARDS, LEFTWARDS), [[3, 4], [1, 2]]),
        ((HEADWARDS, BACKWARDS, RIGHTWARDS), [[2, 1], [4, 3]]),
        ((HEADWARDS, FORWARDS, RIGHTWARDS), [[4, 3], [2, 1]]),
    ],
)
def test_an_axial_slice_is_shown_with_the_face_up_and_the_patients_right_at_the_left(
    axes: tuple[tuple[float, float, float], ...], shown: list[list[int]]
) -> None:
    assert upright(SLICE, affine_of(*axes)).tolist() == shown


def test_a_slice_of_another_plane_stays_as_it_was_stored() -> None:
    sagittal = affine_of(RIGHTWARDS, HEADWARDS, FORWARDS)

    assert upright(SLICE, sagittal).tolist() == SLICE.tolist()
