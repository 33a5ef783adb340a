# ruff: noqa: E402 (imports follow the check for torch)
"""Samples of a run: the same slices each time, with outlines along the edges of pixels; what the process takes."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.dataset import LabelledStudy
from inference_worker.resources import Meter
from inference_worker.run_samples import Watched, outlines_of


class Bright(torch.nn.Module):
    """Takes what is brighter than 200 for active, what is brighter than 150 for inactive."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, slices):
        grey = slices[:, 0] * 255.0
        active = (grey > 200).float()
        inactive = (grey > 150).float() * (1.0 - active)
        return 20.0 * torch.stack([1.0 - active - inactive, inactive, active], dim=1)


def study(name, sizes):
    """One slice for each size, with a square of that many pixels a side, grey 230, that an expert marked."""
    slices = np.full((len(sizes), 256, 256), 100, np.uint8)
    labels = np.zeros_like(slices)
    for index, size in enumerate(sizes):
        slices[index, 40 : 40 + size, 60 : 60 + size] = 230
        labels[index, 40 : 40 + size, 60 : 60 + size] = 3
    return LabelledStudy(name, f"{name}/S", slices, labels, 7.0)


def test_the_largest_plaques_of_each_study_are_watched_first():
    watched = Watched([study("anna", [0, 4, 9]), study("berta", [5, 0, 0]), study("cilka", [2, 3, 1])])

    found = watched.samples(Bright())

    assert [(one.number, one.study, one.slice_number) for one in found] == [
        (1, "anna/S", 3),
        (2, "berta/S", 1),
        (3, "cilka/S", 2),
        (4, "anna/S", 2),
    ]
    assert [(one.dice, one.outlines["active"], one.outlines["inactive"]) for one in found] == [
        (1.0, one.outlines["expert"], []) for one in found
    ]
    picture = cv2.imdecode(np.frombuffer(found[0].png, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture, study("anna", [0, 4, 9]).slices[2])


def test_where_nobody_marked_a_plaque_nothing_is_watched():
    assert Watched([study("anna", [0, 0])]).samples(Bright()) == []


def test_outlines_run_along_the_edges_of_pixels_and_around_holes():
    mask = np.zeros((20, 30), bool)
    mask[4:9, 10:16] = True
    mask[6, 12] = False

    outer, hole = sorted(outlines_of(mask), key=min)

    assert np.ptp(np.array(outer), axis=0).tolist() == pytest.approx([6, 5], abs=0.3)
    assert np.mean(outer, axis=0).tolist() == pytest.approx([13.0, 6.5], abs=0.1)
    assert np.mean(hole, axis=0).tolist() == pytest.approx([12.5, 6.5], abs=0.1)
    assert outlines_of(np.zeros((20, 30), bool)) == []


def test_what_the_process_takes_is_measured():
    meter = Meter("cpu")
    np.linalg.norm(np.ones((2000, 2000)))

    found = meter.read()

    assert (found.gpu, found.gpu_memory_bytes) == ("", None)
    assert 0 < found.memory_peak_bytes < found.memory_of_machine_bytes
    assert found.cores_used >= 0
