"""The exported network on one core against eager PyTorch, against a peer's network, and against the core's own peak.

Lines of batch 1, 8 and 25: slices per second of the shipped model, first against the same network eager in float32, then
against `segmentation_models_pytorch.DeepLabV3Plus("tu-efficientnet_b0")` eager; the faster of PyTorch's two memory layouts
counts. `network_cpu_peak_*` gives the share of the core's float32 matrix product that the model reaches, where a slice
counts as the 5.71 GFLOP of the network as the table has it, and `network_cpu_peak_executed_*` as the 3.92 GFLOP that the
exported graph executes.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping

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


def run() -> Iterator[dict[str, object]]:
    import torch

    torch.set_num_threads(1)
    segmenter = Segmenter.load(threads=1)
    networks = {"ours": lambda slices: segmenter.session.run(None, {"slices": slices}), **eager_networks()}
    for batch in BATCHES:
        slices = np.random.default_rng(0).random((batch, 1, 256, 256), np.float32)
        seconds, peak_gflops = interleaved(networks, slices, rounds=ROUNDS[batch])
        rate = {name: batch / value for name, value in seconds.items()}
        same, peer = (max(rate[f"{name} {layout}"] for layout in LAYOUTS) for name in ("same", "peer"))
        yield line(f"network_cpu_batch{batch}", rate["ours"], "slices/s", SAME, same, 2.0, ROUNDS[batch])
        yield line(f"network_cpu_batch{batch}_smp", rate["ours"], "slices/s", PEER, peer, 2.0, ROUNDS[batch])
        for name, gflop in (("peak", TABLE_GFLOP), ("peak_executed", EXECUTED_GFLOP)):
            yield line(
                f"network_cpu_{name}_batch{batch}",
                rate["ours"] * gflop,
                "GFLOP/s",
                f"float32 matrix product of {MATRIX_SIDE} x {MATRIX_SIDE}",
                peak_gflops,
                0.65,
                ROUNDS[batch],
            )


LAYOUTS = ("contiguous", "channels_last")


def eager_networks() -> dict[str, Timed]:
    """PyTorch's networks by name and memory layout, giving probabilities as the exported graph does."""
    import torch

    from inference_worker.checkpoint import load_weights
    from inference_worker.torchvision_import import timm  # noqa: F401  (makes the peer importable)

    import segmentation_models_pytorch as smp

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
        f"{name} {layout}": eager(make(), layouts[layout])
        for name, make in (("same", same), ("peer", peer))
        for layout in LAYOUTS
    }


def interleaved(networks: Mapping[str, Timed], slices: np.ndarray, *, rounds: int) -> tuple[dict[str, float], float]:
    """Median seconds of every network, and the core's median GFLOP/s in a matrix product, in turns."""
    import torch

    matrix = torch.rand(MATRIX_SIDE, MATRIX_SIDE)
    for network in networks.values():
        network(slices)
    times: dict[str, list[float]] = {name: [] for name in (*networks, "product")}
    for _ in range(rounds):
        for name, network in networks.items():
            times[name].append(seconds_of(lambda network=network: network(slices)))
        times["product"].append(seconds_of(lambda: matrix @ matrix))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return medians, 2.0 * MATRIX_SIDE**3 / medians.pop("product") / 1e9


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def line(
    name: str, value: float, unit: str, peer: str, peer_value: float, goal: float, rounds: int
) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "peer": peer,
        "peer_value": round(peer_value, 2),
        "ratio": round(value / peer_value, 3),
        "goal": goal,
        "n": rounds,
    }
