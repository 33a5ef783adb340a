"""The same function as DeepLabV3+SE with a sixth fewer multiplications, on the same parameters, for training steps.

The decoder's first convolution takes features of which half were only interpolated; `layers.convolve_upsampled` gives
the same sums without them. Upsampling keeps the averages of which the decoder's gate is made.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from inference_worker.networks.deeplabv3plus_se import DeepLabV3PlusSE
from inference_worker.networks.layers import ConvNormReLU, convolve_upsampled, upsample_by_four
from inference_worker.networks.zoom import Zoomed


def training_form(network: nn.Module) -> nn.Module:
    """A module that gives the network's logits; the network itself where no shorter way is known."""
    if isinstance(network, Zoomed):
        return Zoomed(training_form(network.network), network.zoom)
    return DeepLabV3PlusSETraining(network) if isinstance(network, DeepLabV3PlusSE) else network


class DeepLabV3PlusSETraining(nn.Module):
    def __init__(self, network: DeepLabV3PlusSE) -> None:
        super().__init__()
        self.network = network

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        network = self.network
        reach, detail = network.project(*network.encoder(slices))
        averages = torch.cat([reach.mean(dim=(2, 3)), detail.mean(dim=(2, 3))], dim=1)
        reach_gates, detail_gates = network.decoder_gate.gates(averages).chunk(2, dim=1)
        first, second = network.decoder
        weight = cast(ConvNormReLU, first).convolution.weight
        convolved = convolve_upsampled(weight, reach * reach_gates, detail * detail_gates)
        decoded = second(cast(ConvNormReLU, first).after_convolution(convolved))
        return upsample_by_four(network.head(decoded))
