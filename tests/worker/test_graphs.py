"""One graph in float32 and in bfloat16: nearly the same answer, and whoever cannot give it says why."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from inference_worker.graphs import PROVIDERS, DeviceError, Graph, open_graph
from inference_worker.prediction import Segmenter, shipped_weights
from tests.worker.support import head_volume


@pytest.fixture(scope="module")
def bfloat16() -> Graph:
    """For two calls side by side; skips where OpenVINO, or a CPU with units for it, is not here."""
    try:
        return open_graph(shipped_weights(), device="cpu", precision="bfloat16", threads=2)
    except DeviceError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_marks_what_float32_marks():
    head = head_volume()
    exact, quick = (
        Segmenter.load(precision=precision, threads=2).segment(head) for precision in ("float32", "bfloat16")
    )

    marked, marked_too = exact.labels.voxels > 0, quick.labels.voxels > 0
    shared = 2 * (marked & marked_too).sum() / (marked.sum() + marked_too.sum())
    assert (marked.sum() > 50, shared > 0.95) == (True, True)
    assert 0.0 < np.abs(exact.plaque_probability - quick.plaque_probability).mean() < 1e-3
    assert (exact.brain_mask == quick.brain_mask).all()
    assert (exact.computation, quick.computation) == ("float32 on the CPU", "bfloat16 on the CPU")


def test_calls_side_by_side_give_what_each_gives_alone(bfloat16):
    slices = np.random.default_rng(0).random((6, 1, 1, 256, 256), np.float32)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(bfloat16.run, slices))

    assert all((one == bfloat16.run(alone)).all() for one, alone in zip(together, slices, strict=True))
    assert np.concatenate(together).sum(axis=1) == pytest.approx(1.0, abs=0.01)


@pytest.mark.usefixtures("bfloat16")
def test_in_a_new_process_threads_begin_together_and_its_telemetry_stays_out():
    command = """
import sys
import numpy as np
from inference_worker.prediction import Segmenter
Segmenter.load(precision="bfloat16", threads=2).probabilities(np.ones((4, 256, 256), np.float32))
print("openvino" in sys.modules, sys.modules["openvino_telemetry"])
"""
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False, timeout=120)

    assert (done.stdout.split(), done.stderr) == (["True", "None"], "")


def test_what_is_not_here_is_refused(monkeypatch):
    def load(**words: str) -> Segmenter:
        return Segmenter.load(threads=1, **words)

    with pytest.raises(DeviceError, match=r"'float8' is not known, need one of \['float32', 'bfloat16'\]"):
        load(precision="float8")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DeviceError, match="needs OpenVINO: install the extra 'bfloat16'"):
        load(precision="bfloat16")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_does_not_start_is_refused_and_the_cpu_does_not_take_its_place(monkeypatch):
    """ONNX Runtime's build for CUDA, on a machine without a GPU, says what it has and goes on with the CPU."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*PROVIDERS.values()])

    with pytest.raises(DeviceError, match="device 'cuda' does not start here: no GPU, or not the CUDA"):
        Segmenter.load(device="cuda")


def test_a_cpu_without_units_for_it_is_named(monkeypatch):
    class Core:
        def get_property(self, _device: str, _name: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr("inference_worker.graphs._openvino", lambda: type("Module", (), {"Core": Core}))

    with pytest.raises(DeviceError, match="needs a CPU with units for it"):
        Segmenter.load(precision="bfloat16", threads=1)
