"""What the brain mask keeps and how it agrees are shares that can be counted."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="needs the extra 'training'")

from inference_worker.__main__ import main
from inference_worker.mask_measures import MaskMeasure, measure_masks
from inference_worker.plots.brain_masks import COLUMNS, chosen_slices
from inference_worker.plots.preprocessing_steps import draw_steps, steps_of_three_slices
from inference_worker.preprocessing import Preprocessing
from plaqueview.imaging.nifti import write_volume_nifti
from tests.worker.support import head_volume


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def brain():
    return Preprocessing().prepare(head_volume()).brain_mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory, brain):
    """One study with a given mask of all slices but one and a lesion half outside, and one with two bare visits."""
    root = tmp_path_factory.mktemp("masks")
    flair = head_volume()
    for name in ("anna/flair", "berta/flair_visit1", "berta/flair_visit2"):
        (root / name).parent.mkdir(exist_ok=True)
        write_volume_nifti(root / f"{name}.nii.gz", flair)
    given, lesion = brain.copy(), np.zeros(brain.shape, np.uint8)
    given[4] = False
    lesion[4, 48, 46:48] = 1
    lesion[4, 0, 0:2] = 1
    write_volume_nifti(root / "anna" / "brain_mask.nii.gz", flair.with_voxels(given.astype(np.uint8)))
    write_volume_nifti(root / "anna" / "lesion.nii.gz", flair.with_voxels(lesion))
    return root


def test_every_flair_is_measured_against_what_lies_beside_it(folder, brain):
    given = int(brain.sum() - brain[4].sum())

    measures = [study.measure for study in measure_masks(folder)]

    assert measures == [
        MaskMeasure("anna", 0.5, pytest.approx(2 * given / (given + int(brain.sum()))), None),
        MaskMeasure("berta/flair_visit1", None, None, None),
        MaskMeasure("berta/flair_visit2", None, None, None),
    ]


def test_a_mask_that_fails_is_reported_and_not_measured(folder, tmp_path):
    (tmp_path / "clara").mkdir()
    write_volume_nifti(tmp_path / "clara" / "flair.nii.gz", head_volume().with_voxels(np.ones((8, 96, 96), np.float32)))

    (study,) = measure_masks(tmp_path)

    assert study.measure == MaskMeasure("clara", None, None, "the volume is constant at 1, need an image of a head")
    assert not study.brain_mask.any()


def test_the_lowest_and_the_highest_slices_are_shown():
    mask = np.zeros((12, 2, 2), bool)
    mask[1:12] = True

    assert chosen_slices(mask) == [0, 1, 2, 6, 10, 11, None]
    assert chosen_slices(np.zeros((13, 2, 2), bool)) == [0, 2, 4, 6, 8, 10, 12]
    assert len(COLUMNS) == 7


def test_figures_brain_masks_draws_and_prints_the_measures(folder, tmp_path, capsys):
    assert run("figures", "brain-masks", "--data", folder, "--output", tmp_path / "masks.svg") == 0

    printed = json.loads(capsys.readouterr().out)
    dice = printed["studies"][0]["dice"]
    assert [study["study"] for study in printed["studies"]] == ["anna", "berta/flair_visit1", "berta/flair_visit2"]
    drawn = (tmp_path / "masks.svg").read_text()
    assert "lesions 50.00%" in drawn
    assert f"Dice {dice:.3f}" in drawn


def test_figures_preprocessing_draws_seven_steps_of_three_slices(folder, tmp_path, capsys):
    assert run("figures", "preprocessing", "--data", folder / "anna", "--output", tmp_path / "steps.png") == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "preprocessing_version": "2",
        "slices": [index + 1 for index in steps_of_three_slices(head_volume())],
    }
    with Image.open(tmp_path / "steps.png") as picture:
        assert picture.size[0] == round(7 * 1.55 * 160)


def test_every_picture_says_the_range_of_its_values():
    slices = steps_of_three_slices(head_volume())

    cells = draw_steps(slices, (2.2, 2.2), caption="A phantom.").subfigs[0].axes

    steps = [step for row in slices.values() for step in row]
    assert [cell.get_xlabel() for cell in cells] == [
        f"{step.picture.min():.4g} to {step.picture.max():.4g}" for step in steps
    ]
    assert [cell.get_title() for cell in cells[:7]] == [step.name for step in steps[:7]]
    np.testing.assert_array_equal(cells[6].images[0].get_array(), steps[6].picture)


@pytest.mark.parametrize(
    ("data", "output", "reason"),
    [
        ("anna", "steps.jpg", "figure steps.jpg has another suffix, need .png or .svg"),
        ("nowhere", "steps.png", "input nowhere does not exist"),
    ],
)
def test_figures_refuse_in_one_line(folder, tmp_path, capsys, data, output, reason):
    assert run("figures", "preprocessing", "--data", folder / data, "--output", tmp_path / output) == 1
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_flair_is_refused(tmp_path, capsys):
    assert run("figures", "brain-masks", "--data", tmp_path, "--output", tmp_path / "m.png") == 1
    assert "holds no flair*.nii.gz" in capsys.readouterr().err
