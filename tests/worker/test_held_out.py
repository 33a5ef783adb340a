"""Predictions on held-out studies come back as they were kept, to 1/255."""

import numpy as np
import pytest

from inference_worker.held_out import HeldOutError, held_out_names, read_held_out, write_held_out
from inference_worker.reading_rule import FIRST_RULE


def test_probabilities_come_back_by_study(tmp_path):
    drawn = np.random.default_rng(0).random((2, 3, 256, 256), dtype=np.float32)
    kept = {"case01": drawn, "case02/visit1": 1 - drawn[:1]}

    write_held_out(tmp_path / "held_out.npz", kept, version="2", reading=FIRST_RULE)

    found = read_held_out(tmp_path / "held_out.npz", versions={"2"})
    assert (list(found.probabilities), found.plaque_threshold) == (["case01", "case02/visit1"], 0.5)
    assert held_out_names(tmp_path / "held_out.npz") == ["case01", "case02/visit1"]
    for name, probabilities in kept.items():
        np.testing.assert_allclose(found.probabilities[name], probabilities, atol=0.5 / 255 + 1e-6)


def test_a_file_from_before_thresholds_were_kept_is_read_as_it_was(tmp_path):
    np.savez(tmp_path / "held_out.npz", case01=np.zeros((2, 3, 256, 256), np.uint8), preprocessing_version="2")

    assert read_held_out(tmp_path / "held_out.npz", versions={"2"}).plaque_threshold == 0.25


def test_a_file_of_another_shape_is_refused_by_name(tmp_path):
    np.savez(tmp_path / "held_out.npz", case01=np.zeros((2, 256, 256), np.uint8), preprocessing_version="2")

    with pytest.raises(HeldOutError, match=r"predictions of case01 are uint8 of shape \(2, 256, 256\)"):
        read_held_out(tmp_path / "held_out.npz", versions={"2"})


def test_predictions_on_another_grid_are_refused(tmp_path):
    np.savez(tmp_path / "held_out.npz", case01=np.zeros((2, 3, 256, 256), np.uint8))

    with pytest.raises(HeldOutError, match=r"predictions held_out.npz are of preprocessing '1', need one of \['2'\]"):
        read_held_out(tmp_path / "held_out.npz", versions={"2"})


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "held_out.npz").write_bytes(b"PK no archive")

    with pytest.raises(HeldOutError, match=r"predictions held_out.npz do not read"):
        read_held_out(tmp_path / "held_out.npz", versions={"2"})
