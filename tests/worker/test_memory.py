"""What a model needs is measured in a process of its own, which knows nothing of this one's memory."""

import numpy as np

from inference_worker.memory import peak_bytes_of, resident_bytes
from inference_worker.prediction import shipped_weights
from plaqueview.imaging.nifti import write_volume_nifti
from tests.worker.support import head_volume


def test_a_process_of_its_own_needs_what_it_needs_however_large_this_one_is(tmp_path):
    write_volume_nifti(tmp_path / "flair.nii.gz", head_volume())
    held = np.ones(75_000_000)  # 0.6 GB, which a forked process would be charged with

    peak = peak_bytes_of(shipped_weights(), tmp_path / "flair.nii.gz")

    assert resident_bytes()[1] > held.nbytes
    assert peak is not None
    assert shipped_weights().stat().st_size < peak < held.nbytes


def test_what_cannot_be_read_is_not_measured(tmp_path):
    assert peak_bytes_of(tmp_path / "none.onnx", tmp_path / "flair.nii.gz") is None
