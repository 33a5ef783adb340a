"""The networks, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from inference_worker.config import NetworkConfig
from inference_worker.networks.deeplabv3plus_se import DeepLabV3PlusSE
from inference_worker.pretrained import Weights

NETWORKS: Mapping[str, Callable[[NetworkConfig, Weights | None], nn.Module]] = {
    "deeplabv3plus_se_efficientnet_b0": DeepLabV3PlusSE,
}


class NetworkNameError(ValueError):
    """No network has this name."""


def build_network(config: NetworkConfig, imagenet: Weights | None = None) -> nn.Module:
    """The network that the configuration names, with random weights save those of the encoder that `imagenet` gives.

    Raises: NetworkNameError when there is none of that name.
    """
    if config.name not in NETWORKS:
        raise NetworkNameError(f"network {config.name!r} is unknown, need one of {sorted(NETWORKS)}")
    return NETWORKS[config.name](config, imagenet)
