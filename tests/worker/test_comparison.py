"""Models are compared on the patients held out from each of them, all of them and no others."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="needs the extra 'training'")

from inference_worker.__main__ import main
from inference_worker.comparison import (
    ComparisonError,
    check_studies,
    choose_models,
    compare,
    comparison_record,
    find_models,
)
from inference_worker.dataset import find_studies
from inference_worker.evaluation import evaluate_study
from inference_worker.evaluation_data import read_study
from inference_worker.held_out import write_held_out
from inference_worker.paper_table import PAPER_TABLE
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import Preprocessing
from inference_worker.reading_rule import FIRST_RULE, ReadingRule
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.nifti import write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.worker.support import head_volume, plaques_of, write_study

STUDIES = ("anna", "berta", "clara")
INACTIVE, ACTIVE = 1, 2


def probabilities_of(plaque, active_share=1.0):
    """(n, 3, 256, 256) probabilities that are certain of a mask on the matrix of `head_volume`."""
    prepared = Preprocessing().prepare(head_volume())
    shown = prepared.window.square(plaque.astype(np.float32))
    return np.stack([1.0 - shown, shown * (1.0 - active_share), shown * active_share], axis=1)


def write_model(folder, folds, reading=ReadingRule()):  # noqa: B008  (frozen)
    for number, fold in enumerate(folds):
        (folder / f"fold{number}").mkdir(parents=True)
        path = folder / f"fold{number}" / "held_out.npz"
        write_held_out(path, fold, version=Preprocessing().version, reading=reading)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three patients with the same four plaques, one of them beside marked ventricles."""
    folder = tmp_path_factory.mktemp("data")
    for name in STUDIES:
        write_study(folder / name, classes=name == "anna")
    ventricles = np.zeros((8, 96, 96), np.uint8)
    ventricles[4, 40:44, 39:43] = 1
    write_volume_nifti(folder / "clara" / "ventricles.nii.gz", head_volume().with_voxels(ventricles))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A model that is right of two patients and sees half of the third's plaques, and one that sees half of all."""
    folder = tmp_path_factory.mktemp("runs")
    everything, left = plaques_of(), plaques_of()
    left[:, :, 48:] = False
    right, half = probabilities_of(everything), probabilities_of(left)
    write_model(folder / "first", [{"anna": right, "clara": half}, {"berta": right}])
    write_model(folder / "second", [{"anna": half, "clara": half}, {"berta": half}])
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def output(data, runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    assert run("compare", runs, "--data", data, "--output", folder) == 0
    return folder


@pytest.fixture(scope="module")
def record(output):
    return json.loads((output / "comparison.json").read_text())


def test_figures_are_those_of_the_masks_that_were_predicted(record):
    first, second = record["models"]["first"], record["models"]["second"]

    assert [first["by_study"][name]["dice"] for name in STUDIES] == pytest.approx([1.0, 1.0, 2 / 3])
    assert [second["by_study"][name]["dice"] for name in STUDIES] == pytest.approx([2 / 3] * 3)
    assert first["mean"]["dice"] == pytest.approx(8 / 9)
    assert first["by_study"]["clara"]["ltpr"] == 0.5
    assert first["by_study"]["clara"]["volume_difference_ml"] == pytest.approx(32 * 8.0 * 2.2 * 2.2 / 1000.0)
    assert first["strata"]["ventricles"] | {"rule": ""} == {
        "rule": "", "studies": 1, "plaques": 1, "found": 1, "found_share": 1.0, "recall": 1.0,
    }  # fmt: skip
    assert first["strata"]["lesions"]["plaques"] == 12
    assert first["classes"]["active"]["mean"]["dice"] == pytest.approx(2 / 3)


def test_models_are_paired_by_patient_against_the_first(record):
    paired = record["paired"]

    assert paired["reference"] == "first"
    assert list(paired["tests"]) == ["second"]
    dice = paired["tests"]["second"]["dice"]
    assert dice["mean_difference"] == pytest.approx(-2 / 9)
    assert (dice["low"], dice["high"]) == pytest.approx((-1 / 3, 0.0))
    assert (dice["share_better"], dice["patients"]) == (0.0, 3)


def test_the_page_shows_our_table_beside_the_paper_s_and_says_what_it_is_for(output, record):
    page = (output / "comparison.md").read_text()

    assert "Research use only, not a medical device." in page
    assert "Counting rule: 26-connected components of at least 14.1 mm³" in page
    dice = record["models"]["first"]["intervals"]["mean"]["dice"]
    assert f"0.889 ± {dice['standard_deviation']:.3f} ({dice['low']:.3f} to {dice['high']:.3f})" in page
    assert all(f"| {name} | {iou:.4f} |" in page for name, (iou, *_) in PAPER_TABLE.items())
    assert "it does not say how it averages" in page
    assert "| first | active | 1 | 0.667 | 0.667 | 2 of 2 |" in page
    assert record["paper"]["models"]["DeepLabV3+SE_EfficientNetB0"]["mcc"] == 0.7170


def test_figures_lie_beside_the_tables(output, record):
    assert sorted(path.name for path in output.iterdir()) == [
        "calibration.png", "comparison.json", "comparison.md", "radar.png", "radar.svg", "triptychs.png",
    ]  # fmt: skip
    drawn = (output / "radar.svg").read_text()
    assert all(f"{name} (Dice {model['mean']['dice']:.3f})" in drawn for name, model in record["models"].items())
    assert "AI-predicted, FLAIR only. Data: data" in drawn
    for path in output.glob("*.png"):
        with Image.open(path) as picture:
            assert min(picture.size) > 600


def test_held_out_predictions_go_the_way_of_a_patient_s_study(data, tmp_path):
    segmenter = Segmenter.load(threads=1)
    anna = read_study(find_studies(data)[0])
    probabilities = segmenter.probabilities(segmenter.preprocessing.prepare(anna.flair).slices)
    write_model(tmp_path / "shipped", [{"anna": probabilities.transpose(1, 0, 2, 3)}])

    (result,) = compare(find_models([tmp_path]), [anna], rule=CountingRule(), on_progress=str)

    found, straight = (
        result.studies[0].plaques,
        evaluate_study("anna", segmenter.segment(anna.flair), anna.labels).plaques,
    )
    # Probabilities were kept to 1/255, so a voxel at the threshold may fall to the other side.
    assert found.confusion.dice == pytest.approx(straight.confusion.dice, abs=0.02)
    assert found.lesions.true_positive_rate == straight.lesions.true_positive_rate


def test_each_model_is_read_by_its_own_threshold(data, tmp_path):
    """Of four plaques a network is 40 % sure: plaques to one rule, none to the other."""
    anna = read_study(find_studies(data)[0])
    unsure = probabilities_of(0.4 * (anna.labels > 0))
    write_model(tmp_path / "first_rule", [{"anna": unsure}], FIRST_RULE)
    write_model(tmp_path / "today", [{"anna": unsure}])

    strict, today = compare(find_models([tmp_path]), [anna], rule=CountingRule(), on_progress=str)

    assert strict.studies[0].plaques.confusion.true_positives == 0
    assert today.studies[0].plaques.confusion.dice > 0.8


def test_models_come_in_the_order_that_is_asked_for(runs):
    models = find_models([runs])

    assert [model.name for model in models] == ["first", "second"]
    assert [model.name for model in choose_models(models, ["second", "first"])] == ["second", "first"]
    with pytest.raises(ComparisonError, match=r"models \['third'\] are not among the runs, there are \['first', 'sec"):
        choose_models(models, ["third"])


NOTHING = np.zeros((8, 3, 256, 256), np.float32)


def test_patients_without_a_prediction_are_refused_by_name(tmp_path):
    write_model(tmp_path / "m", [{"anna": NOTHING}, {"berta": NOTHING}])

    with pytest.raises(ComparisonError, match=r"model m: studies \['clara'\] are held out of no fold"):
        check_studies(find_models([tmp_path]), STUDIES)


def test_a_patient_that_some_folds_held_out_is_refused_by_name(tmp_path):
    write_model(tmp_path / "m", [{"anna/1": NOTHING}, {"anna/2": NOTHING}, {"berta": NOTHING}])

    with pytest.raises(ComparisonError, match=r"model m: patient anna is held out of folds \['fold0', 'fold1'\]"):
        find_models([tmp_path])


def test_a_patient_that_no_fold_was_trained_on_is_marked_by_the_first(tmp_path):
    write_model(tmp_path / "m", [{"anna": NOTHING, "zoe": NOTHING}, {"zoe": NOTHING, "berta": NOTHING}])

    (model,) = find_models([tmp_path])

    assert {name: path.parent.name for name, path in model.files.items()} == {
        "anna": "fold0", "zoe": "fold0", "berta": "fold1",
    }  # fmt: skip
    check_studies([model], ["anna", "zoe"])


def test_refusals_are_one_line_and_write_nothing(data, runs, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    write_model(tmp_path / "short" / "m", [dict.fromkeys(STUDIES, NOTHING[:5])])
    common = ("--data", data, "--output", tmp_path / "out")

    assert run("compare", tmp_path / "empty", *common) == 1
    assert run("compare", runs, runs, *common) == 1
    assert run("compare", tmp_path / "short", *common) == 1
    (tmp_path / "file").write_text("")
    assert run("compare", runs, "--data", data, "--output", tmp_path / "file" / "out") == 1

    printed = capsys.readouterr().err.splitlines()
    assert [line for line in printed if "holds held_out.npz, need at least 1" in line] == [printed[0]]
    assert "models ['first', 'second'] are in two folders of runs" in printed[1]
    assert "model m: the prediction of anna has 5 slices, the study has 8" in printed[-2]
    assert f"Not a directory: '{tmp_path / 'file'}'" in printed[-1]
    assert not (tmp_path / "out").exists()


def test_ventricles_that_lie_elsewhere_are_refused(data, runs, tmp_path, capsys):
    write_study(tmp_path / "data" / "anna", classes=False)
    elsewhere = head_volume().affine + np.eye(4)[:, [3, 3, 3, 3]] * 0.0
    elsewhere[:3, 3] += 50.0
    mask = Volume(np.zeros((8, 96, 96), np.uint8), elsewhere)
    write_volume_nifti(tmp_path / "data" / "anna" / "ventricles.nii.gz", mask)
    write_model(tmp_path / "runs" / "m", [{"anna": NOTHING}])

    assert run("compare", tmp_path / "runs", "--data", tmp_path / "data", "--output", tmp_path / "out") == 1
    assert "mask anna/ventricles.nii.gz of shape (8, 96, 96) lies elsewhere" in capsys.readouterr().err


def test_the_counting_rule_is_the_caller_s(data, runs):
    rule = CountingRule(minimum_volume_mm3=700.0)
    anna = read_study(find_studies(data)[0])

    results = compare(choose_models(find_models([runs]), ["first"]), [anna], rule=rule, on_progress=str)

    record = comparison_record(results, data="phantoms", split="none", rule=rule)
    assert record["counting_rule"] == rule.sentence
    # Plaques of 4 x 4 voxels have 620 mm³: none is left.
    assert record["models"]["first"]["by_study"]["anna"]["predicted_volume_ml"] == 0.0
    assert record["models"]["first"]["mean"]["hd95_mm"] is None
