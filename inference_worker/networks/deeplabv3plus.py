"""DeepLabV3+ with the encoders that the paper compares ours with: ResNet-50, ResNet-101, DenseNet-121 and VGG-16.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, Table 1; the decoder is that of Chen
et al., DeepLabV3+, ECCV 2018.

What the paper leaves open, and how it is settled here:
- No squeeze and excitation: the names of these four do not say SE, those of the other two do.
- Every low tap has stride 4 and every high tap stride 16, so the pyramid's output is upsampled by four everywhere.
- Atrous rates 6, 12 and 18 and two 3x3 convolutions in the decoder, as in ours.
The head runs before the last upsampling, which changes nothing; see deeplabv3plus_se.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from inference_worker.networks.encoders import Encoder
from inference_worker.networks.layers import ATROUS_RATES, AtrousPyramid, ConvNormReLU, upsample_by_four


@dataclass(frozen=True)
class Filters:
    """Of the pyramid, of the projected low tap, and of the decoder."""

    pyramid: int
    low: int
    decoder: int


class DeepLabV3Plus(nn.Module):
    """(n, 1, rows, columns) float32 in 0..1 to (n, classes, rows, columns) logits; rows and columns divide by 16."""

    def __init__(self, encoder: Encoder, filters: Filters, class_count: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.pyramid = AtrousPyramid(encoder.high_channels, filters.pyramid, ATROUS_RATES)
        self.low_project = ConvNormReLU(encoder.low_channels, filters.low)
        self.decoder = nn.Sequential(
            ConvNormReLU(filters.pyramid + filters.low, filters.decoder, 3),
            ConvNormReLU(filters.decoder, filters.decoder, 3),
        )
        self.head = nn.Conv2d(filters.decoder, class_count, 1)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        low, high = self.encoder(slices)
        reach = upsample_by_four(self.pyramid(high))
        decoded = self.decoder(torch.cat([reach, self.low_project(low)], dim=1))
        return upsample_by_four(self.head(decoded))
