"""Processes that learn a run together: how they are started, what they take, and what one says that refuses."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.dataset import StudyFiles
from inference_worker.learning_order import LearningOrder
from inference_worker.learning_process import main
from inference_worker.resources import Resources, together
from inference_worker.shared_learning import Crew
from tests.worker.support import write_study

TAKEN = Resources(1.5, 8, 500, 600, 64_000, "NVIDIA H200", 100, 200, 1_000)


def order_in(folder) -> LearningOrder:
    write_study(folder / "anna", classes=True)
    anna = StudyFiles("anna", "anna", folder / "anna" / "flair.nii.gz", folder / "anna" / "labels.nii.gz")
    recipe = {"steps": 2, "batch_size": 2, "learning_rate": 1e-3, "validate_every": 1, "seed": 0}
    return LearningOrder((anna,), (anna,), recipe, None, folder / "run", folder / "cache", threads=1)


def test_an_order_travels_as_text(tmp_path):
    order = order_in(tmp_path)

    assert LearningOrder.from_json(order.as_json()) == order


def test_machines_meet_at_the_first_one():
    here, apart = Crew("cuda", 4), Crew("cuda", 4, machines=2, rendezvous="gpu-1.example:29400")

    assert (here.size, apart.size) == (4, 8)
    assert here.words() == ["--nproc-per-node", "4", "--max-restarts", "0", "--standalone"]
    first = ["--node-rank", "0", "--master-addr", "gpu-1.example", "--master-port", "29400"]
    assert apart.words() == ["--nproc-per-node", "4", "--max-restarts", "0", "--nnodes", "2", *first]


def test_what_several_processes_take_is_summed_and_what_one_does_not_know_nobody_knows():
    coordinator = replace(TAKEN, gpu="", gpu_memory_bytes=None, gpu_memory_peak_bytes=None)

    assert together([coordinator, TAKEN, TAKEN]) == Resources(
        4.5,
        8,
        1_500,
        1_800,
        64_000,
        "2 x NVIDIA H200",
        200,
        400,
        2_000,
    )
    assert together([coordinator, replace(TAKEN, memory_bytes=None)]).memory_bytes is None


def test_what_a_process_refuses_is_told_to_its_worker(tmp_path, capsys):
    order = replace(order_in(tmp_path), start=tmp_path / "none.safetensors")
    (tmp_path / "order.json").write_text(order.as_json())

    status = main([str(tmp_path / "order.json")])

    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (status, last["kind"]) == (1, "refused")
    assert "none.safetensors" in last["reason"]
