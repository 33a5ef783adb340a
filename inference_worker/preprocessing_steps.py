"""What each step of the preprocessing makes of one slice, for figures and for the curious."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_worker.gabor import gabor_response
from inference_worker.preprocessing import Preprocessing, to_eight_bits
from plaqueview.imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Step:
    """A slice after a step: (rows, columns), of the step's own dtype and range."""

    name: str
    picture: NDArray[Any]  # Any: source intensities, 8-bit grey, filter response, mask or what the network sees


def steps_of_slice(volume: Volume, index: int, preprocessing: Preprocessing) -> tuple[Step, ...]:
    """Slice `index` of an axial volume from the source to the network, in the order of the source paper's figure 1.

    Raises: PreprocessingError as `Preprocessing.prepare` does.
    """
    grey = to_eight_bits(volume)[0][index]
    smooth = cv2.medianBlur(grey, 3)
    prepared = preprocessing.prepare(volume)
    mask = prepared.brain_mask[index]
    return (
        Step("source", volume.voxels[index]),
        Step("8 bits", grey),
        Step("median 3x3", np.asarray(smooth)),
        Step("Gabor", gabor_response(np.asarray(smooth)[None])[0]),
        Step("brain mask", mask),
        Step("brain", np.where(mask, smooth, 0)),
        Step("256x256, 0 to 1", prepared.slices[index]),
    )
