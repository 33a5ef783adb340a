"""The networks, by name: the six of the paper's Table 1, and those of segmentation_models_pytorch for comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from torch import nn

from inference_worker.config import NetworkConfig
from inference_worker.networks.deeplabv3plus import DeepLabV3Plus, Filters
from inference_worker.networks.deeplabv3plus_pspnet_se import DeepLabV3PlusPSPNetSE
from inference_worker.networks.deeplabv3plus_se import DeepLabV3PlusSE
from inference_worker.networks.encoders import DenseNetEncoder, EfficientNetEncoder, ResNetEncoder, VGGEncoder
from inference_worker.networks.smp_networks import PREFIX as SMP_PREFIX
from inference_worker.networks.smp_networks import NetworkNameError, build_smp_network, smp_names, split_name
from inference_worker.networks.zoom import zoomed
from inference_worker.pretrained import Weights

__all__ = ["PAPER_NETWORKS", "NetworkNameError", "build_network", "check_network_name", "encoder_of", "network_names"]


@dataclass(frozen=True)
class PaperNetwork:
    """`encoder` is timm's name of it, which `build` takes with the configuration and the ImageNet weights."""

    encoder: str
    build: Callable[[str, NetworkConfig, Weights | None], nn.Module]


def _se(encoder: str, config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    return DeepLabV3PlusSE(EfficientNetEncoder(encoder, config, imagenet), config.class_count)


def _pspnet_se(encoder: str, config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    return DeepLabV3PlusPSPNetSE(EfficientNetEncoder(encoder, config, imagenet), config.class_count)


def _resnet(encoder: str, config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    return DeepLabV3Plus(ResNetEncoder(encoder, imagenet), Filters(256, 48, 256), config.class_count)


def _densenet(encoder: str, config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    return DeepLabV3Plus(DenseNetEncoder(encoder, imagenet), Filters(256, 256, 256), config.class_count)


def _vgg(encoder: str, config: NetworkConfig, imagenet: Weights | None) -> nn.Module:
    return DeepLabV3Plus(VGGEncoder(encoder, imagenet), Filters(128, 128, 128), config.class_count)


PAPER_NETWORKS: Mapping[str, PaperNetwork] = {
    "deeplabv3plus_se_efficientnet_b0": PaperNetwork("efficientnet_b0", _se),
    "deeplabv3plus_pspnet_se_efficientnet_b2": PaperNetwork("efficientnet_b2", _pspnet_se),
    "deeplabv3plus_vgg16": PaperNetwork("vgg16", _vgg),
    "deeplabv3plus_densenet121": PaperNetwork("densenet121", _densenet),
    "deeplabv3plus_resnet101": PaperNetwork("resnet101", _resnet),
    "deeplabv3plus_resnet50": PaperNetwork("resnet50", _resnet),
}


def network_names() -> tuple[str, ...]:
    """The networks of the paper and a choice of the others: any decoder of smp and encoder of timm may be named."""
    return (*PAPER_NETWORKS, *smp_names())


def check_network_name(name: str) -> str:
    """The name itself. Raises: NetworkNameError when no network has it."""
    encoder_of(name)
    return name


def encoder_of(name: str) -> str:
    """The name that timm has for the network's encoder.

    Raises: NetworkNameError when no network has that name.
    """
    if name in PAPER_NETWORKS:
        return PAPER_NETWORKS[name].encoder
    if name.startswith(SMP_PREFIX):
        return split_name(name)[1]
    near = get_close_matches(name, network_names(), n=4) or list(PAPER_NETWORKS)
    raise NetworkNameError(f"network {name!r} is unknown; near it: {', '.join(near)}")


def build_network(config: NetworkConfig, imagenet: Weights | None = None) -> nn.Module:
    """The network that the configuration names, with random weights save those of the encoder that `imagenet` gives.

    Raises: NetworkNameError when there is none of that name.
    """
    encoder = encoder_of(config.name)
    if config.name in PAPER_NETWORKS:
        network = PAPER_NETWORKS[config.name].build(encoder, config, imagenet)
    else:
        network = build_smp_network(config, imagenet)
    return zoomed(network, config.zoom)
