"""The command that finds the lesions which took up contrast agent."""

import json

import numpy as np
import pytest

from inference_worker.__main__ import main
from plaqueview.imaging.enhancement import SUGGESTION
from plaqueview.imaging.nifti import write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.worker.support import head_volume

SHAPE, SPACING_MM = (12, 96, 96), (8.0, 2.2, 2.2)
SHIFT_MM = (6.0, -4.0, 9.0)
TAKEN_UP, DARK = (slice(5, 7), slice(62, 67), slice(30, 35)), (slice(5, 7), slice(62, 67), slice(58, 63))


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """One head before the agent, while the table stood elsewhere, and after it; of two lesions one took it up."""
    folder = tmp_path_factory.mktemp("visit")
    head = head_volume(SHAPE, SPACING_MM)
    moved = head.affine.copy()
    moved[:3, 3] += SHIFT_MM
    after, lesions = head.voxels.copy(), np.zeros(SHAPE, np.uint8)
    after[TAKEN_UP] += np.asarray(0.6 * head.voxels.max(), after.dtype)
    lesions[TAKEN_UP] = lesions[DARK] = 1
    write_volume_nifti(folder / "flair.nii.gz", head)
    write_volume_nifti(folder / "before.nii.gz", Volume(head.voxels, moved))
    write_volume_nifti(folder / "after.nii.gz", head.with_voxels(after))
    write_volume_nifti(folder / "lesions.nii.gz", head.with_voxels(lesions))
    write_volume_nifti(folder / "elsewhere.nii.gz", Volume(lesions, moved))
    return folder


def run(visit, lesions: str) -> int:
    files = [str(visit / f"{name}.nii.gz") for name in ("flair", "before", "after", lesions)]
    return main(["enhancement", *files[:3], "--lesions", files[3], "--threads", "1"])


def test_the_lesion_that_took_up_the_agent_is_named_with_the_rule(visit, capsys):
    status = run(visit, "lesions")

    printed = json.loads(capsys.readouterr().out)
    (uptake,) = printed["uptakes"]
    slice_index, row, column = uptake["anchor"]
    assert status == 0
    assert (printed["lesions"], printed["enhancing"]) == (2, [uptake["lesion"]])
    assert 5 <= slice_index < 7
    assert (62 <= row < 67, 30 <= column < 35) == (True, True)
    assert printed["suggestion"] == SUGGESTION


def test_lesions_of_another_grid_are_refused_before_it_begins(visit, capsys):
    status = run(visit, "elsewhere")

    reason = "lesions have shape (12, 96, 96) or another place, need the grid (12, 96, 96)"
    assert (status, capsys.readouterr().err) == (1, f"enhancement: {reason}\n")
