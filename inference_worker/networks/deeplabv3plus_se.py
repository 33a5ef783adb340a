"""DeepLabV3+SE with an EfficientNet-B0 encoder.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6. Where the paper and its authors'
public notebook disagree, this file follows the paper: the rate-12 branch has a 3x3 kernel (notebook: 1x1) and the
rate-18 branch has rate 18 (notebook: 6).

Order of the last two steps: the table upsamples 128 channels by four and then applies the 1x1 head. The weights of
linear interpolation sum to one at every pixel, also at the border, so a 1x1 convolution with bias commutes with it
exactly. The head therefore runs at 64x64, and 3 channels are upsampled instead of 128.
"""

from __future__ import annotations

import torch
from torch import nn

from inference_worker.networks.encoders import Encoder
from inference_worker.networks.layers import (
    ATROUS_RATES,
    AtrousPyramid,
    ConvNormReLU,
    SqueezeExcitation,
    upsample_by_four,
)

FILTERS = 128


class DeepLabV3PlusSE(nn.Module):
    """(n, 1, rows, columns) float32 in 0..1 to (n, classes, rows, columns) logits; rows and columns divide by 16."""

    def __init__(self, encoder: Encoder, class_count: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.high_gate = SqueezeExcitation(encoder.high_channels)
        self.pyramid = AtrousPyramid(encoder.high_channels, FILTERS, ATROUS_RATES)
        self.pyramid_gate = SqueezeExcitation(FILTERS)
        self.low_gate = SqueezeExcitation(encoder.low_channels)
        self.low_project = ConvNormReLU(encoder.low_channels, FILTERS)
        self.decoder_gate = SqueezeExcitation(2 * FILTERS)
        self.decoder = nn.Sequential(ConvNormReLU(2 * FILTERS, FILTERS, 3), ConvNormReLU(FILTERS, FILTERS, 3))
        self.head = nn.Conv2d(FILTERS, class_count, 1)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        return upsample_by_four(self.head(self.decode(*self.encoder(slices))))

    def decode(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """The taps to (n, 128, rows/4, columns/4) features, just before the last upsampling."""
        reach, detail = self.project(low, high)
        decoded: torch.Tensor = self.decoder(self.decoder_gate(torch.cat([upsample_by_four(reach), detail], dim=1)))
        return decoded

    def project(self, low: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The taps to 128 channels of each, (n, 128, rows/16, columns/16) and (n, 128, rows/4, columns/4)."""
        return self.pyramid_gate(self.pyramid(self.high_gate(high))), self.low_project(self.low_gate(low))
