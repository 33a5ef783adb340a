"""What a process may still take, as the kernel's files say it of the machine and of control groups."""

from pathlib import Path

import pytest

from plaqueview.imaging.free_memory import free_memory_bytes

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

    assert free_memory_bytes(tmp_path) == free
