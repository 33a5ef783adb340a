"""The command that finds changes, and the score against an expert's."""

import json

import numpy as np
import pytest

from inference_worker.__main__ import main
from inference_worker.change_finding import ChangeScore, score
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine
from tests.worker.support import head_volume

GRID = axial_affine((3.0, 1.0, 1.0))
SHAPE = (12, 96, 96)
SPACING_MM = (8.0, 2.2, 2.2)
SHIFT_MM = (6.0, -4.0, 9.0)
WAYS = {"lesions_compared", "brightened", "either"}


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """Two pictures of one head; at the prior the table stood elsewhere. No expert saw a change."""
    folder = tmp_path_factory.mktemp("visits")
    head = head_volume(SHAPE, SPACING_MM)
    shifted = head.affine.copy()
    shifted[:3, 3] += SHIFT_MM
    write_volume_nifti(folder / "prior.nii.gz", Volume(head.voxels, shifted))
    write_volume_nifti(folder / "current.nii.gz", head)
    write_volume_nifti(folder / "truth.nii.gz", head.with_voxels(np.zeros(SHAPE, np.uint8)))
    return folder


def test_changes_registers_compares_and_scores(visits, tmp_path, capsys):
    status = run(
        "changes", visits / "prior.nii.gz", visits / "current.nii.gz", "--truth", visits / "truth.nii.gz",
        "--output", tmp_path / "found.nii.gz", "--threads", 1,
    )  # fmt: skip

    printed = json.loads(capsys.readouterr().out)
    found = read_volume_nifti(tmp_path / "found.nii.gz")
    assert status == 0
    assert printed["similarity"] > 0.8
    assert (found.voxels >= 2).sum() == printed["brightened_voxels"]
    np.testing.assert_allclose(found.affine, read_volume_nifti(visits / "current.nii.gz").affine)
    assert set(printed["scores"]) == WAYS
    assert [(one["expert_lesions"], one["sensitivity"]) for one in printed["scores"].values()] == [(0, None)] * 3
    assert printed["notice"] == "Research use only, not a medical device."


@pytest.mark.parametrize(
    ("voxels", "reason"),
    [
        (np.zeros((2, 3, 4), np.uint8), "truth has shape (2, 3, 4) or another place, need the grid (12, 96, 96)"),
        (np.full(SHAPE, 4, np.uint8), "truth holds 4 to 4, need 0, 1, 2 and 3"),
    ],
)
def test_changes_refuses_a_truth_that_is_none_before_it_begins(visits, tmp_path, capsys, voxels, reason):
    affine = read_volume_nifti(visits / "current.nii.gz").affine
    write_volume_nifti(tmp_path / "truth.nii.gz", Volume(voxels, affine))

    status = run(
        "changes", visits / "prior.nii.gz", visits / "current.nii.gz", "--truth", tmp_path / "truth.nii.gz"
    )  # fmt: skip

    assert (status, capsys.readouterr().err) == (1, f"changes: {reason}\n")


def test_the_score_counts_lesions_and_not_voxels():
    """Rows of one slice: found, missed, under the minimum, found too little of, shrinking, open, and nothing."""
    truth = np.zeros((1, 16, 40), np.uint8)
    mask = np.zeros(truth.shape, np.bool_)
    truth[0, 0, :10], mask[0, 0, 8:12] = 1, True
    truth[0, 2, :10] = 1
    truth[0, 4, :4], mask[0, 4, :4] = 1, True
    truth[0, 6, :30], mask[0, 6, 28:60] = 1, True
    truth[0, 8, :10], mask[0, 8, :10] = 2, True
    truth[0, 10, :10], mask[0, 10, :10] = 3, True
    mask[0, 12, :10] = True
    truth[0, 14, :30], mask[0, 14, 29:40] = 1, True

    found = score(mask, Volume(truth, GRID), minimum_volume_mm3=15.0)

    # 3 mm³ a voxel; the last one shares 1 of 11 voxels, which is less than a tenth of the smaller
    assert found == ChangeScore(expert_lesions=4, expert_lesions_found=2, findings=7, findings_right=5)


def test_a_share_of_nothing_is_none():
    nothing = ChangeScore(0, 0, 0, 0).figures()

    assert (nothing["sensitivity"], nothing["precision"]) == (None, None)
