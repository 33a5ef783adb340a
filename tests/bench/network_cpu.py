"""The exported network on one core against eager PyTorch, against a peer's network, and against the core's own peak.

Lines of batch 1, 8 and 25: slices per second of the shipped model against the same network eager in float32, in the
default memory layout of PyTorch and in channels_last, and against the peer likewise, on slices enlarged as ours are.
`network_cpu_peak_*` gives the share of the core's float32 matrix product that the model reaches, where a slice counts
as the operations of the network as its table has it; in `network_cpu_peak_executed_*` as those that the graph executes.
`network_cpu_bfloat16_*` says the same of the model in bfloat16, against the same float32, where OpenVINO and a CPU with
units for it are here.
"""

import copy
import importlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from inference_worker.config import SLICE_SIZE
from inference_worker.graphs import PRECISIONS, DeviceError
from inference_worker.prediction import Segmenter, shipped_weights

if TYPE_CHECKING:
    import torch

BATCHES = (1, 8, 25)
ROUNDS = {1: 11, 8: 3, 25: 3}
PEER = "segmentation_models_pytorch DeepLabV3Plus tu-efficientnet_b0, eager float32"
SAME = "the same network, eager float32"
MATRIX_SIDE = 2048

Timed = Callable[[np.ndarray], object]


LAYOUTS = ("", "_channels_last")


def run() -> Iterator[dict[str, object]]:
    import torch

    from inference_worker.checkpoint import load_weights
    from inference_worker.networks.inference_form import inference_form

    torch.set_num_threads(1)
    shipped, identity = load_weights(shipped_weights().with_suffix(".safetensors"))
    eager = eager_networks(shipped, zoom=identity.network.zoom)
    ours = exported_networks()
    gflop = {"peak": gflop_of(shipped), "peak_executed": gflop_of(inference_form(shipped, SLICE_SIZE))}
    for batch in BATCHES:
        slices = np.random.default_rng(0).random((batch, 1, 256, 256), np.float32)
        medians = interleaved({**ours, **eager}, slices, rounds=ROUNDS[batch])
        for precision in ours:
            yield from lines_of(precision, batch, medians, gflop)


def exported_networks() -> dict[str, Timed]:
    """By precision, those that this machine has."""
    networks: dict[str, Timed] = {}
    for precision in PRECISIONS:
        with suppress(DeviceError):
            segmenter = Segmenter.load(precision=precision, threads=1)
            networks[precision] = partial(exported, segmenter)
    return networks


def exported(segmenter: Segmenter, slices: np.ndarray) -> object:
    return segmenter.probabilities(slices[:, 0])


def gflop_of(network: "torch.nn.Module") -> float:
    """Of one slice, as torch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 1, SLICE_SIZE, SLICE_SIZE))
    return float(counter.get_total_flops()) / 1e9


def lines_of(
    precision: str, batch: int, medians: Mapping[str, float], gflop: Mapping[str, float]
) -> Iterator[dict[str, object]]:
    """The lines of one batch from the median seconds by name, and the operations of a slice by what is counted."""
    rate = {name: batch / seconds for name, seconds in medians.items()}
    prefix = "network_cpu" if precision == "float32" else f"network_cpu_{precision}"
    common = {"n": ROUNDS[batch], "unit": "slices/s", "value": round(rate[precision], 2), "goal": 2.0}
    for network, peer in (("same", SAME), ("smp", PEER)):
        for layout in LAYOUTS:
            name = f"{prefix}_batch{batch}" + (f"_{network}" if network != "same" else "") + layout
            other = rate[network + layout]
            yield {
                **common,
                "name": name,
                "peer": peer + layout.replace("_", " ", 1),
                **compared(rate[precision], other),
            }
    product = 2.0 * MATRIX_SIDE**3 / medians["product"] / 1e9
    for share, of_slice in gflop.items():
        reached = rate[precision] * of_slice
        yield {
            **common,
            "name": f"{prefix}_{share}_batch{batch}",
            "unit": "GFLOP/s",
            "value": round(reached, 2),
            "goal": 0.65,
            "peer": f"float32 matrix product of {MATRIX_SIDE} x {MATRIX_SIDE}",
            **compared(reached, product),
        }


def compared(value: float, peer_value: float) -> dict[str, float]:
    return {"peer_value": round(peer_value, 2), "ratio": round(value / peer_value, 3)}


def peer_network(zoom: float) -> "torch.nn.Module":
    from inference_worker.networks.zoom import zoomed

    smp = importlib.import_module("segmentation_models_pytorch")  # after the network's own import mends torchvision
    return zoomed(smp.DeepLabV3Plus("tu-efficientnet_b0", encoder_weights=None, in_channels=1, classes=3), zoom).eval()


def eager_networks(shipped: "torch.nn.Module", *, zoom: float) -> dict[str, Timed]:
    """PyTorch's networks by name and memory layout, giving probabilities as the exported graph does."""
    import torch

    def same() -> torch.nn.Module:
        return copy.deepcopy(shipped)

    def eager(network: torch.nn.Module, layout: torch.memory_format) -> Timed:
        network = network.to(memory_format=layout)

        @torch.inference_mode()
        def probabilities(slices: np.ndarray) -> object:
            return network(torch.from_numpy(slices).contiguous(memory_format=layout)).softmax(dim=1).numpy()

        return probabilities

    layouts = dict(zip(LAYOUTS, (torch.contiguous_format, torch.channels_last), strict=True))
    return {
        f"{name}{layout}": eager(make(), layouts[layout])
        for name, make in (("same", same), ("smp", partial(peer_network, zoom)))
        for layout in LAYOUTS
    }


def interleaved(networks: Mapping[str, Timed], slices: np.ndarray, *, rounds: int) -> dict[str, float]:
    """Median seconds of every network, and of a matrix product under "product", in turns."""
    import torch

    matrix = torch.rand(MATRIX_SIDE, MATRIX_SIDE)
    work: dict[str, Callable[[], object]] = {name: partial(network, slices) for name, network in networks.items()}
    work["product"] = partial(torch.matmul, matrix, matrix)
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, step in work.items():
            step()  # a study is read slice after slice: what the others left in the caches is not measured
            started = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}
