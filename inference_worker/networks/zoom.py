"""Slices enlarged before a network sees them, and what it says of them reduced to their own pixels again.

DeepLabV3+ decides at a quarter of the resolution that it is given, and in a slice of 256x256 most plaques of the light
loads are less than eight pixels wide, two decisions: enlarged, they are three.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

STRIDE = 32  # every network here takes sides that it divides


class Zoomed(nn.Module):
    """A network on slices enlarged by about `zoom`: their sides become the nearest multiple of `STRIDE`."""

    def __init__(self, network: nn.Module, zoom: float) -> None:
        super().__init__()
        self.network, self.zoom = network, zoom

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        """(n, classes, rows, columns) logits of (n, 1, rows, columns) slices of 0..1."""
        sides = [slices.shape[2], slices.shape[3]]
        enlarged = _resized(slices, [enlarged_side(side, self.zoom) for side in sides])
        return _resized(self.network(enlarged), sides)


def zoomed(network: nn.Module, zoom: float) -> nn.Module:
    """The network, or what it is within another zoom, with this one."""
    network = network.network if isinstance(network, Zoomed) else network
    return network if zoom == 1.0 else Zoomed(network, zoom)


def enlarged_side(side: int, zoom: float) -> int:
    return STRIDE * round(side * zoom / STRIDE)


def _resized(values: torch.Tensor, sides: list[int]) -> torch.Tensor:
    return functional.interpolate(values, size=sides, mode="bilinear", align_corners=False)
