# ruff: noqa: E402 (imports follow the check for torch)
"""Training learns, repeats itself for the same seed, and goes on after a kill as if nothing had happened."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from safetensors.torch import load_file
from tensorboardX.proto.event_pb2 import Event

from inference_worker.__main__ import main
from inference_worker.batches import Source, batches_from, draw_batch, slab
from inference_worker.checkpoint import load_weights
from inference_worker.config import (
    RECIPES,
    AugmentationConfig,
    LossConfig,
    NetworkConfig,
    TrainingConfig,
    with_settings,
)
from inference_worker.dataset import LabelledStudy
from inference_worker.held_out import read_held_out
from inference_worker.losses import PlaqueLoss
from inference_worker.networks import build_network
from inference_worker.reading_rule import RULE_OF_RECIPE
from inference_worker.run_log import RunLog
from inference_worker.run_start import alone_in
from inference_worker.run_state import TrainingError
from inference_worker.training import Progress, Run, learning_rate_at
from tests.worker.support import shallow_head, write_study

SMALL = TrainingConfig(
    steps=4, batch_size=2, crop_sizes=(64,), warm_up_steps=2, validate_every=2, augmentation=AugmentationConfig()
)


def labelled_study(name="anna"):
    """A grey disk with a bright active and a less bright inactive square on the second of three slices."""
    rows, columns = np.mgrid[0:256, 0:256]
    slices = np.where(np.hypot(rows - 128, columns - 128) < 40, 100, 0).astype(np.uint8)[None].repeat(3, axis=0)
    labels = np.zeros_like(slices)
    for label, grey, corner in ((1, 160, 110), (2, 230, 136)):
        slices[1, corner : corner + 12, corner : corner + 12] = grey
        labels[1, corner : corner + 12, corner : corner + 12] = label
    return LabelledStudy(name, name, slices, labels, 7.0)


def run_of(folder, config=SMALL, validation=()):
    torch.manual_seed(0)
    return Run(
        build_network(NetworkConfig()), config, [Source("one", 1.0, (labelled_study(),))], validation, folder=folder
    )


def steps_of(run):
    seen = []
    run.train(seen.append)
    return seen


def test_batches_follow_from_seed_and_step():
    sources = [Source("one", 1.0, (labelled_study(),))]

    first, again = (draw_batch(sources, SMALL, 7, (0, 1)) for _ in range(2))
    other_step, other_seed = (
        draw_batch(sources, SMALL, 8, (0, 1)),
        draw_batch(sources, replace(SMALL, seed=1), 7, (0, 1)),
    )

    np.testing.assert_array_equal(first[0], again[0])
    assert first[0].shape == (2, 64, 64)
    assert not np.array_equal(first[0], other_step[0])
    assert not np.array_equal(first[0], other_seed[0])


def test_slices_come_from_the_sources_by_their_shares():
    black = replace(labelled_study("black"), slices=np.zeros((3, 256, 256), np.uint8))
    black.slices[:, 120:130, 120:130] = 10
    sources = [Source("bright", 3.0, (labelled_study(),)), Source("dark", 1.0, (black,))]
    config = replace(SMALL, batch_size=8, augmentation=AugmentationConfig(probability=0.0))

    drawn = np.concatenate([draw_batch(sources, config, step, range(8))[0].max(axis=(1, 2)) for step in range(40)])

    assert np.mean(drawn > 0.1) == pytest.approx(0.75, abs=0.08)


def test_batches_drawn_ahead_are_those_of_their_steps():
    sources = [Source("one", 1.0, (labelled_study(),))]
    config = replace(SMALL, steps=9)

    ahead = list(batches_from(sources, config, 3, (0, 1)))

    assert len(ahead) == 6
    for step, batch in enumerate(ahead, start=3):
        np.testing.assert_array_equal(batch[0], draw_batch(sources, config, step, (0, 1))[0])


def test_thin_slices_are_averaged_and_thick_ones_stay():
    slices = np.stack([np.full((2, 2), grey, np.uint8) for grey in (0, 51, 102, 153, 204)])
    labels = np.zeros_like(slices)
    labels[2:, 0, 0], labels[3, 0, 1] = 1, 2
    thin = LabelledStudy("anna", "anna", slices, labels, 1.0)

    averaged, plaque = slab(thin, 2, 3.9)
    at_the_end, _ = slab(thin, 4, 3.9)
    alone, own = slab(replace(thin, slice_mm=7.0), 2, 6.0)

    np.testing.assert_allclose(averaged, 0.4, atol=1e-6)
    np.testing.assert_array_equal(plaque, [[1, 0], [0, 0]])
    np.testing.assert_allclose(at_the_end, 0.7, atol=1e-6)
    np.testing.assert_allclose(alone, 0.4, atol=1e-6)
    np.testing.assert_array_equal(own, labels[2])


def test_a_constant_schedule_stays_after_its_warm_up():
    config = replace(SMALL, steps=110, warm_up_steps=10, learning_rate=1.0, schedule="constant")

    assert [learning_rate_at(step, config) for step in (4, 10, 109)] == pytest.approx([0.5, 1.0, 1.0])


def test_the_learning_rate_warms_up_and_falls_to_zero():
    config = replace(SMALL, steps=110, warm_up_steps=10, learning_rate=1.0)

    rates = [learning_rate_at(step, config) for step in (0, 9, 10, 60, 110)]

    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.0])


def test_one_slice_is_learnt_by_heart():
    torch.manual_seed(0)
    study = labelled_study()
    slices = torch.from_numpy(study.slices[1:2, None, 64:192, 64:192].astype(np.float32) / 255.0).repeat(2, 1, 1, 1)
    labels = torch.from_numpy(study.labels[1:2, 64:192, 64:192].astype(np.int64)).repeat(2, 1, 1)
    network = build_network(NetworkConfig(stochastic_depth=0.0)).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    loss = PlaqueLoss(LossConfig())

    for _ in range(40):
        optimiser.zero_grad()
        (now := loss(network(slices), labels)).backward()
        optimiser.step()

    found = network(slices).argmax(dim=1)
    for label in (1, 2):
        overlap = ((found == label) & (labels == label)).sum().item()
        assert 2 * overlap / ((found == label).sum() + (labels == label).sum()).item() > 0.8
    assert now.item() < 0.6


def test_two_runs_of_one_seed_are_the_same(tmp_path):
    first, again = (steps_of(run_of(tmp_path / name)) for name in ("first", "again"))

    assert [step.loss for step in first] == [step.loss for step in again]
    assert [step.step for step in first] == [1, 2, 3, 4]


def test_progress_tells_validation_and_time_left(tmp_path):
    steps = steps_of(run_of(tmp_path, validation=[labelled_study("berta")]))

    assert [step.validation_dice is None for step in steps] == [True, False, True, False]
    assert steps[-1].seconds_left == 0.0
    assert Progress(3, 10, 0.5, 2.0, None).seconds_left == 14.0


def test_a_run_stops_when_validation_no_longer_improves(tmp_path):
    config = replace(SMALL, steps=40, learning_rate=0.0, validate_every=1, patience=3)

    steps = steps_of(run_of(tmp_path, config, validation=[labelled_study("berta")]))

    assert len(steps) == 5


def test_another_configuration_cannot_take_over_a_run(tmp_path):
    steps_of(run_of(tmp_path))

    with pytest.raises(TrainingError, match="was started with"):
        run_of(tmp_path, replace(SMALL, learning_rate=0.5))


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    run = run_of(tmp_path)
    with torch.no_grad():
        run.network.head.bias.fill_(float("nan"))

    with pytest.raises(TrainingError, match="loss at step 0 is nan"):
        steps_of(run)


def test_a_network_comes_to_say_what_its_teachers_say_in_the_mean(tmp_path):
    """Labels alone would lead elsewhere: the teachers are sure of the class that no label names."""
    torch.manual_seed(0)
    teachers = [torch.nn.Conv2d(1, 3, 1) for _ in range(2)]
    for teacher, bias in zip(teachers, ([2.0, 0.0, 0.0], [0.0, 0.0, 2.0]), strict=True):
        torch.nn.init.zeros_(teacher.weight)
        teacher.bias.data = torch.tensor(bias)
    loss = LossConfig(0.0, 0.0, 0.0, 0.0, distillation=1.0)
    config = replace(SMALL, steps=150, validate_every=150, warm_up_steps=1, learning_rate=0.1, loss=loss)
    run = Run(
        student := torch.nn.Conv2d(1, 3, 1),
        config,
        [Source("one", 1.0, (labelled_study(),))],
        (),
        folder=tmp_path,
    )
    run.learn_from(teachers)

    steps_of(run)

    found = student(torch.rand(1, 1, 8, 8)).softmax(dim=1).mean(dim=(0, 2, 3))
    mean = torch.stack([teacher.bias.softmax(dim=0) for teacher in teachers]).mean(dim=0)
    torch.testing.assert_close(found, mean, atol=0.02, rtol=0)
    assert [teacher.bias.tolist() for teacher in teachers] == [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]]


def test_weights_of_one_run_teach_another(tmp_path):
    for name in ("anna", "berta"):
        write_study(tmp_path / "data" / name, classes=False, volume=shallow_head())
    first = train_arguments(tmp_path / "data", tmp_path / "first")
    second = train_arguments(tmp_path / "data", tmp_path / "second")
    weights = str(tmp_path / "first" / "weights.safetensors")

    assert main([*first, "--steps", "1"]) == 0
    assert main([*second, "--steps", "1", "--teacher", weights, "--set", "loss.distillation=0.5"]) == 0

    losses = [json.loads((tmp_path / run / "progress.jsonl").read_text())["loss"] for run in ("first", "second")]
    assert losses[1] > losses[0] + 0.1


class Cramped(torch.nn.Module):
    """A network on a machine whose memory holds `most` slices."""

    def __init__(self, most):
        super().__init__()
        self.head, self.most, self.seen = torch.nn.Conv2d(1, 3, 1), most, []

    def forward(self, slices):
        if len(slices) > self.most:
            raise torch.OutOfMemoryError(f"{len(slices)} slices")
        self.seen.append(len(slices))
        return self.head(slices)


def test_a_batch_that_the_memory_does_not_hold_is_taken_in_parts(tmp_path):
    config = replace(SMALL, batch_size=8, steps=2)
    source = Source("one", 1.0, (labelled_study(),))
    run = Run(cramped := Cramped(2), config, [source], (), folder=tmp_path)

    steps = steps_of(run)

    assert cramped.seen == [2] * 8
    assert [step.step for step in steps] == [1, 2]


def test_a_memory_that_holds_no_slice_ends_the_run(tmp_path):
    run = Run(Cramped(0), SMALL, [Source("one", 1.0, (labelled_study(),))], (), folder=tmp_path)

    with pytest.raises(TrainingError, match="memory of cpu does not hold 1 slices of step 0"):
        steps_of(run)


def train_arguments(data, run):
    options = {"--data": data, "--run": run, "--hold-out": "berta", "--steps": 5, "--batch-size": 2}
    options |= {"--validate-every": 1, "--cache": run.parent / "cache"}
    return ["train", *(str(part) for pair in options.items() for part in pair)]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder with studies and a run that held one patient out, and the words that it was started with."""
    folder = tmp_path_factory.mktemp("begun")
    for name in ("anna", "berta", "cora"):
        write_study(folder / "data" / name, classes=False, volume=shallow_head())
    words = [*train_arguments(folder / "data", folder / "run"), "--steps", "1", "--set", "crop_sizes=[64]"]
    assert main(words) == 0
    return folder, words


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (["--hold-out", "anna"], "was started with held_out ['berta'], now it is ['anna']"),
        (["--hold-out", "anna,berta"], "was started with held_out ['berta'], now it is ['anna', 'berta']"),
        (["--activation", "silu"], "was started with network {'name': 'deeplabv3plus_se_efficientnet_b0', 'activat"),
        (["--network", "deeplabv3plus_vgg16"], "'zoom': 1.0}, now it is {'name': 'deeplabv3plus_vgg16'"),
        (["--zoom", "1.5"], "'zoom': 1.5}, need the same or another --run"),
        (["--steps", "2"], "was started with steps 1, now it is 2"),
        (["--with-scalp"], "was started with preprocessing 2, now it is 2-with-scalp"),
    ],
)
def test_a_run_goes_on_with_nothing_but_what_it_was_started_with(begun, capsys, change, reason):
    folder, words = begun
    before = {path.name: path.read_bytes() for path in (folder / "run").iterdir() if path.is_file()}

    status = main([*words, *change])

    assert status == 1
    assert reason in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (folder / "run").iterdir() if path.is_file()} == before


def test_a_run_goes_on_where_its_folders_lie_elsewhere_but_not_with_other_labels(begun, tmp_path, capsys):
    folder, words = begun
    for name in ("data", "run"):
        shutil.copytree(folder / name, tmp_path / name)
    words = [word.replace(str(folder), str(tmp_path)) for word in words]
    assert main(words) == 0

    write_study(tmp_path / "again", classes=True, volume=shallow_head())
    (tmp_path / "again" / "labels.nii.gz").rename(tmp_path / "data" / "cora" / "labels.nii.gz")
    assert main(words) == 1

    assert "was started with studies_sha256 [" in capsys.readouterr().err


def test_two_do_not_train_in_one_folder(begun, capsys):
    folder, words = begun

    with alone_in(folder / "run"):
        assert main(words) == 1

    assert "another process trains in run run, need a folder of its own" in capsys.readouterr().err
    assert main(words) == 0


@pytest.mark.parametrize(
    "words", [["--network", "deeplabv3plus_vgg16"], ["--activation", "silu"], ["--imagenet", "lite0"]]
)
def test_what_the_weights_to_start_from_decide_is_not_chosen_beside_them(begun, tmp_path, capsys, words):
    folder, started = begun
    start = str(folder / "run" / "weights.safetensors")

    status = main([*started, "--run", str(tmp_path / "next"), "--initial", start, *words])

    assert status == 1
    assert f"{words[0]} beside --initial, whose weights decide that" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_a_run_that_is_stopped_from_the_keyboard_says_so_in_one_line(tmp_path):
    write_study(tmp_path / "data" / "anna", classes=True, volume=shallow_head())
    write_study(tmp_path / "data" / "berta", classes=False, volume=shallow_head())
    words = [*train_arguments(tmp_path / "data", tmp_path / "run"), "--steps", "400"]
    log = tmp_path / "run" / "progress.jsonl"

    # A shell starts what runs in its background deaf to the keyboard, and these tests may run there.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "inference_worker", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as stopped:
        while not log.is_file() or not log.read_text():
            assert stopped.poll() is None
            time.sleep(0.02)
        stopped.send_signal(signal.SIGINT)
        told = stopped.communicate(timeout=60)[1]

    assert stopped.returncode == 130
    assert "Traceback" not in told
    assert told.splitlines()[-1] == "train: stopped from the keyboard"


def test_every_patient_is_held_out_once_by_the_folds(tmp_path):
    for name in ("anna", "berta", "cora"):
        write_study(tmp_path / "data" / name, classes=False, volume=shallow_head())
    options = train_arguments(tmp_path / "data", tmp_path / "fold")
    options[options.index("--hold-out") : options.index("--hold-out") + 2] = [
        "--folds",
        "2",
        "--steps",
        "1",
        "--set",
        "crop_sizes=[64]",
    ]

    found = {}
    for fold, recipe in (("0", "plaqueview"), ("1", "paper")):
        assert main([*options, "--fold", fold, "--recipe", recipe, "--run", str(tmp_path / fold)]) == 0
        assert load_weights(tmp_path / fold / "weights.safetensors")[1].reading == RULE_OF_RECIPE[recipe]
        held_out = read_held_out(tmp_path / fold / "held_out.npz", versions={"2"})
        assert held_out.plaque_threshold == RULE_OF_RECIPE[recipe].plaque_threshold
        found |= held_out.probabilities

    assert sorted(found) == ["anna", "berta", "cora"]
    np.testing.assert_allclose(found["anna"].sum(axis=1), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--folds", "2", "--fold", "2"], "fold 2 of 2"),
        (["--folds", "9"], "2 patients cannot make 9 folds"),
        (["--fold", "0"], "fold 0 of no folds, need --folds"),
        (["--hold-out", "anna,berta"], "all 2 studies of folder data are held out, need one to learn from"),
        (["--data", "elsewhere:inf"], "share of elsewhere is inf, need a finite one above 0"),
        (["--set", "loss.sharpness=1"], "setting 'sharpness' is unknown"),
        (["--set", "steps=many"], "value 'many' is no int"),
        (["--device", "cuda"], "device cuda is not available"),
        (["--set", "loss.distillation=1"], "0 teachers and loss.distillation 1, need both or neither"),
        (["--teacher", "none.safetensors"], "1 teachers and loss.distillation 0, need both or neither"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_its_reason(tmp_path, capsys, words, reason):
    if "cuda" in words and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    for name in ("anna", "berta"):
        write_study(tmp_path / "data" / name, classes=False, volume=shallow_head())

    status = main(["train", "--data", str(tmp_path / "data"), "--run", str(tmp_path / "run"), *words])

    assert status == 1
    assert reason in capsys.readouterr().err


def test_a_recipe_is_changed_by_name():
    changed = with_settings(RECIPES["paper"], ["steps=7", "loss.class_dice=2", "augmentation.gamma=[0.5,2.0]"])

    assert (changed.steps, changed.loss.class_dice, changed.augmentation.gamma) == (7, 2.0, (0.5, 2.0))
    assert (changed.optimiser, changed.loss.cross_entropy) == ("adam", 0.0)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    write_study(tmp_path / "data" / "anna", classes=True, volume=shallow_head())
    write_study(tmp_path / "data" / "berta", classes=False, volume=shallow_head())
    assert main(train_arguments(tmp_path / "data", tmp_path / "whole")) == 0

    command = [sys.executable, "-m", "inference_worker", *train_arguments(tmp_path / "data", tmp_path / "killed")]
    log = tmp_path / "killed" / "progress.jsonl"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as killed:
        while not log.is_file() or len(log.read_text().splitlines()) < 2:
            assert killed.poll() is None
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
    steps_before = len(log.read_text().splitlines())
    assert main(train_arguments(tmp_path / "data", tmp_path / "killed")) == 0

    assert steps_before < 5
    losses = {name: losses_of(tmp_path / name) for name in ("whole", "killed")}
    assert losses["killed"] == losses["whole"]
    whole, resumed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_tensorboard_reads_the_loss_of_every_step(tmp_path):
    with RunLog(tmp_path) as log:
        log.tell(Progress(1, 2, 0.75, 1.0, None))
        log.tell(Progress(2, 2, 0.5, 1.0, 0.25))

    assert scalars_of(next((tmp_path / "tensorboard").glob("events.out.tfevents.*"))) == [
        (1, "loss", 0.75),
        (2, "loss", 0.5),
        (2, "validation_dice", 0.25),
    ]


def scalars_of(path):
    """What a file of TensorBoard's events holds: records of a length, its checksum, an event, and its checksum."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        at += 12 + length + 4
    return found


def losses_of(folder):
    """The loss of every step; a step that a kill made the run repeat counts as the last time it was taken."""
    records = map(json.loads, (folder / "progress.jsonl").read_text().splitlines())
    return {record["step"]: record["loss"] for record in records}
