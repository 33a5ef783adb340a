"""The files of a segmentation: masks as runs, the probability as bytes."""

import gzip
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.core.storage import store_bytes
from plaqueview.imaging import mask_codec
from plaqueview.imaging.segmentation import Segmentation

KIND = "masks"

# Probabilities of a brain are mostly zero: the fastest level already takes 98 % of the bytes away.
COMPRESSION_LEVEL = 1


@dataclass(frozen=True)
class MaskFiles:
    """Keys in `core.storage`, named by content."""

    mask_key: str
    brain_mask_key: str
    probability_key: str


def store_masks(segmentation: Segmentation) -> MaskFiles:
    """The arrays of the segmentation are on the disk; storing them twice changes nothing."""
    return MaskFiles(
        mask_key=store_encoded(mask_codec.encode(segmentation.labels.voxels)),
        brain_mask_key=store_encoded(mask_codec.encode(segmentation.brain_mask)),
        probability_key=store_encoded(encode_probability(segmentation.plaque_probability)),
    )


def encode_probability(probability: NDArray[np.float32]) -> bytes:
    """(slices, rows, columns) in 0 to 1 as gzip of uint8 in 0 to 255, C order; equal arrays give equal bytes."""
    scaled = np.rint(np.clip(probability, 0.0, 1.0) * 255.0).astype(np.uint8)
    return gzip.compress(np.ascontiguousarray(scaled).data, compresslevel=COMPRESSION_LEVEL, mtime=0)


def store_encoded(content: bytes) -> str:
    """The key under which the bytes of a mask are on the disk."""
    return store_bytes([content], kind=KIND).key
