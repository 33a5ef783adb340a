"""DeepLabV3+SE with an EfficientNet-B0 encoder.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6. Where the paper and its authors'
public notebook disagree, this file follows the paper: the rate-12 branch has a 3x3 kernel (notebook: 1x1) and the
rate-18 branch has rate 18 (notebook: 6).

The taps are the outputs of "block6a_expand_bn" and "block3a_expand_bn": expansion convolution and batch normalisation
of the first block of stages 6 and 3, before the activation. timm's own `feature_location="expansion"` taps the block
before, behind its depthwise convolution, so the encoder is taken apart here instead. What lies behind the high tap is
not built.

Order of the last two steps: the table upsamples 128 channels by four and then applies the 1x1 head. The weights of
linear interpolation sum to one at every pixel, also at the border, so a 1x1 convolution with bias commutes with it
exactly. The head therefore runs at 64x64, and 3 channels are upsampled instead of 128.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from inference_worker.config import NetworkConfig
from inference_worker.networks.layers import (
    AtrousPyramid,
    ConvNormReLU,
    SqueezeExcitation,
    keep_depthwise_float32,
    upsample_by_four,
)
from inference_worker.pretrained import Weights, load_imagenet
from inference_worker.torchvision_import import timm

HIGH_CHANNELS = 672
LOW_CHANNELS = 144
FILTERS = 128
ATROUS_RATES = (6, 12, 18)

ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "relu6": nn.ReLU6}


class EfficientNetB0Encoder(nn.Module):
    """EfficientNet-B0 up to the expansion of block 6a.

    Takes (n, 1, rows, columns); gives the low tap (n, 144, rows/4, columns/4) and the high tap (n, 672, rows/16,
    columns/16), both before their activation. The epsilon of the batch normalisations is that of Keras and of Lite0.
    """

    def __init__(self, config: NetworkConfig, imagenet: Weights | None) -> None:
        super().__init__()
        full: Any = timm.create_model(  # Any: torch types a layer's attributes as tensors or modules
            "efficientnet_b0",
            in_chans=1,
            act_layer=ACTIVATION_LAYERS[config.activation],
            drop_path_rate=config.stochastic_depth,
            bn_eps=1e-3,
        )
        if imagenet is not None:
            load_imagenet(full, imagenet)
        keep_depthwise_float32(full)
        block3a, block6a = full.blocks[2][0], full.blocks[5][0]
        self.activation = block3a.bn1.act
        block3a.bn1.act = block6a.bn1.act = nn.Identity()
        self.stem = nn.Sequential(full.conv_stem, full.bn1)
        self.stages_1_and_2 = nn.Sequential(full.blocks[0], full.blocks[1])
        self.expand_3a = nn.Sequential(block3a.conv_pw, block3a.bn1)
        self.contract_3a = nn.Sequential(block3a.conv_dw, block3a.bn2, block3a.se, block3a.conv_pwl, block3a.bn3)
        self.stages_3_to_5 = nn.Sequential(full.blocks[2][1:], full.blocks[3], full.blocks[4])
        self.expand_6a = nn.Sequential(block6a.conv_pw, block6a.bn1)

    def forward(self, slices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        low = self.expand_3a(self.stages_1_and_2(self.stem(slices)))
        # The clone keeps the tap from an activation that works in place.
        contracted = self.contract_3a(self.activation(low.clone()))
        return low, self.expand_6a(self.stages_3_to_5(contracted))


class DeepLabV3PlusSE(nn.Module):
    """(n, 1, rows, columns) float32 in 0..1 to (n, classes, rows, columns) logits; rows and columns divide by 16."""

    def __init__(self, config: NetworkConfig, imagenet: Weights | None = None) -> None:
        super().__init__()
        self.encoder = EfficientNetB0Encoder(config, imagenet)
        self.high_gate = SqueezeExcitation(HIGH_CHANNELS)
        self.pyramid = AtrousPyramid(HIGH_CHANNELS, FILTERS, ATROUS_RATES)
        self.pyramid_gate = SqueezeExcitation(FILTERS)
        self.low_gate = SqueezeExcitation(LOW_CHANNELS)
        self.low_project = ConvNormReLU(LOW_CHANNELS, FILTERS)
        self.decoder_gate = SqueezeExcitation(2 * FILTERS)
        self.decoder = nn.Sequential(ConvNormReLU(2 * FILTERS, FILTERS, 3), ConvNormReLU(FILTERS, FILTERS, 3))
        self.head = nn.Conv2d(FILTERS, config.class_count, 1)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        return upsample_by_four(self.head(self.decode(*self.encoder(slices))))

    def decode(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """The taps to (n, 128, rows/4, columns/4) features, just before the last upsampling."""
        reach = upsample_by_four(self.pyramid_gate(self.pyramid(self.high_gate(high))))
        detail = self.low_project(self.low_gate(low))
        decoded: torch.Tensor = self.decoder(self.decoder_gate(torch.cat([reach, detail], dim=1)))
        return decoded
