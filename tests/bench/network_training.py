"""A training step of our network, as a run takes it, beside the same step of the network as its table has it.

One core, float32, slices of 192x192 and 256x256 as the batches of a run have them; loss and optimiser are the run's.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BATCH_SIZE, TURNS = 8, 6
SIDES = (192, 256)

Step = Callable[[int], None]


def run() -> Iterator[dict[str, object]]:
    import torch

    torch.set_num_threads(1)
    steps = {
        "ours": step_of(torch.channels_last, is_short=True),
        "table": step_of(torch.channels_last, is_short=False),
        "table, default memory layout": step_of(torch.contiguous_format, is_short=False),
    }
    for side in SIDES:
        seconds = in_turns(steps, side)
        for peer in list(steps)[1:]:
            yield {
                "name": f"network_training_{side}" + ("_default_layout" if "default" in peer else ""),
                "value": round(BATCH_SIZE / statistics.median(seconds["ours"]), 2),
                "unit": "slices/s",
                "peer": f"the network as its table has it in PyTorch: {peer}",
                "peer_value": round(BATCH_SIZE / statistics.median(seconds[peer]), 2),
                "ratio": round(
                    statistics.median(b / a for a, b in zip(seconds["ours"], seconds[peer], strict=True)), 3
                ),
                "goal": "above 1",
                "n": TURNS,
            }


def in_turns(steps: dict[str, Step], side: int) -> dict[str, list[float]]:
    """Seconds of each step; the first turn warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(TURNS + 1):
        for name, step in steps.items():
            started = time.process_time()
            step(side)
            if turn:
                seconds[name].append(time.process_time() - started)
    return seconds


def step_of(layout: "torch.memory_format", *, is_short: bool) -> Step:
    import torch

    from inference_worker.config import NetworkConfig, TrainingConfig
    from inference_worker.losses import PlaqueLoss
    from inference_worker.networks import build_network
    from inference_worker.networks.training_form import training_form

    network = build_network(NetworkConfig()).train()
    network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks it
    learner, loss = training_form(network) if is_short else network, PlaqueLoss(TrainingConfig().loss)
    optimiser = torch.optim.AdamW(network.parameters())

    def step(side: int) -> None:
        slices = torch.rand(BATCH_SIZE, 1, side, side).contiguous(memory_format=layout)
        labels = torch.randint(0, 3, (BATCH_SIZE, side, side))
        optimiser.zero_grad(set_to_none=True)
        loss(learner(slices), labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step
