"""DeepLabV3+ and PSPNet side by side on an EfficientNet-B2, with squeeze and excitation: the paper's second best.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, Table 1; the pyramid pooling is that
of Zhao et al., PSPNet, CVPR 2017.

What the paper leaves open, and how it is settled here:
- "2, 4, 8" are cells a side of the pooled matrices. Read as the sides of the pooling windows they give the same
  matrices on the 16x16 features of a 256x256 slice.
- As in PSPNet the features themselves are concatenated with what was pooled from them.
- The 1x1 convolution and the gate behind the concatenation of both taps come before the decoder's two 3x3
  convolutions, where ours has its gate alone. All 1x1 convolutions have batch normalisation and ReLU.
The head runs before the last upsampling, which changes nothing; see deeplabv3plus_se.py.
"""

from __future__ import annotations

import torch
from torch import nn

from inference_worker.networks.encoders import Encoder
from inference_worker.networks.layers import (
    ATROUS_RATES,
    AtrousPyramid,
    ConvNormReLU,
    PyramidPooling,
    SqueezeExcitation,
    upsample_by_four,
)

FILTERS = 32
POOLED_SIDES = (1, 2, 4, 8)


class DeepLabV3PlusPSPNetSE(nn.Module):
    """(n, 1, rows, columns) float32 in 0..1 to (n, classes, rows, columns) logits; rows and columns divide by 16."""

    def __init__(self, encoder: Encoder, class_count: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.pyramid = AtrousPyramid(encoder.high_channels, FILTERS, ATROUS_RATES)
        self.pyramid_gate = SqueezeExcitation(FILTERS)
        self.pooling = PyramidPooling(encoder.high_channels, FILTERS, POOLED_SIDES)
        self.pooling_gate = SqueezeExcitation(FILTERS)
        self.high_project, self.high_gate = ConvNormReLU(2 * FILTERS, FILTERS), SqueezeExcitation(FILTERS)
        self.low_project = ConvNormReLU(encoder.low_channels, FILTERS)
        self.decoder_project, self.decoder_gate = ConvNormReLU(2 * FILTERS, FILTERS), SqueezeExcitation(FILTERS)
        self.decoder = nn.Sequential(ConvNormReLU(FILTERS, FILTERS, 3), ConvNormReLU(FILTERS, FILTERS, 3))
        self.head = nn.Conv2d(FILTERS, class_count, 1)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        low, high = self.encoder(slices)
        views = [self.pyramid_gate(self.pyramid(high)), self.pooling_gate(self.pooling(high))]
        reach = upsample_by_four(self.high_gate(self.high_project(torch.cat(views, dim=1))))
        both = torch.cat([reach, self.low_project(low)], dim=1)
        return upsample_by_four(self.head(self.decoder(self.decoder_gate(self.decoder_project(both)))))
