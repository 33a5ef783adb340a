"""Whether voxels that the network gives a probability of x are plaques in a share x of the cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
RULE = (
    f"voxels inside the brain mask in {BINS} bins of equal width by P(inactive) + P(active), all studies pooled; the "
    "expected calibration error is the mean distance of the bins' plaque share from their mean probability, weighted "
    "by voxels; without_lowest_bin leaves out the bin from 0, which holds nearly all voxels"
)


@dataclass(frozen=True, eq=False)
class Calibration:
    """By bin, lowest probability first: how many voxels, how many of them are plaque, and their probabilities' sum."""

    voxels: NDArray[np.int64]
    plaques: NDArray[np.int64]
    probability_sums: NDArray[np.float64]

    @classmethod
    def of(cls, probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> Calibration:
        """Of two arrays of one shape; `probability` is of any plaque, 0 to 1."""
        bins = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
        return cls(
            np.bincount(bins, minlength=BINS),
            np.bincount(bins[truth], minlength=BINS),
            np.bincount(bins, probability, minlength=BINS).astype(np.float64),
        )

    @classmethod
    def empty(cls) -> Calibration:
        return cls.of(np.zeros(0, np.float32), np.zeros(0, bool))

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(
            self.voxels + other.voxels, self.plaques + other.plaques, self.probability_sums + other.probability_sums
        )

    def error(self, *, first_bin: int = 0) -> float | None:
        """The expected calibration error from a bin on; None where these bins hold no voxel."""
        voxels = self.voxels[first_bin:]
        if not voxels.sum():
            return None
        # voxels * |plaque share - mean probability|, without dividing by an empty bin
        distances = np.abs(self.plaques - self.probability_sums)[first_bin:]
        return float(distances.sum() / voxels.sum())

    def record(self) -> dict[str, object]:
        """As JSON holds it; bins without voxels have no share and no mean."""
        known = np.maximum(self.voxels, 1)
        pairs = zip(self.voxels, self.plaques / known, self.probability_sums / known, strict=True)
        return {
            "expected_calibration_error": self.error(),
            "expected_calibration_error_without_lowest_bin": self.error(first_bin=1),
            "bins": [
                {
                    "from": index / BINS,
                    "to": (index + 1) / BINS,
                    "voxels": int(voxels),
                    "mean_probability": float(mean) if voxels else None,
                    "plaque_share": float(share) if voxels else None,
                }
                for index, (voxels, share, mean) in enumerate(pairs)
            ],
        }
