"""Weights with the configuration that they need, and their export to the ONNX graph that inference runs.

A safetensors file holds tensors and one JSON text, never code. Loading is strict: every tensor of the network must be
there, of its shape, and no other. Floating-point tensors are stored as they are trained, float32.
"""

from __future__ import annotations

import copy
import hashlib
import json
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from inference_worker.config import SLICE_SIZE, NetworkConfig
from inference_worker.networks import build_network
from inference_worker.networks.inference_form import inference_form
from inference_worker.reading_rule import ReadingRule

CONFIG_KEY = "plaqueview"
LARGEST_DIFFERENCE = 1e-3  # of a probability, between PyTorch and the exported graph
PARITY_SLICES = 8
OPSET = 18


class CheckpointError(ValueError):
    """Weights that do not fit, or an exported graph that does not compute what the network computes."""


@dataclass(frozen=True)
class WeightsIdentity:
    """What a file of weights says of itself."""

    name: str
    version: str
    preprocessing_version: str
    network: NetworkConfig
    reading: ReadingRule = field(default_factory=ReadingRule)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> WeightsIdentity:
        """Raises: CheckpointError when a field is missing or unknown."""
        try:
            fields = json.loads(text)
            network, reading = NetworkConfig(**fields["network"]), ReadingRule.of_weights(fields)
            return cls(**{**fields, "network": network, "reading": reading})
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"weights carry a configuration that does not read: {error}") from error


@dataclass(frozen=True)
class Parity:
    """How far the exported graph is from the network it was exported from."""

    largest_probability_difference: float
    slices: int


def save_weights(path: Path, network: nn.Module, identity: WeightsIdentity) -> None:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={CONFIG_KEY: identity.to_json()})


def load_weights(path: Path) -> tuple[nn.Module, WeightsIdentity]:
    """The network in evaluation mode and what the file says of it.

    Raises: CheckpointError when the file is damaged, carries no configuration, or its tensors do not fit exactly.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"weights {path.name} do not read: {error}") from error
    if CONFIG_KEY not in metadata:
        raise CheckpointError(f"weights {path.name} carry no configuration under {CONFIG_KEY!r}")
    identity = WeightsIdentity.from_json(metadata[CONFIG_KEY])
    network = build_network(identity.network)
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f"weights {path.name} do not fit {identity.network.name}: {error}") from error
    return network.eval(), identity


class ProbabilityNetwork(nn.Module):
    """The network with its softmax, so that the exported graph gives probabilities.

    Written out, since ONNX Runtime's own softmax over channels takes ten times as long as its parts.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        logits = self.network(slices)
        background, inactive, active = logits.chunk(3, dim=1)
        largest = torch.maximum(torch.maximum(background, inactive), active)
        shares = torch.exp(logits - largest)
        background, inactive, active = shares.chunk(3, dim=1)
        return shares / (background + inactive + active)


def export_onnx(path: Path, network: nn.Module, identity: WeightsIdentity) -> Parity:
    """Writes the graph from "slices" (n, 1, 256, 256) float32 to "probabilities" (n, classes, 256, 256), any n.

    Raises: CheckpointError when a probability differs by more than `LARGEST_DIFFERENCE`; the file is removed then.
    """
    probabilities = written_out(ProbabilityNetwork(inference_form(network, SLICE_SIZE))).eval()
    example = torch.rand(2, 1, SLICE_SIZE, SLICE_SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's exporter warns of torch's own internals
        program = torch.onnx.export(
            probabilities,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["slices"],
            output_names=["probabilities"],
            dynamic_shapes={"slices": {0: torch.export.Dim("n", min=1)}},
            verbose=False,
        )
    if program is None:
        raise CheckpointError(f"network {identity.name} gave no ONNX graph")
    model = program.model_proto
    onnx.helper.set_model_props(model, {CONFIG_KEY: identity.to_json()})
    onnx.save_model(model, path)
    try:
        return check_parity(path, network.eval())
    except CheckpointError:
        path.unlink()
        raise


def written_out(network: nn.Module) -> nn.Module:
    """A copy in which no layer writes in place, which the exporter would have to undo step by step."""
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]  # a plain attribute, which nn.Module's types do not know
    return copied


@torch.inference_mode()
def check_parity(path: Path, network: nn.Module) -> Parity:
    """Compares the graph's probabilities with the network's own on random smooth slices.

    Raises: CheckpointError when they differ by more than `LARGEST_DIFFERENCE`.
    """
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand((PARITY_SLICES, 1, 32, 32), generator=generator)
    slices = nn.functional.interpolate(coarse, size=SLICE_SIZE, mode="bilinear").clamp(0.0, 1.0)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (exported,) = session.run(["probabilities"], {"slices": slices.numpy()})
    difference = float(np.abs(exported - network(slices).softmax(dim=1).numpy()).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise CheckpointError(
            f"exported graph differs by {difference:.2g} in a probability, need at most {LARGEST_DIFFERENCE:g}"
        )
    return Parity(difference, PARITY_SLICES)


def file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
