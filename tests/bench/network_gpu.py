"""The shipped network on a GPU, against itself and a peer as PyTorch runs them, and against the card's own peak.

Ours is the network in bfloat16 and channels_last, replayed as a CUDA graph; the others are eager and float32 in
PyTorch's default memory layout, and the form that is exported for CPUs, as a graph like ours. Lines of batch 1, 32 and
256: slices per second, the memory at most, and the share of the card's bfloat16 matrix product that is reached, where a
slice counts as the operations of the network as its table has it. `network_gpu_training_*` is a step of a run, and
`network_gpu_compiled_*` what torch.compile makes of the network. Without a GPU there are no lines.
"""

import copy
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from inference_worker.config import SLICE_SIZE
from tests.bench.network_cpu import PEER, SAME, compared, gflop_of, peer_network

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCHES = (1, 32, 256)
TRAINING_BATCHES = (8, 32)
COMPILED_BATCH = 32
ROUNDS, WARM_UPS = 20, 3
MATRIX_SIDE = 8192
EXPORTED = "the form that is exported for CPUs, bfloat16, CUDA graph"

Step = Callable[[], object]


def run() -> Iterator[dict[str, object]]:
    import torch

    if not torch.cuda.is_available():
        print("network_gpu: no GPU here, so there is nothing to measure", file=sys.stderr)
        return
    from inference_worker.checkpoint import load_weights
    from inference_worker.networks.inference_form import inference_form
    from inference_worker.prediction import shipped_weights

    shipped, identity = load_weights(shipped_weights().with_suffix(".safetensors"))
    exported = inference_form(copy.deepcopy(shipped), SLICE_SIZE).eval()
    gflop = gflop_of(shipped)
    peak = 2.0 * MATRIX_SIDE**3 / 1e12 / seconds_of({"product": product()})["product"]
    peers = {SAME: shipped.cuda(), PEER: peer_network(identity.network.zoom).cuda()}
    for batch in BATCHES:
        yield from inference_lines(batch, exported, peers, gflop=gflop, peak=peak)
    yield difference_line(peers[SAME])
    yield compiled_line(peers[SAME])
    for batch in TRAINING_BATCHES:
        yield from training_lines(batch, identity.network.zoom)


def inference_lines(
    batch: int, exported: "nn.Module", peers: Mapping[str, "nn.Module"], *, gflop: float, peak: float
) -> Iterator[dict[str, object]]:
    import torch

    slices = torch.rand(batch, 1, SLICE_SIZE, SLICE_SIZE, device="cuda")
    memory = {name: memory_of(eager(peer, slices)) for name, peer in peers.items()}
    ours = memory_of(eager(bfloat16_of(peers[SAME]), as_bfloat16(slices)))
    steps = {"ours": graphed(peers[SAME], slices), EXPORTED: graphed(exported, slices)}
    steps |= {name: eager(peer, slices) for name, peer in peers.items()}
    rate = {name: batch / seconds for name, seconds in seconds_of(steps).items()}
    common = {"n": ROUNDS, "goal": "none: reported"}
    for name, suffix in ((SAME, ""), (PEER, "_smp"), (EXPORTED, "_exported")):
        speed = {"unit": "slices/s", "value": round(rate["ours"], 1), "peer": name}
        yield {**common, **speed, "name": f"network_gpu_batch{batch}{suffix}", **compared(rate["ours"], rate[name])}
    reached = rate["ours"] * gflop / 1e3
    yield {
        **common,
        "name": f"network_gpu_peak_batch{batch}",
        "unit": "TFLOP/s",
        "value": round(reached, 2),
        "peer": f"bfloat16 matrix product of {MATRIX_SIDE} x {MATRIX_SIDE}",
        **compared(reached, peak),
    }
    yield {
        **common,
        "name": f"network_gpu_memory_batch{batch}",
        "unit": "MiB at most beside the weights",
        "value": round(ours, 1),
        "peer": SAME,
        "peer_value": round(memory[SAME], 1),
        "ratio": round(memory[SAME] / ours, 3),
    }


def compiled_line(network: "nn.Module") -> dict[str, object]:
    import torch

    slices = torch.rand(COMPILED_BATCH, 1, SLICE_SIZE, SLICE_SIZE, device="cuda")
    compiled = torch.compile(bfloat16_of(network), dynamic=False)
    steps = {"compiled": captured(compiled, as_bfloat16(slices)), "graph": graphed(network, slices)}
    rate = {name: COMPILED_BATCH / seconds for name, seconds in seconds_of(steps).items()}
    return {
        "name": f"network_gpu_compiled_batch{COMPILED_BATCH}",
        "unit": "slices/s",
        "value": round(rate["compiled"], 1),
        "peer": "the same network not compiled, both replayed as a CUDA graph",
        "n": ROUNDS,
        "goal": "none: reported",
        **compared(rate["compiled"], rate["graph"]),
    }


def training_lines(batch: int, zoom: float) -> Iterator[dict[str, object]]:
    """A step as a run takes it: forward, loss, backward, clipping and optimiser, on slices of 192x192."""
    import torch

    steps = {
        "ours": training_step(batch, zoom, torch.bfloat16),
        "_shorter": training_step(batch, zoom, torch.bfloat16, is_shorter=True),
        "": training_step(batch, zoom, torch.float32),
    }
    peers = {
        "_shorter": "its form for training on CPUs, likewise",
        "": "the same network, float32, default memory layout",
    }
    rate = {name: batch / seconds for name, seconds in seconds_of(steps).items()}
    for name, peer in peers.items():
        yield {
            "name": f"network_gpu_training_batch{batch}{name}",
            "unit": "slices/s",
            "value": round(rate["ours"], 1),
            "peer": peer,
            "n": ROUNDS,
            "goal": "above 1",
            **compared(rate["ours"], rate[name]),
        }


def training_step(batch: int, zoom: float, precision: "torch.dtype", *, is_shorter: bool = False) -> Step:
    import torch

    from inference_worker.config import NetworkConfig, TrainingConfig
    from inference_worker.losses import PlaqueLoss
    from inference_worker.networks import build_network
    from inference_worker.networks.training_form import training_form

    is_bfloat16 = precision is torch.bfloat16
    layout = torch.channels_last if is_bfloat16 else torch.contiguous_format
    network = build_network(NetworkConfig(zoom=zoom)).train().cuda()
    network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks it
    learner, loss = training_form(network) if is_shorter else network, PlaqueLoss(TrainingConfig().loss)
    optimiser = torch.optim.AdamW(network.parameters())
    slices = torch.rand(batch, 1, 192, 192, device="cuda").contiguous(memory_format=layout)
    labels = torch.randint(0, 3, (batch, 192, 192), device="cuda")

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=precision, enabled=is_bfloat16):
            logits = learner(slices)
        loss(logits.float(), labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def product() -> Step:
    import torch

    left, right = (torch.randn(MATRIX_SIDE, MATRIX_SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return lambda: left @ right


def eager(network: "nn.Module", slices: "torch.Tensor") -> Step:
    import torch

    @torch.inference_mode()
    def step() -> object:
        return network(slices).softmax(dim=1)

    return step


def bfloat16_of(network: "nn.Module") -> "nn.Module":
    import torch

    moved = copy.deepcopy(network).cuda().to(torch.bfloat16)
    return moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch's stub lacks it


def as_bfloat16(slices: "torch.Tensor") -> "torch.Tensor":
    import torch

    return slices.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)


def graphed(network: "nn.Module", slices: "torch.Tensor") -> Step:
    return captured(bfloat16_of(network), as_bfloat16(slices))


def captured(network: "nn.Module", slices: "torch.Tensor") -> Step:
    """The network's whole answer to slices of that shape as one CUDA graph."""
    import torch

    step = eager(network, slices)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for _ in range(WARM_UPS):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay() -> object:
        graph.replay()
        return step  # and with it the weights, which have to live as long as the graph

    return replay


def difference_line(network: "nn.Module") -> dict[str, object]:
    """How far bfloat16 is from float32, on smooth slices as the parity of an export is checked on."""
    import torch

    coarse = torch.rand((COMPILED_BATCH, 1, 32, 32), generator=torch.Generator().manual_seed(0))
    slices = torch.nn.functional.interpolate(coarse, size=SLICE_SIZE, mode="bilinear").clamp(0.0, 1.0).cuda()
    with torch.inference_mode():
        exact = network(slices).softmax(dim=1)
        found = bfloat16_of(network)(as_bfloat16(slices)).softmax(dim=1).float()
    return {
        "name": "network_gpu_difference",
        "unit": "largest difference of a probability, bfloat16 from float32",
        "value": round((exact - found).abs().max().item(), 4),
        "peer": "the mean difference",
        "peer_value": round((exact - found).abs().mean().item(), 6),
        "ratio": 1.0,
        "n": COMPILED_BATCH,
        "goal": "none: reported",
    }


def memory_of(step: Step) -> float:
    """MiB that a step holds at most beyond what was held before it."""
    import torch

    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - held) / 2**20


def seconds_of(steps: Mapping[str, Step]) -> dict[str, float]:
    """Median seconds of each step by the card's own clock, in turns."""
    import torch

    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(WARM_UPS + ROUNDS):
        for name, step in steps.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            step()
            end.record()
            torch.cuda.synchronize()
            if turn >= WARM_UPS:
                seconds[name].append(start.elapsed_time(end) / 1e3)
    return {name: statistics.median(each) for name, each in seconds.items()}
