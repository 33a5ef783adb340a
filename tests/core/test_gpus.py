"""The GPUs of a machine, as a command that answers like NVIDIA's tells them."""

from pathlib import Path

import pytest

from plaqueview.core import gpus as module
from plaqueview.core.gpus import Gpu, gpus

# As nvidia-smi writes csv without header and units: memory in MiB. A card that is split tells no memory of its own.
TOLD = """\
0, GPU-11111111-aaaa, 143771, 143000, NVIDIA H200
1, GPU-22222222-bbbb, 24576, 1024, NVIDIA RTX A5000, rev 2
2, GPU-33333333-cccc, [N/A], [N/A], NVIDIA A100
"""
H200 = Gpu("NVIDIA H200", 143771 * 2**20, 143000 * 2**20)
A5000 = Gpu("NVIDIA RTX A5000, rev 2", 24576 * 2**20, 1024 * 2**20)


@pytest.fixture(autouse=True)
def forgotten():
    module._gpus_at.cache_clear()
    yield
    module._gpus_at.cache_clear()


def put_command(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, (H200, A5000)),
        ("1", (A5000,)),
        ("0, 1", (H200, A5000)),
        ("GPU-2222", (A5000,)),
        ("", ()),
        ("-1", ()),
    ],
)
def test_those_are_told_that_the_process_may_use(visible, expected, tmp_path, monkeypatch, settings):
    put_command(tmp_path, monkeypatch, f"cat <<'END'\n{TOLD}END")
    settings.CUDA_VISIBLE_DEVICES = visible

    assert gpus() == expected


@pytest.mark.parametrize("script", ["echo 'No devices were found' >&2; exit 6", None])
def test_a_machine_without_a_gpu_has_none(script, tmp_path, monkeypatch):
    if script is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        put_command(tmp_path, monkeypatch, script)

    assert gpus() == ()
