# ruff: noqa: E402 (imports follow the check for torch)
"""Processes that share a batch learn what one process learns from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.distributed import Group
from inference_worker.run_state import TrainingError
from tests.worker.distributed_run import main

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("distributed_run.py")


def run_in_two(folder: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    path = os.pathsep.join((str(ROOT), str(ROOT / "platform")))
    environment = dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS="1")
    subprocess.run([*torchrun, str(SCRIPT), str(folder)], check=True, env=environment, cwd=ROOT)


def test_two_processes_learn_as_one_does_with_the_whole_batch(tmp_path):
    main(tmp_path / "alone")
    run_in_two(tmp_path / "shared")

    alone, shared = (json.loads((tmp_path / name / "seen.json").read_text()) for name in ("alone", "shared"))
    assert len(alone["losses"]) == 3
    assert shared["losses"] == pytest.approx(alone["losses"], rel=2e-3)
    assert shared["weights"] == pytest.approx(alone["weights"], rel=1e-3)
    assert (tmp_path / "shared" / "state.safetensors").is_file()


def test_every_place_of_a_batch_belongs_to_one_process():
    shares = [Group(rank=rank, size=3).share_of(6) for rank in range(3)]

    assert sorted(place for share in shares for place in share) == [0, 1, 2, 3, 4, 5]


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(TrainingError, match="batch of 8 slices does not divide by 3 processes"):
        Group(size=3).share_of(8)
