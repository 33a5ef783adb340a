"""The command line does what the README says, and refuses in one line."""

import json
import sys

import numpy as np
import pytest

from inference_worker.__main__ import COMMANDS, main
from inference_worker.prediction import Segmenter
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.imaging.nifti_to_dicom import series_of
from tests.worker.support import head_volume, plaques_of, write_study

TRAIN = ("train", "--data", "d", "--run", "r")


@pytest.fixture(scope="module")
def nifti(tmp_path_factory):
    path = tmp_path_factory.mktemp("nifti") / "flair.nii.gz"
    write_volume_nifti(path, head_volume())
    return path


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    for number, dataset in enumerate(series_of(head_volume(), source_sha256="ab" * 32, source_name="head")):
        dataset.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_segment_writes_labels_on_the_nifti_s_own_grid(nifti, tmp_path, capsys):
    status = run(
        "segment", nifti, "--output", tmp_path / "mask.nii.gz", "--probabilities", tmp_path / "p.nii.gz",
        "--brain-mask", tmp_path / "brain.nii.gz", "--threads", 1,
    )  # fmt: skip

    printed = json.loads(capsys.readouterr().out)
    expected = Segmenter.load(threads=1).segment(head_volume())
    assert status == 0
    mask = read_volume_nifti(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(mask.affine, read_volume_nifti(nifti).affine)
    np.testing.assert_array_equal(mask.voxels, expected.labels.voxels)
    np.testing.assert_array_equal(read_volume_nifti(tmp_path / "p.nii.gz").voxels, expected.plaque_probability)
    np.testing.assert_array_equal(read_volume_nifti(tmp_path / "brain.nii.gz").voxels, expected.brain_mask)
    assert printed["lesion_counts"] == {kind.value: n for kind, n in expected.lesions.counts().items()}
    assert set(printed) == {
        "model", "version", "sha256", "preprocessing_version", "seconds", "lesion_counts", "lesion_volumes_ml",
        "counting_rule", "claim", "notice", "warnings", "reading", "computation",
    }  # fmt: skip
    assert printed["reading"] == {"plaque_threshold": 0.25, "slab_mm": 5.0, "is_mirrored": True}
    assert printed["computation"] == "float32 on the CPU"
    assert printed["notice"] == "Research use only, not a medical device."
    assert printed["counting_rule"].startswith("26-connected components of at least 14.1 mm³")


def test_segment_reads_a_dicom_folder(nifti, dicom, tmp_path, capsys):
    (dicom / ".hidden").write_text("left by a file manager")
    (dicom / "DICOMDIR").write_bytes(b"index")

    assert run("segment", dicom, "--output", tmp_path / "dicom.nii.gz", "--threads", 1) == 0
    assert run("segment", nifti, "--output", tmp_path / "nifti.nii.gz", "--threads", 1) == 0

    first, second = (read_volume_nifti(tmp_path / name) for name in ("dicom.nii.gz", "nifti.nii.gz"))
    np.testing.assert_allclose(first.affine, second.affine, atol=1e-4)
    assert np.count_nonzero(first.voxels) > 0
    assert np.count_nonzero(first.voxels != second.voxels) <= 0.02 * np.count_nonzero(second.voxels)


def test_preprocess_writes_what_the_network_sees_in_its_place(nifti, tmp_path, capsys):
    assert run("preprocess", nifti, "--output", tmp_path / "s.nii.gz", "--brain-mask", tmp_path / "b.nii.gz") == 0

    printed = json.loads(capsys.readouterr().out)
    slices, mask = read_volume_nifti(tmp_path / "s.nii.gz"), read_volume_nifti(tmp_path / "b.nii.gz")
    assert slices.shape == (8, 256, 256)
    assert mask.shape == (8, 96, 96)
    assert 0.0 <= slices.voxels.min() <= slices.voxels.max() <= 1.0
    assert printed["brain_volume_ml"] == pytest.approx(mask.voxels.sum() * 8.0 * 2.2 * 2.2 / 1000.0, abs=0.1)
    assert slices.spacing_mm == pytest.approx((8.0, 73 * 2.2 / 256, 73 * 2.2 / 256))  # the brain's rows
    # The brightest voxels, the plaques, lie at the same place in the patient.
    centres = [
        volume.positions_mm(np.argwhere(where)).mean(axis=0)
        for volume, where in ((slices, slices.voxels > 0.55), (head_volume(), plaques_of()))
    ]
    np.testing.assert_allclose(centres[0], centres[1], atol=2.0)


def test_evaluate_reports_by_study_and_by_class(tmp_path, capsys):
    write_study(tmp_path / "data" / "anna", classes=True)
    write_study(tmp_path / "data" / "berta", classes=False)

    assert run("evaluate", "--data", tmp_path / "data", "--threads", 1, "--markdown", tmp_path / "table.md") == 0

    report = json.loads(capsys.readouterr().out)
    assert report["studies"] == 2
    assert list(report["by_study"]) == ["anna", "berta"]
    assert report["by_study"]["anna"]["dice"] == report["by_study"]["berta"]["dice"] == report["mean"]["dice"]
    assert set(report["classes"]) == {"inactive", "active"}
    assert "classes" not in report["by_study"]["berta"]
    assert report["by_study"]["anna"]["true_volume_ml"] == pytest.approx(64 * 8.0 * 2.2 * 2.2 / 1000.0)
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| anna", "| berta", "| mean"]


def test_evaluate_writes_the_report_of_one_model(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra 'training'")
    write_study(tmp_path / "data" / "anna", classes=False)

    assert run("evaluate", "--data", tmp_path / "data", "--threads", 1, "--output", tmp_path / "out") == 0

    printed = json.loads(capsys.readouterr().out)
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    figures = record["models"][f"{printed['model']} {printed['version']}"]
    assert figures["mean"] == printed["mean"]
    assert record["sha256"] == printed["sha256"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "calibration.png", "evaluation.json", "evaluation.md", "radar.png", "radar.svg", "triptychs.png",
    ]  # fmt: skip


def test_evaluate_says_what_its_figures_need(tmp_path, capsys, monkeypatch):
    write_study(tmp_path / "data" / "anna", classes=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in [name for name in sys.modules if name.startswith(("matplotlib.", "inference_worker.plots"))]:
        monkeypatch.delitem(sys.modules, name)

    assert run("evaluate", "--data", tmp_path / "data", "--output", tmp_path / "out") == 1
    refusal = capsys.readouterr().err
    assert refusal.startswith("evaluate: package matplotlib")
    assert refusal.endswith("is missing; install plaqueview[training]\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("segment", "{tmp}/nowhere.nii.gz", "--output", "{tmp}/mask.nii.gz"), "input nowhere.nii.gz does not exist"),
        (("segment", "{tmp}", "--output", "{tmp}/mask.nii.gz"), "file note.txt is not DICOM"),
        (("segment", "{tmp}/note.txt", "--output", "{tmp}/mask.nii.gz"), "file is no NIfTI"),
        (("preprocess", "{tmp}/empty", "--output", "{tmp}/s.nii.gz"), "folder empty holds no files"),
        (("evaluate", "--data", "{tmp}/empty"), "folder empty holds no flair.nii.gz"),
        (("evaluate", "--data", "{tmp}", "--weights", "{tmp}/w.onnx"), "weights w.onnx are missing"),
        (("evaluate", "--data", "{tmp}", "--minimum-volume", "nan"), "minimum volume is nan mm³"),
        (("evaluate", "--data", "{tmp}/pairs"), "study pairs: folder pairs holds no NAME-flair.png, need at least 1"),
        (
            ("segment", "{tmp}/nowhere.nii.gz", "--output", "{tmp}/no/mask.nii.gz"),
            "No such file or directory: '{tmp}/no'",
        ),
        (("segment", "{tmp}/nowhere.nii.gz", "--output", "{tmp}/empty"), "Is a directory: '{tmp}/empty'"),
        (("evaluate", "--data", "{tmp}", "--markdown", "{tmp}/no/a.md"), "No such file or directory: '{tmp}/no'"),
    ],
)
def test_refused_input_is_one_line_and_status_one(tmp_path, capsys, arguments, reason):
    (tmp_path / "note.txt").write_text("no image at all")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "spacing_mm.json").write_text("{}")

    status = run(*(argument.format(tmp=tmp_path) for argument in arguments))

    printed = capsys.readouterr()
    assert status == 1
    assert printed.err.count("\n") == 1
    assert reason.format(tmp=tmp_path) in printed.err
    assert printed.out == ""
    assert not (tmp_path / "mask.nii.gz").exists()


@pytest.mark.parametrize("name", ["flair.nii.gz", "labels.nii.gz"])
@pytest.mark.parametrize("command", [("evaluate",), ("train", "--run", "{tmp}/run")])
def test_a_refusal_says_of_which_patient_it_is(tmp_path, capsys, name, command):
    if command[0] == "train":
        pytest.importorskip("torch", reason="needs the extra 'training'")
    write_study(tmp_path / "data" / "berta", classes=True)
    flair = read_volume_nifti(path := tmp_path / "data" / "berta" / name)
    write_volume_nifti(path, flair.with_voxels(np.full(flair.shape, 9.0, np.float32)))

    status = run(*(word.format(tmp=tmp_path) for word in command), "--data", tmp_path / "data")

    refusal = capsys.readouterr().err
    assert status == 1
    assert refusal.splitlines()[-1].startswith(f"{command[0]}: study berta: ")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("read",),
        ("segment",),
        ("segment", "a", "--output", "b", "--device", "x"),
        ("evaluate", "--data", "d", "--threads", "-3"),
        ("synthesise", "--output", "o", "--seed", "-1"),
        ("synthesise", "--output", "o", "--count", "0"),
        *((*TRAIN, option, "0") for option in ("--threads", "--batch-size", "--validate-every")),
        *((*TRAIN, option, "-1") for option in ("--seed", "--steps", "--patience", "--fold")),
    ],
)
def test_wrong_usage_is_status_two(arguments):
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)

    assert exit_.value.code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_complete_help(command, capsys):
    if needed := {"train": "torch", "export": "torch", "compare": "matplotlib", "figures": "matplotlib"}.get(command):
        pytest.importorskip(needed, reason="needs the extra 'training'")

    with pytest.raises(SystemExit) as exit_:
        run(command, "--help")

    assert exit_.value.code == 0
    assert COMMANDS[command].split("(")[0].strip() in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("arguments", [("--data", "nowhere:much"), ("--data", "nowhere:0")])
def test_train_refuses_a_share_that_is_none(tmp_path, capsys, arguments):
    pytest.importorskip("torch", reason="needs the extra 'training'")

    assert run("train", *arguments, "--run", tmp_path / "run") == 1
    assert "share" in capsys.readouterr().err
