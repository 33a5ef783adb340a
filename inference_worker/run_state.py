"""The state of a training run on disk: tensors and one JSON text in a safetensors file, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

STATE_KEY = "run"
OPTIMISER = "optimiser"


class TrainingError(ValueError):
    """The run cannot start or go on."""


@dataclass(frozen=True)
class RunState:
    """Where a run stands. `best_dice` is the best validation so far, -1 before the first."""

    config: str
    step: int
    best_dice: float
    best_step: int


def save_state(path: Path, state: RunState, parts: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer) -> None:
    """Replaces the file in one step, so that a kill leaves the old or the new one."""
    tensors = {f"{part}:{name}": tensor for part in parts for name, tensor in parts[part].state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"{OPTIMISER}:{index}:{name}": tensor for name, tensor in moments.items()}
    tensors = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={STATE_KEY: json.dumps(asdict(state))})
    partial.replace(path)


def load_state(
    path: Path, parts: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer, *, config: str
) -> RunState:
    """Brings modules and optimiser to the stored state.

    Raises: TrainingError when the run was started with another configuration.
    """
    with safe_open(path, framework="pt") as file:
        state = RunState(**json.loads(file.metadata()[STATE_KEY]))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    if state.config != config:
        raise TrainingError(f"run {path.parent.name} was started with {state.config}, now it is {config}")
    for part, module in parts.items():
        module.load_state_dict(_under(tensors, f"{part}:"))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _under(tensors, f"{OPTIMISER}:").items():
        index, _, moment = name.partition(":")
        moments.setdefault(int(index), {})[moment] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return state


def _under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
