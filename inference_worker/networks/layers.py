"""The parts that the networks share."""

from __future__ import annotations

from functools import cache
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
        return features * self.gates(features.mean(dim=(2, 3)))

    def gates(self, averages: torch.Tensor) -> torch.Tensor:
        """(n, channels) averages to (n, channels, 1, 1) gates."""
        return torch.sigmoid(self.expand(functional.relu(self.reduce(averages))))[:, :, None, None]


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

    def after_convolution(self, convolved: torch.Tensor) -> torch.Tensor:
        """What the layer gives where its convolution was done elsewhere."""
        activated: torch.Tensor = self[2](self.norm(convolved))
        return activated


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


def convolve_upsampled(weight: torch.Tensor, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """The 3x3 convolution of [coarse upsampled by four, fine], without upsampling: half the multiplications.

    `weight` is (filters, 2 c, 3, 3), `coarse` (n, c, rows, columns), `fine` (n, c, 4 rows, 4 columns). A 3x3
    convolution of upsampled features is a sum of nine 1x1 convolutions of the coarse ones, each upsampled and shifted
    by a pixel, and both are linear and separable: two small matrix products.
    """
    channels, (rows, columns) = coarse.shape[1], coarse.shape[2:]
    taps = functional.conv2d(coarse, stacked_taps(weight[:, :channels]))
    of_rows, of_columns = (spread_matrix(size).to(taps) for size in (rows, columns))
    return functional.conv2d(fine, weight[:, channels:], padding=1) + spread(taps, of_rows, of_columns.T)


def stacked_taps(weight: torch.Tensor) -> torch.Tensor:
    """(filters, c, 3, 3) to (9 filters, c, 1, 1): each tap of the kernel as filters of a 1x1 convolution."""
    return weight.permute(0, 2, 3, 1).reshape(-1, weight.shape[1], 1, 1)


def spread(taps: torch.Tensor, of_rows: torch.Tensor, of_columns: torch.Tensor) -> torch.Tensor:
    """What the stacked taps, (n, 9 filters, rows, columns), give to (n, filters, 4 rows, 4 columns).

    By the matrix of the rows and the transposed one of the columns, as `spread_matrix` has them.
    """
    rows, columns = taps.shape[2:]
    by_tap = taps.reshape(taps.shape[0], -1, 3, 3, rows, columns).permute(0, 1, 2, 4, 3, 5)
    return of_rows @ (by_tap.reshape(taps.shape[0], -1, 3 * rows, 3 * columns) @ of_columns)


@cache
def spread_matrix(size: int) -> torch.Tensor:
    """(4 size, 3 size) float32: upsampling by four of three kernel taps side by side, each shifted to where it writes.

    Column `tap * size + i` says what source pixel i gives to every target pixel through tap 0, 1 or 2 of the kernel.
    """
    with torch.inference_mode(mode=False):  # it is kept, and a training step may need it after a reading made it
        upsampled = upsample_by_four(torch.eye(size).reshape(size, 1, size, 1).expand(-1, -1, -1, size))[:, 0, :, 0].T
        zeros = torch.zeros(1, size)
        before = torch.cat([zeros, upsampled[:-1]])  # tap 0 reads one pixel above the target
        after = torch.cat([upsampled[1:], zeros])
        return torch.cat([before, upsampled, after], dim=1).contiguous()
