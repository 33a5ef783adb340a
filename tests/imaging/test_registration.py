"""Heads that were turned and shifted by known amounts are found again, and what is no pair is refused."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inference_worker.synthesis.person import Person, earlier
from inference_worker.synthesis.scanner import Pose, Slices
from inference_worker.synthesis.study import SynthesisRequest, acquire, draw_patient
from plaqueview.imaging.registration import RegistrationError, register_rigidly
from plaqueview.imaging.volume import GeometryError, Volume
from tests.imaging.phantoms import rotated

FIVE_MM = Slices(count=22, rows=128, columns=128, pixel_mm=(1.8, 1.8), thickness_mm=5.0, spacing_mm=6.0)
THREE_MM = Slices(count=44, rows=128, columns=128, pixel_mm=(1.8, 1.8), thickness_mm=2.6, spacing_mm=3.0)
SEVEN_MM = replace(FIVE_MM, count=19, thickness_mm=6.5, spacing_mm=7.0, pitch_degrees=-8.0)
ONE_MM = Slices(count=140, rows=168, columns=168, pixel_mm=(1.3, 1.3), thickness_mm=1.0, spacing_mm=1.0)

# Places in and around the brain, mm in the head's own space.
LANDMARKS = np.array([[x, y, z] for x in (-50, 0, 50) for y in (-70, -10, 50) for z in (-20, 20, 60)], np.float64)


@pytest.fixture(scope="module")
def person() -> Person:
    return draw_patient(SynthesisRequest(), np.random.default_rng(5))


@pytest.fixture(scope="module")
def five_mm(person) -> Volume:
    return taken(FIVE_MM, person)


def taken(slices: Slices, person: Person) -> Volume:
    return acquire(slices, person, np.random.default_rng(0)).flair


def before(person: Person, *, degrees, shift_mm) -> Person:
    """The person some months ago, with fewer plaques, the head turned by Euler angles and shifted, LPS."""
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    pose = Pose(person.pose.matrix @ turn, person.pose.offset + person.pose.matrix @ np.array(shift_mm, np.float64))
    return replace(earlier(person, np.random.default_rng(1)), pose=pose)


def moved(points_mm: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return points_mm @ matrix[:3, :3].T + matrix[:3, 3]


def landmark_errors_mm(matrix: NDArray[np.float64], now: Person, then: Person) -> NDArray[np.float64]:
    expected = then.pose.to_patient(LANDMARKS)
    return np.linalg.norm(moved(now.pose.to_patient(LANDMARKS), matrix) - expected, axis=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slices", "degrees", "shift_mm"),
    [(THREE_MM, (5, -4, 8), (4, -6, 5)), (SEVEN_MM, (-15, 6, 10), (8, 5, -10)), (FIVE_MM, (0, 0, 20), (-20, 12, 0))],
)
def test_thick_slices_are_brought_onto_each_other(person, five_mm, slices, degrees, shift_mm):
    then = before(person, degrees=degrees, shift_mm=shift_mm)

    found = register_rigidly(five_mm, taken(slices, then))

    assert landmark_errors_mm(found.matrix, person, then).max() < 1.5
    assert found.similarity > max(0.85, found.similarity_before)
    assert found.overlap > 0.8


@pytest.mark.slow
def test_thin_slices_are_brought_onto_each_other_within_a_millimetre(person):
    then = before(person, degrees=(-12, 10, -12), shift_mm=(5, 7, -9))

    found = register_rigidly(taken(ONE_MM, person), taken(ONE_MM, then))

    assert landmark_errors_mm(found.matrix, person, then).max() < 1.0


def test_a_volume_lies_on_itself(five_mm):
    found = register_rigidly(five_mm, five_mm)

    corners = five_mm.positions_mm(np.array([[0, 0, 0], [21, 127, 127]]))
    assert moved(corners, found.matrix) == pytest.approx(corners, abs=0.2)
    assert found.similarity_before == pytest.approx(1.0)
    assert found.similarity == pytest.approx(1.0, abs=2e-3)


def test_the_same_input_gives_the_same_matrix_and_it_is_rigid(person, five_mm):
    other = Volume(five_mm.voxels, rotated(five_mm.affine, 7.0))

    first, second = register_rigidly(five_mm, other), register_rigidly(five_mm, other)

    assert first.matrix.tolist() == second.matrix.tolist()
    assert first.matrix[:3, :3] @ first.matrix[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(first.matrix[:3, :3]) == pytest.approx(1.0)
    assert first.matrix[3].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_another_table_position_does_not_matter(five_mm):
    far = five_mm.affine.copy()
    far[:3, 3] += (300.0, -200.0, 500.0)

    found = register_rigidly(five_mm, Volume(five_mm.voxels, far))

    assert found.matrix[:3, 3] == pytest.approx([300.0, -200.0, 500.0], abs=0.5)


def test_a_brain_mask_keeps_the_neck_out_of_it(five_mm):
    """The lower third of the slices is moved by 18 mm, as jaw and neck are; the brain is not."""
    voxels = five_mm.voxels.copy()
    voxels[:7] = np.roll(voxels[:7], 10, axis=1)
    k, row, column = np.ogrid[:22, :128, :128]
    brain = (((row - 64) / 41) ** 2 + ((column - 64) / 35) ** 2 < 1) & (k >= 7)

    found = register_rigidly(five_mm, five_mm.with_voxels(voxels), fixed_brain=brain, moving_brain=brain)

    points = five_mm.positions_mm(np.array([[8, 40, 40], [14, 86, 86]]))
    assert moved(points, found.matrix) == pytest.approx(points, abs=0.3)


def noise(like: Volume) -> Volume:
    return like.with_voxels(np.random.default_rng(0).normal(100.0, 20.0, like.shape).astype(np.float32))


def upside_down(like: Volume) -> Volume:
    return like.with_voxels(like.voxels[::-1].copy())


def a_few_slices(like: Volume) -> Volume:
    return Volume(like.voxels[:5], like.affine)


def empty(like: Volume) -> Volume:
    return like.with_voxels(np.zeros_like(like.voxels))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (noise, "they do not look like the same head"),
        (upside_down, "they do not look like the same head"),
        (a_few_slices, "of the head lies within the prior's slices"),
        (empty, "every voxel has the same value"),
    ],
)
def test_nonsense_is_refused_by_name(five_mm, make, reason):
    with pytest.raises(RegistrationError, match=reason):
        register_rigidly(five_mm, make(five_mm))


def test_a_mask_of_another_grid_is_refused(five_mm):
    with pytest.raises(GeometryError, match="the grid needs"):
        register_rigidly(five_mm, five_mm, fixed_brain=np.ones((3, 3, 3), bool))


def test_the_web_never_loads_it():
    """264 MB of libraries stay with the worker."""
    check = "import django, sys; django.setup(); import plaqueview.urls; print('SimpleITK' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "False"
