"""The exported network on one core against eager PyTorch, against a peer's network, and against the core's own peak.

Lines of batch 1, 8 and 25: slices per second of the shipped model against the same network eager in float32, in the
default memory layout of PyTorch and in channels_last, and against the peer likewise. `network_cpu_peak_*` gives the
share of the core's float32 matrix product that the model reaches, where a slice counts as the 5.71 GFLOP of the network
as its table has it; in `network_cpu_peak_executed_*` it counts as the 3.92 GFLOP that the exported graph executes.
"""

import importlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from inference_worker.prediction import Segmenter, shipped_weights

BATCHES = (1, 8, 25)
ROUNDS = {1: 15, 8: 5, 25: 3}
PEER = "segmentation_models_pytorch DeepLabV3Plus tu-efficientnet_b0, eager float32"
SAME = "the same network, eager float32"
TABLE_GFLOP = 5.708831552  # torch.utils.flop_counter, one slice
EXECUTED_GFLOP = 3.915766592
MATRIX_SIDE = 2048

Timed = Callable[[np.ndarray], object]


LAYOUTS = ("", "_channels_last")


def run() -> Iterator[dict[str, object]]:
    import torch

    torch.set_num_threads(1)
    segmenter = Segmenter.load(threads=1)
    networks = {"ours": lambda slices: segmenter.probabilities(slices[:, 0]), **eager_networks()}
    for batch in BATCHES:
        slices = np.random.default_rng(0).random((batch, 1, 256, 256), np.float32)
        medians = interleaved(networks, slices, rounds=ROUNDS[batch])
        yield from lines_of(batch, medians)


def lines_of(batch: int, medians: Mapping[str, float]) -> Iterator[dict[str, object]]:
    """The lines of one batch from the median seconds by name."""
    rate = {name: batch / seconds for name, seconds in medians.items()}
    common = {"n": ROUNDS[batch], "unit": "slices/s", "value": round(rate["ours"], 2), "goal": 2.0}
    for network, peer in (("same", SAME), ("smp", PEER)):
        for layout in LAYOUTS:
            name = f"network_cpu_batch{batch}" + (f"_{network}" if network != "same" else "") + layout
            other = rate[network + layout]
            yield {**common, "name": name, "peer": peer + layout.replace("_", " ", 1), **compared(rate["ours"], other)}
    product = 2.0 * MATRIX_SIDE**3 / medians["product"] / 1e9
    for share, gflop in (("peak", TABLE_GFLOP), ("peak_executed", EXECUTED_GFLOP)):
        reached = rate["ours"] * gflop
        yield {
            **common,
            "name": f"network_cpu_{share}_batch{batch}",
            "unit": "GFLOP/s",
            "value": round(reached, 2),
            "goal": 0.65,
            "peer": f"float32 matrix product of {MATRIX_SIDE} x {MATRIX_SIDE}",
            **compared(reached, product),
        }


def compared(value: float, peer_value: float) -> dict[str, float]:
    return {"peer_value": round(peer_value, 2), "ratio": round(value / peer_value, 3)}


def eager_networks() -> dict[str, Timed]:
    """PyTorch's networks by name and memory layout, giving probabilities as the exported graph does."""
    import torch

    from inference_worker.checkpoint import load_weights

    smp = importlib.import_module("segmentation_models_pytorch")  # after the network's own import mends torchvision

    def same() -> torch.nn.Module:
        return load_weights(shipped_weights().with_suffix(".safetensors"))[0]

    def peer() -> torch.nn.Module:
        return smp.DeepLabV3Plus("tu-efficientnet_b0", encoder_weights=None, in_channels=1, classes=3).eval()

    def eager(network: torch.nn.Module, layout: torch.memory_format) -> Timed:
        network = network.to(memory_format=layout)

        @torch.inference_mode()
        def probabilities(slices: np.ndarray) -> object:
            return network(torch.from_numpy(slices).contiguous(memory_format=layout)).softmax(dim=1).numpy()

        return probabilities

    layouts = dict(zip(LAYOUTS, (torch.contiguous_format, torch.channels_last), strict=True))
    return {
        f"{name}{layout}": eager(make(), layouts[layout])
        for name, make in (("same", same), ("smp", peer))
        for layout in LAYOUTS
    }


def interleaved(networks: Mapping[str, Timed], slices: np.ndarray, *, rounds: int) -> dict[str, float]:
    """Median seconds of every network, and of a matrix product under "product", in turns."""
    import torch

    matrix = torch.rand(MATRIX_SIDE, MATRIX_SIDE)
    work: dict[str, Callable[[], object]] = {name: partial(network, slices) for name, network in networks.items()}
    work["product"] = partial(torch.matmul, matrix, matrix)
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, step in work.items():
            started = time.perf_counter()
            step()
            if turn:  # the first turn warms up
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}
