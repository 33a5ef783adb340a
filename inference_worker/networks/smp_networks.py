"""The decoders of segmentation_models_pytorch on encoders of timm, for comparison.

A name is "smp_DECODER_tu-ENCODER": DECODER as `smp.create_model` takes it, ENCODER as `timm.create_model` does.
EfficientNets are made as ours are, with the activation and the stochastic depth of the configuration; every other
encoder is as timm has it.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, cast

import torch
from torch import nn

from inference_worker.config import SLICE_SIZE, NetworkConfig
from inference_worker.networks.encoders import classifier, efficientnet_options
from inference_worker.networks.layers import keep_depthwise_float32
from inference_worker.pretrained import Weights
from inference_worker.torchvision_import import smp, timm

PREFIX, ENCODER_PREFIX = "smp_", "tu-"
DECODERS = tuple(smp.MODEL_ARCHITECTURES_MAPPING)
TRANSFORMER_DECODERS = ("dpt",)
ENCODERS = ("efficientnet_b0", "resnet34", "mobilenetv3_large_100", "regnety_016")
TRANSFORMERS = ("vit_tiny_patch16_224",)
EFFICIENTNET = re.compile(r"efficientnet_b\d(\..+)?")
MISFITS = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)  # what smp and timm raise


class NetworkNameError(ValueError):
    """No network has this name."""


def smp_names() -> tuple[str, ...]:
    """A choice of names, every decoder among them; any other encoder of timm that the decoder takes has one as well."""
    return tuple(
        f"{PREFIX}{decoder}_{ENCODER_PREFIX}{encoder}"
        for decoder in DECODERS
        for encoder in (TRANSFORMERS if decoder in TRANSFORMER_DECODERS else ENCODERS)
    )


def split_name(name: str) -> tuple[str, str]:
    """Decoder and encoder.

    Raises: NetworkNameError when one of the two is unknown; its message says which and what comes near.
    """
    decoder, _, rest = name.removeprefix(PREFIX).partition("_")
    if decoder not in DECODERS:
        raise NetworkNameError(f"network {name!r} has the unknown decoder {decoder!r}, need one of {sorted(DECODERS)}")
    encoder = rest.removeprefix(ENCODER_PREFIX)
    if not rest.startswith(ENCODER_PREFIX) or not timm.is_model(encoder):
        near = [ENCODER_PREFIX + found for found in get_close_matches(encoder, timm.list_models(), n=5)]
        raise NetworkNameError(
            f"network {name!r} has the unknown encoder {rest!r}, need {ENCODER_PREFIX!r} and a name of timm's"
            + (f"; near it: {', '.join(near)}" if near else "")
        )
    return decoder, encoder


def build_smp_network(config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    """The network that the configuration names; see `networks.build_network`.

    Raises: NetworkNameError when the name is unknown or the encoder does not fit the decoder.
    """
    decoder, encoder = split_name(config.name)
    options = efficientnet_options(config) if EFFICIENTNET.fullmatch(encoder) else {}
    # A transformer's position embedding is then interpolated to whatever slice comes.
    dynamic = {"dynamic_img_size": True} if decoder in TRANSFORMER_DECODERS else {}
    try:
        network: Any = smp.create_model(  # Any: torch types a module's parts as tensors or modules
            decoder, ENCODER_PREFIX + encoder, None, in_channels=1, classes=config.class_count, **options, **dynamic
        )
        check_logits(network, config)
    except MISFITS as error:
        raise NetworkNameError(f"network {config.name!r}: encoder does not fit decoder: {error}") from error
    if imagenet is not None:
        copy_encoder(classifier(encoder, imagenet, **options), network.encoder.model)
    keep_depthwise_float32(network)
    return cast(nn.Module, network)


def copy_encoder(source: nn.Module, target: nn.Module) -> None:
    """Gives timm's feature extractor the tensors of the classifier that it was cut from.

    timm joins some levels of a name by an underscore when it cuts, so names are compared without their dots.
    """
    tensors = {name.replace(".", "_"): tensor for name, tensor in source.state_dict().items()}
    target.load_state_dict({name: tensors[name.replace(".", "_")] for name in target.state_dict()})


@torch.inference_mode()
def check_logits(network: nn.Module, config: NetworkConfig) -> None:
    """Raises: ValueError when the network does not give logits of the slice's size; some pairs show it only here."""
    network.eval()
    found = tuple(network(torch.zeros(1, 1, SLICE_SIZE, SLICE_SIZE)).shape)
    network.train()
    if found != (1, config.class_count, SLICE_SIZE, SLICE_SIZE):
        raise ValueError(f"logits have the shape {found}")
