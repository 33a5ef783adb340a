"""Makes `timm` and `smp` importable, also where only torchvision's CUDA build sits beside a CPU build of torch.

Both import torchvision, whose Python files declare meta kernels for `nms` and `qnms`. Their schemas come from its
compiled library, which does not load beside another build of torch, and the import fails. Declaring the two schemas
lets the pure Python parts load, which is all that the two use; calling either operator still fails, as it should.
"""

from __future__ import annotations

import importlib
import sys

import torch

MISSING_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

library: torch.library.Library | None = None  # the schemas live as long as this object

try:
    importlib.import_module("torchvision")
except RuntimeError as error:
    if "torchvision::nms does not exist" not in str(error):
        raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch leaves it untyped
    for schema in MISSING_SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]  # likewise
    importlib.import_module("torchvision")

import segmentation_models_pytorch as smp  # noqa: E402  (importable from here on only)
import timm  # noqa: E402
from timm.layers import BatchNormAct2d  # noqa: E402
from timm.models._efficientnet_blocks import SqueezeExcite  # noqa: E402

__all__ = ["BatchNormAct2d", "SqueezeExcite", "smp", "timm"]
