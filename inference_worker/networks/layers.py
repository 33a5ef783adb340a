"""The parts that the networks share."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional

SQUEEZE = 16
ATROUS_RATES = (6, 12, 18)


class SqueezeExcitation(nn.Module):
    """Scales each channel by a gate in 0..1 that the global averages of all channels decide.

    Source: Hu et al., Squeeze-and-Excitation Networks, CVPR 2018; both fully connected layers without bias.
    """

    def __init__(self, channels: int, squeeze: int = SQUEEZE) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, channels // squeeze, bias=False)
        self.expand = nn.Linear(channels // squeeze, channels, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        averages = features.mean(dim=(2, 3))
        gates = torch.sigmoid(self.expand(functional.relu(self.reduce(averages))))
        return features * gates[:, :, None, None]


class ConvNormReLU(nn.Sequential):
    """Convolution without bias that keeps the matrix size, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, *, rate: int = 1) -> None:
        padding = rate * (kernel // 2)
        convolution = nn.Conv2d(channels_in, channels_out, kernel, padding=padding, dilation=rate, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))

    @property
    def convolution(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self[0])

    @property
    def norm(self) -> nn.BatchNorm2d:
        return cast(nn.BatchNorm2d, self[1])


class ImagePooling(nn.Module):
    """The global average of every channel, projected and spread over the matrix again."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.project = ConvNormReLU(channels_in, channels_out)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.project(features.mean(dim=(2, 3), keepdim=True))
        return pooled.expand(-1, -1, *features.shape[2:])


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five views of the features at different reach, concatenated and projected.

    Source: Chen et al., DeepLabV3+, ECCV 2018, with plain (not depthwise) convolutions.
    """

    def __init__(self, channels_in: int, channels_out: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        atrous = [ConvNormReLU(channels_in, channels_out, 3, rate=rate) for rate in rates]
        self.branches = nn.ModuleList(
            [ImagePooling(channels_in, channels_out), ConvNormReLU(channels_in, channels_out), *atrous]
        )
        self.project = ConvNormReLU(channels_out * len(self.branches), channels_out)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.project(torch.cat([branch(features) for branch in self.branches], dim=1))
        return projected


class PyramidPooling(nn.Module):
    """Averages over grids of `sides` cells a side, each projected and spread over the matrix again.

    They and the features themselves are concatenated and projected. Source: Zhao et al., PSPNet, CVPR 2017.
    """

    def __init__(self, channels_in: int, channels_out: int, sides: tuple[int, ...]) -> None:
        super().__init__()
        self.sides = sides
        self.branches = nn.ModuleList([ConvNormReLU(channels_in, channels_out) for _ in sides])
        self.project = ConvNormReLU(channels_in + channels_out * len(sides), channels_out)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        views = [features]
        for side, branch in zip(self.sides, self.branches, strict=True):
            pooled = branch(functional.adaptive_avg_pool2d(features, side))
            views.append(functional.interpolate(pooled, size=features.shape[2:], mode="bilinear", align_corners=False))
        projected: torch.Tensor = self.project(torch.cat(views, dim=1))
        return projected


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution that stays in float32 on a CPU, whatever autocast says.

    oneDNN's bfloat16 backward pass of depthwise convolutions runs up to ten times slower than its float32 one: 0.5 s of
    a training step of 1.5 s (batch of 8, one core of a Xeon with AMX).
    """

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if features.device.type != "cpu":
            return super().forward(features)
        with torch.autocast("cpu", enabled=False):
            return super().forward(features.float()).to(features.dtype)


def keep_depthwise_float32(network: nn.Module) -> None:
    """Every depthwise convolution in the network is a `DepthwiseConv2d` on the same weights."""
    for module in network.modules():
        if type(module) is nn.Conv2d and module.groups == module.in_channels > 1:
            module.__class__ = DepthwiseConv2d


def upsample_by_four(features: torch.Tensor) -> torch.Tensor:
    """Bilinear interpolation to four times the rows and columns, pixel areas aligned (not pixel centres of corners)."""
    return functional.interpolate(features, scale_factor=4.0, mode="bilinear", align_corners=False)
