"""A candidate is tried beside the champion."""

from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker import prediction
from inference_worker.checkpoint import WeightsIdentity, save_weights
from inference_worker.config import NetworkConfig
from inference_worker.dataset import find_studies
from inference_worker.learning import starting_network
from inference_worker.networks import build_network
from inference_worker.prediction import BATCH_SIZE, Segmenter
from inference_worker.reading_rule import ReadingRule
from inference_worker.retraining import try_both
from tests.worker.support import head_volume, write_study

SEEN = 2 * head_volume().shape[0]  # each slice, and the same mirrored


@dataclass
class Machine:
    """A clock on the wall, and one of the processors that this process had."""

    wall_s: float = 0.0
    processor_s: float = 0.0

    def perf_counter(self) -> float:
        return self.wall_s

    def process_time(self) -> float:
        return self.processor_s


class Beside(Segmenter):
    """Finds nothing, for a second of the processor a slice; `waits_s` more go to whoever else works on the machine."""

    name: str
    waits_s: float
    machine: Machine
    order: list[str]

    def read(self, *arguments):
        self.order.append(self.name)
        return super().read(*arguments)

    def _fill(self, parts, slices, first):
        parts[:, first : first + BATCH_SIZE] = np.array([1.0, 0.0, 0.0]).reshape(3, 1, 1, 1)
        self.machine.processor_s += 1.0
        self.machine.wall_s += 1.0 + self.waits_s


def beside(name: str, waits_s: float, machine: Machine, order: list[str]) -> Beside:
    segmenter = Beside.load(threads=1)
    segmenter.name, segmenter.waits_s, segmenter.machine, segmenter.order = name, waits_s, machine, order
    segmenter.weights = None  # memory is not measured
    return segmenter


def test_a_busy_neighbour_lengthens_the_wall_s_time_and_not_the_processor_s_and_both_take_turns(tmp_path, monkeypatch):
    machine, order = Machine(), []
    monkeypatch.setattr(prediction, "time", machine)
    for name in ("anna", "berta"):
        write_study(tmp_path / name, classes=True)
    candidate, champion = beside("candidate", 9.0, machine, order), beside("champion", 0.0, machine, order)

    tried, left_out = try_both(candidate, champion, find_studies(tmp_path), on_study=lambda: None)

    assert left_out == []
    assert order == ["candidate", "champion", "champion", "candidate"]
    assert [one.candidate.seconds for one in tried] == [10.0 * SEEN, 10.0 * SEEN]
    assert [one.champion.seconds for one in tried] == [SEEN, SEEN]
    assert {one.candidate.processor_seconds for one in tried} == {SEEN}
    assert {one.champion.processor_seconds for one in tried} == {SEEN}


def test_a_run_is_read_as_the_weights_that_it_started_from(tmp_path):
    """Otherwise it would be slower or faster than the champion for what nobody taught it."""
    config = NetworkConfig(zoom=1.25)
    rule = ReadingRule(plaque_threshold=0.4, slab_mm=0.0, is_mirrored=False)
    start = WeightsIdentity(config.name, "7", "1", config, reading=rule)
    save_weights(tmp_path / "start.safetensors", build_network(config), start)

    _, identity = starting_network(tmp_path / "start.safetensors")

    assert identity == WeightsIdentity(config.name, "best", "2", config, reading=rule)
