"""A network's exported graph, run in float32 by ONNX Runtime, on the CPU or on a GPU, or in bfloat16 by OpenVINO.

Which of them, and what it is worth: docs/decisions/0053-bfloat16.md, docs/decisions/0054-reading-on-a-gpu.md.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import onnxruntime
import onnxruntime.capi.onnxruntime_pybind11_state as onnx_errors
from numpy.typing import NDArray

from inference_worker.config import SLICE_SIZE

IDENTITY_KEY = "plaqueview"
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
PRECISIONS = ("float32", "bfloat16")
PLACES = {"cpu": "the CPU", "cuda": "a GPU (CUDA)"}

# (n, 1, 256, 256) slices of 0..1 to (n, classes, 256, 256) probabilities, float32 both; from any thread.
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class WeightsError(ValueError):
    """Weights that cannot be run here."""


class DeviceError(ValueError):
    """A device or a precision that this machine or this installation does not have."""


@dataclass(frozen=True, eq=False)
class Graph:
    """`identity` is what `export` wrote into the file, `computation` in which precision it runs, and on what."""

    run: Run
    identity: Mapping[str, Any]  # Any: JSON
    computation: str


def open_graph(path: Path, *, device: str, precision: str, threads: int) -> Graph:
    """The graph of an ONNX file, for so many calls side by side, of one thread each.

    Raises: DeviceError when the device or the precision is not here; WeightsError when the file is no ONNX graph, or
    says not what it is.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"precision {precision!r} is not known, need one of {list(PRECISIONS)}")
    session = _session(path, device)
    text = session.get_modelmeta().custom_metadata_map.get(IDENTITY_KEY)
    if text is None:
        raise WeightsError(f"weights {path.name} carry no identity, need a file that `export` wrote")
    run = _in_bfloat16(path, device, threads) if precision == "bfloat16" else _in_float32(session)
    return Graph(run, json.loads(text), f"{precision} on {PLACES[device]}")


def _session(path: Path, device: str) -> onnxruntime.InferenceSession:
    if device not in PROVIDERS or PROVIDERS[device] not in onnxruntime.get_available_providers():
        available = [name for name, provider in PROVIDERS.items() if provider in onnxruntime.get_available_providers()]
        raise DeviceError(f"device {device!r} is not available, need one of {available}")
    if device == "cuda":
        onnxruntime.preload_dlls()  # CUDA's libraries come as packages of Python, where no linker looks
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=[PROVIDERS[device]])
    except (onnx_errors.InvalidProtobuf, onnx_errors.InvalidGraph, onnx_errors.Fail) as error:
        raise WeightsError(f"weights {path.name} are no ONNX graph that loads: {error}") from error
    # ONNX Runtime logs that a provider does not start, and goes on with the CPU.
    if PROVIDERS[device] not in session.get_providers():
        raise DeviceError(f"device {device!r} does not start here: no GPU, or not the CUDA that ONNX Runtime needs")
    return session


def _in_float32(session: onnxruntime.InferenceSession) -> Run:
    def run(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        (found,) = session.run(["probabilities"], {"slices": slices})
        return np.asarray(found)

    return run


def _in_bfloat16(path: Path, device: str, threads: int) -> Run:
    core = _openvino().Core()
    if device != "cpu":
        raise DeviceError(f"precision 'bfloat16' is of the CPU, the device is {device!r}")
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DeviceError("precision 'bfloat16' needs a CPU with units for it (AVX512_BF16 or AMX), here are none")
    compiled = core.compile_model(
        core.read_model(path),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # other workers use these cores, too
        },
    )
    # A request is one call at a time.
    free: SimpleQueue[Any] = SimpleQueue()  # Any: OpenVINO ships no types for it
    for _ in range(threads):
        request = compiled.create_infer_request()
        # From one thread: two whose very first call it is wait for each other, inside of OpenVINO's Python (2026.4).
        request.infer({"slices": np.zeros((1, 1, SLICE_SIZE, SLICE_SIZE), np.float32)})
        free.put(request)

    def run(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        request = free.get()
        try:
            return np.array(request.infer({"slices": slices})["probabilities"])
        finally:
            free.put(request)

    return run


def _openvino() -> Any:  # Any: a module that need not be here
    """Raises: DeviceError when it is not installed."""
    # Its telemetry, which comes along, would tell its makers of what is run; without it OpenVINO tells nobody.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what Python takes for "not there"
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise DeviceError("precision 'bfloat16' needs OpenVINO: install the extra 'bfloat16'") from error
