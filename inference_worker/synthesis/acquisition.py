"""What a stack of thick slices sees of a person: signal averaged through each slice, and what every plaque adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference_worker.synthesis.person import Person
from inference_worker.synthesis.plaques import Plaque
from inference_worker.synthesis.scanner import Slices
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS

VERTEX_MM = (0.0, -6.0, 73.0)  # in the template's space: the highest slice lies near the top of the brain
LABELLED_SHARE = 0.4  # of a voxel that a plaque must fill to be labelled


@dataclass(eq=False)
class Addition:
    """What one plaque adds to the stack: pieces of (slice, rows, columns, added signal, share of the voxel filled)."""

    plaque: Plaque
    pieces: list[tuple[int, slice, slice, NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=list)

    def volume_ml(self, voxel_ml: float) -> float:
        return sum(float(share.sum()) for *_, share in self.pieces) * voxel_ml

    @property
    def centroid_index(self) -> NDArray[np.float64]:
        """(slice, row, column) of the middle of what the plaque fills."""
        weighted = [
            np.array([k * share.sum(), *(share * np.mgrid[rows, columns]).sum(axis=(1, 2))], np.float64)
            for k, rows, columns, _, share in self.pieces
        ]
        return np.asarray(np.sum(weighted, axis=0) / sum(float(share.sum()) for *_, share in self.pieces))

    def labelled_ml(self, voxel_ml: float) -> float:
        return sum(int((share >= LABELLED_SHARE).sum()) for *_, share in self.pieces) * voxel_ml

    def put(self, changes: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
        """Writes the plaque's change of signal where it is the strongest so far, and its label."""
        for k, rows, columns, added, share in self.pieces:
            window = changes[k, rows, columns]
            np.copyto(window, added, where=np.abs(added) > np.abs(window))
            labels[k, rows, columns][share >= LABELLED_SHARE] = LABEL_OF_CLASS[self.plaque.lesion_class]


@dataclass(frozen=True, eq=False)
class Stack:
    """The planes through the slices' thickness at which the head is sampled."""

    slices: Slices
    person: Person

    @cached_property
    def affine(self) -> NDArray[np.float64]:
        """(slice, row, column) to LPS mm; the last slice lies near the top of the brain."""
        top_mm = self.person.pose.to_patient(np.array(VERTEX_MM))
        top_mm[2] += self.slices.raised_mm
        return self.slices.affine(top_mm)

    @property
    def voxel_ml(self) -> float:
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def plane(self, k: int, depth: float) -> NDArray[np.float32]:
        """(rows, columns, 3) points of the template seen at `depth` within slice `k`."""
        step = self.affine.astype(np.float32)
        rows = np.arange(self.slices.rows, dtype=np.float32)[:, None, None]
        columns = np.arange(self.slices.columns, dtype=np.float32)[None, :, None]
        points = step[:3, 0] * np.float32(k + depth) + step[:3, 1] * rows + step[:3, 2] * columns + step[:3, 3]
        return self.person.head.displaced(self.person.pose.to_head(points))

    def expose(self) -> tuple[NDArray[np.float32], list[Addition]]:
        """Signal (slices, rows, columns) without plaques, averaged through each slice, and what every plaque adds."""
        depths = self.slices.depths
        signal = np.zeros((self.slices.count, self.slices.rows, self.slices.columns), np.float32)
        additions = [Addition(plaque) for plaque in self.person.plaques]
        for k in range(self.slices.count):
            planes = np.stack([self.plane(k, depth) for depth in depths])
            tissues = [self.person.head.sample(plane) for plane in planes]
            signal[k] = np.mean([tissue.signal for tissue in tissues], axis=0)
            seen = SeenSlice(k, planes, np.stack([tissue.parenchyma for tissue in tissues]))
            for addition in additions:
                seen.add_piece(addition)
        return signal, additions


@dataclass(frozen=True, eq=False)
class SeenSlice:
    """One slice: `planes` (depths, rows, columns, 3) are template points, `parenchyma` the share of tissue there."""

    number: int
    planes: NDArray[np.float32]
    parenchyma: NDArray[np.float32]

    def add_piece(self, addition: Addition) -> None:
        """Adds what the plaque changes in this slice, averaged through its thickness."""
        window = self.reach(addition.plaque)
        if window is None:
            return
        rows, columns = window
        tissue = self.parenchyma[:, rows, columns]
        distance = addition.plaque.border_distance_mm(self.planes[:, rows, columns])
        added = (addition.plaque.signal(distance) * tissue).mean(axis=0)
        share = ((distance < 0) * tissue).mean(axis=0)
        addition.pieces.append((self.number, rows, columns, added, share))

    @cached_property
    def coarse(self) -> NDArray[np.float32]:
        """(3, points, rows / 4, columns / 4): every fourth point, one coordinate after the other."""
        return np.ascontiguousarray(np.moveaxis(self.planes[:, ::4, ::4], -1, 0))

    def reach(self, plaque: Plaque) -> tuple[slice, slice] | None:
        """The rows and columns that the plaque can change; None when it is out of reach."""
        reach_mm = plaque.radius_mm + 4.0
        x, y, z = (
            np.abs(values - np.float32(at)) <= reach_mm
            for values, at in zip(self.coarse, plaque.centre_mm, strict=True)
        )
        near = (x & y & z).any(axis=0)
        if not near.any():
            return None
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        return around(rows, self.planes.shape[1]), around(columns, self.planes.shape[2])


def around(coarse: NDArray[np.intp], length: int) -> slice:
    """The indices that every fourth one in `coarse` stands for, and those up to the next."""
    return slice(max(0, 4 * int(coarse[0]) - 4), min(length, 4 * int(coarse[-1]) + 5))
