"""What a model needs is measured in a process of its own, which knows nothing of this one's memory."""

from pathlib import Path

import numpy as np
import pytest

from inference_worker.memory import free_bytes, peak_bytes_of, resident_bytes
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


MIB = 2**20
MACHINE = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 8192 kB\nHugePages_Total: 0\n"}
FIRST_VERSION = {
    "proc/self/cgroup": "4:cpu,memory:/docker/1f\n2:pids:/docker/1f\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{6 * MIB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{5 * MIB}\n",
    "sys/fs/cgroup/memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {2 * MIB}\n",
}
SECOND_VERSION = {
    "proc/self/cgroup": "0::/pod/worker\n",
    "sys/fs/cgroup/pod/memory.max": f"{4 * MIB}\n",
    "sys/fs/cgroup/pod/memory.current": f"{3 * MIB}\n",
    "sys/fs/cgroup/pod/memory.stat": f"anon 5\ninactive_file {MIB}\n",
    "sys/fs/cgroup/pod/worker/memory.max": "max\n",
    "sys/fs/cgroup/pod/worker/memory.current": f"{3 * MIB}\n",
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        (MACHINE, 8 * MIB),
        (FIRST_VERSION, 3 * MIB),  # that of a container, whose path is the host's
        (MACHINE | FIRST_VERSION, 3 * MIB),
        (MACHINE | SECOND_VERSION, 2 * MIB),  # the outer group has the limit
        (SECOND_VERSION | {"sys/fs/cgroup/pod/memory.current": f"{9 * MIB}"}, 0),
    ],
)
def test_as_much_memory_is_free_as_the_machine_and_every_control_group_leave(tmp_path: Path, files, free):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert free_bytes(tmp_path) == free
