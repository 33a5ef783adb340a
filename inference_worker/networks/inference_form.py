"""The same function as DeepLabV3+SE on a 256x256 slice, with a third fewer multiplications, as a graph that runs well.

Three identities, none of which changes a result beyond rounding:
- An atrous convolution whose taps reach past the border multiplies zeros there. On 16x16 features the outer taps of
  rate 18 see zeros only, those of rate 12 a quarter of the rows or columns, those of rate 6 five eighths.
- A 3x3 convolution over features that were upsampled by four is a sum of nine 1x1 convolutions at the low resolution,
  each upsampled and shifted by one pixel. Upsampling and shift are linear and separable: two small matrix products.
- Bilinear upsampling by four gives every source pixel the same total weight, so it keeps the average that a
  squeeze-and-excitation gate needs.
The gates use pooling and 1x1 convolutions, which ONNX Runtime keeps in its blocked memory layout, where a mean and a
matrix product would make it reorder the features twice.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from inference_worker.networks.deeplabv3plus_se import DeepLabV3PlusSE
from inference_worker.networks.layers import (
    AtrousPyramid,
    ConvNormReLU,
    SqueezeExcitation,
    spread,
    spread_matrix,
    stacked_taps,
    upsample_by_four,
)
from inference_worker.networks.zoom import Zoomed, enlarged_side
from inference_worker.torchvision_import import SqueezeExcite

HIGH_STRIDE = 16


def inference_form(network: nn.Module, size: int) -> nn.Module:
    """A module with the network's logits on (n, 1, size, size); the network itself where no shorter way is known."""
    if isinstance(network, Zoomed):
        return Zoomed(inference_form(network.network, enlarged_side(size, network.zoom)), network.zoom)
    if isinstance(network, DeepLabV3PlusSE):
        return DeepLabV3PlusSEInference(network.eval(), size)
    return network.eval()


class DeepLabV3PlusSEInference(nn.Module):
    def __init__(self, network: DeepLabV3PlusSE, size: int) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(network.encoder)
        pool_timm_gates(self.encoder)
        self.high_gate, self.low_gate = PooledGate.of(network.high_gate), PooledGate.of(network.low_gate)
        self.pyramid_gate, self.decoder_gate = PooledGate.of(network.pyramid_gate), PooledGate.of(network.decoder_gate)
        self.pyramid = restricted_pyramid(network.pyramid, size // HIGH_STRIDE)
        self.low_project = network.low_project
        first, second = network.decoder
        self.first_decoder = UpsampledConvolution(cast(ConvNormReLU, first), size // HIGH_STRIDE)
        self.second_decoder, self.head = second, network.head

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        low, high = self.encoder(slices)
        reach = self.pyramid_gate(self.pyramid(self.high_gate(high)))
        detail = self.low_project(self.low_gate(low))
        averages = torch.cat([average(reach), average(detail)], dim=1)  # the same before and after upsampling
        reach_gates, detail_gates = self.decoder_gate.gates(averages).chunk(2, dim=1)
        decoded = self.first_decoder(reach * reach_gates, detail * detail_gates)
        return upsample_by_four(self.head(self.second_decoder(decoded)))


def average(features: torch.Tensor) -> torch.Tensor:
    """(n, channels, 1, 1). A pooling of the whole matrix, since the exporter turns global pooling into a mean."""
    return functional.avg_pool2d(features, (features.shape[2], features.shape[3]))


class PooledGate(nn.Module):
    """Squeeze and excitation by pooling and two 1x1 convolutions."""

    def __init__(self, reduce: nn.Conv2d, activation: nn.Module, expand: nn.Conv2d) -> None:
        super().__init__()
        self.reduce, self.activation, self.expand = reduce, activation, expand

    @classmethod
    def of(cls, gate: SqueezeExcitation) -> PooledGate:
        return cls(_convolution_of(gate.reduce), nn.ReLU(), _convolution_of(gate.expand))

    def gates(self, averages: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.expand(self.activation(self.reduce(averages))))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features * self.gates(average(features))


def _convolution_of(layer: nn.Linear) -> nn.Conv2d:
    convolution = nn.Conv2d(layer.in_features, layer.out_features, 1, bias=False)
    convolution.weight = nn.Parameter(layer.weight.detach()[:, :, None, None].clone())
    return convolution


def pool_timm_gates(encoder: nn.Module) -> None:
    """Every squeeze-and-excitation of timm in the encoder is a `PooledGate` on the same weights."""
    for name, module in list(encoder.named_modules()):
        if isinstance(module, SqueezeExcite):
            encoder.set_submodule(name, PooledGate(module.conv_reduce, module.act1, module.conv_expand))


def folded(layer: ConvNormReLU) -> tuple[torch.Tensor, torch.Tensor]:
    """The convolution's weight and bias with the batch normalisation's running statistics in them."""
    norm = layer.norm
    mean, variance = cast(torch.Tensor, norm.running_mean), cast(torch.Tensor, norm.running_var)
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    weight = layer.convolution.weight * scale[:, None, None, None]
    return weight.detach(), (norm.bias - mean * scale).detach()


def restricted_pyramid(pyramid: AtrousPyramid, size: int) -> AtrousPyramid:
    """The pyramid with every atrous branch restricted to the taps that can reach a (size, size) matrix."""
    restricted = AtrousPyramid.__new__(AtrousPyramid)
    nn.Module.__init__(restricted)
    restricted.branches = nn.ModuleList([_restricted_branch(branch, size) for branch in pyramid.branches])
    restricted.project = pyramid.project
    return restricted


def _restricted_branch(branch: nn.Module, size: int) -> nn.Module:
    if isinstance(branch, ConvNormReLU) and branch.convolution.kernel_size == (3, 3):
        return RestrictedAtrous(branch, size)
    return branch


class RestrictedAtrous(nn.Module):
    """A 3x3 atrous convolution, batch normalisation and ReLU on (size, size) features, without multiplying zeros."""

    bias: torch.Tensor
    centre: torch.Tensor
    upper: torch.Tensor
    lower: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, layer: ConvNormReLU, size: int) -> None:
        super().__init__()
        weight, bias = folded(layer)
        self.rate, self.size = layer.convolution.dilation[0], size
        self.register_buffer("bias", bias)
        self.register_buffer("centre", weight[:, :, 1:2, 1:2].clone())
        # The taps of the upper and of the lower row of the kernel: left, middle and right stacked as output channels.
        self.register_buffer("upper", torch.cat([weight[:, :, 0:1, k : k + 1] for k in range(3)]))
        self.register_buffer("lower", torch.cat([weight[:, :, 2:3, k : k + 1] for k in range(3)]))
        self.register_buffer("left", weight[:, :, 1:2, 0:1].clone())
        self.register_buffer("right", weight[:, :, 1:2, 2:3].clone())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        total = functional.conv2d(features, self.centre, self.bias)
        rest = self.size - self.rate  # rows or columns that an outer tap reaches
        if rest > 0:
            upper = self._spread(functional.conv2d(features[:, :, :rest], self.upper), rest)
            lower = self._spread(functional.conv2d(features[:, :, self.rate :], self.lower), rest)
            left = functional.conv2d(features[..., :rest], self.left)
            right = functional.conv2d(features[..., self.rate :], self.right)
            total = total + functional.pad(upper, (0, 0, self.rate, 0))
            total = total + functional.pad(lower, (0, 0, 0, self.rate))
            total = total + functional.pad(left, (self.rate, 0)) + functional.pad(right, (0, self.rate))
        return functional.relu(total)

    def _spread(self, taps: torch.Tensor, rest: int) -> torch.Tensor:
        """Three taps of one kernel row, stacked as channels, each moved to the columns that it writes, and added."""
        left, middle, right = taps.chunk(3, dim=1)
        from_left = functional.pad(left[..., :rest], (self.rate, 0))
        return middle + from_left + functional.pad(right[..., self.rate :], (0, self.rate))


class UpsampledConvolution(nn.Module):
    """A 3x3 convolution with batch normalisation and ReLU over [features upsampled by four, fine features].

    Takes (n, c, size, size) and (n, c, 4 size, 4 size); gives (n, filters, 4 size, 4 size).
    """

    bias: torch.Tensor
    fine: torch.Tensor
    coarse: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, layer: ConvNormReLU, size: int) -> None:
        super().__init__()
        weight, bias = folded(layer)
        channels = weight.shape[1] // 2
        self.register_buffer("bias", bias)
        self.register_buffer("fine", weight[:, channels:].contiguous())
        self.register_buffer("coarse", stacked_taps(weight[:, :channels]).contiguous())
        self.register_buffer("rows", spread_matrix(size))
        self.register_buffer("columns", spread_matrix(size).T.contiguous())

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        upsampled = spread(functional.conv2d(coarse, self.coarse), self.rows, self.columns)
        return functional.relu(functional.conv2d(fine, self.fine, self.bias, padding=1) + upsampled)
