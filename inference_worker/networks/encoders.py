"""ImageNet classifiers of timm, cut open where DeepLabV3+ taps them.

Every encoder takes (n, 1, rows, columns) and gives the low tap (n, `low_channels`, rows/4, columns/4) and the high tap
(n, `high_channels`, rows/16, columns/16). What lies behind the high tap is not kept.

Source: the taps are those of Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, whose names are
those of Keras. Where timm's networks differ from Keras' in what the paper leaves open (ResNet's stride sits in the 3x3
convolution of a block, not in the first 1x1), they stay as timm has them, since its weights are trained so.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from inference_worker.config import NetworkConfig
from inference_worker.networks.layers import keep_depthwise_float32
from inference_worker.pretrained import Weights, load_imagenet
from inference_worker.torchvision_import import timm

ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "relu6": nn.ReLU6}

RESNET_LOW_BLOCKS, RESNET_HIGH_BLOCKS = 2, 6  # of conv2 and conv4, that is of timm's layer1 and layer3
VGG_LOW_LAYERS, VGG_HIGH_LAYERS = 16, 30  # convolutions, ReLUs and poolings up to the ReLU of block 3 and of block 5


class Encoder(nn.Module):
    """What the encoders share: how wide their taps are, and the two."""

    low_channels: int
    high_channels: int

    def forward(self, slices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError


def classifier(name: str, imagenet: Weights | None, **options: Any) -> Any:
    """The network of that name in timm for one channel, with the ImageNet weights where there are any.

    Any: torch types a layer's attributes as tensors or modules.
    """
    full = timm.create_model(name, in_chans=1, **options)
    if imagenet is not None:
        load_imagenet(full, imagenet)
    return full


def efficientnet_options(config: NetworkConfig) -> dict[str, Any]:
    """How an EfficientNet is made. The epsilon of its batch normalisations is that of Keras and of Lite0."""
    return {
        "act_layer": ACTIVATION_LAYERS[config.activation],
        "drop_path_rate": config.stochastic_depth,
        "bn_eps": 1e-3,
    }


class EfficientNetEncoder(Encoder):
    """EfficientNet up to the expansion of block 6a; both taps come before their activation.

    The taps are the outputs of "block6a_expand_bn" and "block3a_expand_bn": expansion convolution and batch
    normalisation of the first block of stages 6 and 3. timm's own `feature_location="expansion"` taps the block before,
    behind its depthwise convolution, so the encoder is taken apart here instead.
    """

    def __init__(self, name: str, config: NetworkConfig, imagenet: Weights | None) -> None:
        super().__init__()
        full = classifier(name, imagenet, **efficientnet_options(config))
        keep_depthwise_float32(full)
        block3a, block6a = full.blocks[2][0], full.blocks[5][0]
        self.low_channels, self.high_channels = block3a.conv_pw.out_channels, block6a.conv_pw.out_channels
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


class TwoPartEncoder(Encoder):
    """One run of layers up to the low tap, another from there to the high tap."""

    to_low: nn.Module
    low_to_high: nn.Module

    def forward(self, slices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        low = self.to_low(slices)
        return low, self.low_to_high(low)


class ResNetEncoder(TwoPartEncoder):
    """ResNet up to block 6 of conv4; the low tap is behind block 2 of conv2.

    ResNet-101 has 23 blocks in conv4, and the paper taps its sixth: in front of that it is ResNet-50, and the two
    networks differ in nothing but the ImageNet weights that they start from.
    """

    low_channels, high_channels = 256, 1024

    def __init__(self, name: str, imagenet: Weights | None) -> None:
        super().__init__()
        full = classifier(name, imagenet)
        conv2, conv4 = full.layer1, full.layer3
        self.to_low = nn.Sequential(full.conv1, full.bn1, full.act1, full.maxpool, *conv2[:RESNET_LOW_BLOCKS])
        self.low_to_high = nn.Sequential(*conv2[RESNET_LOW_BLOCKS:], *full.layer2, *conv4[:RESNET_HIGH_BLOCKS])


class DenseNetEncoder(TwoPartEncoder):
    """DenseNet up to the batch normalisation and ReLU behind dense block 3; the low tap is that behind dense block 1.

    These are the first layers of the transitions that follow the blocks, before their 1x1 convolution and pooling.
    """

    low_channels, high_channels = 256, 1024

    def __init__(self, name: str, imagenet: Weights | None) -> None:
        super().__init__()
        layers = classifier(name, imagenet).features
        first, third = layers.transition1, layers.transition3
        self.to_low = nn.Sequential(layers.conv0, layers.norm0, layers.pool0, layers.denseblock1, first.norm)
        self.low_to_high = nn.Sequential(
            first.conv, first.pool, layers.denseblock2, layers.transition2, layers.denseblock3, third.norm
        )


class VGGEncoder(TwoPartEncoder):
    """VGG without batch normalisation up to the third convolution of block 5 and its ReLU; likewise of block 3."""

    low_channels, high_channels = 256, 512

    def __init__(self, name: str, imagenet: Weights | None) -> None:
        super().__init__()
        # The classifier is not kept, so its 120 million weights are not made either: one hidden unit is the least.
        layers = classifier(name, imagenet, num_classes=0, mlp_ratio=1 / 4096).features
        self.to_low = nn.Sequential(*layers[:VGG_LOW_LAYERS])
        self.low_to_high = nn.Sequential(*layers[VGG_LOW_LAYERS:VGG_HIGH_LAYERS])
