"""A synthetic FLAIR study: a head with plaques of known place, size and class, as a scanner would show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inference_worker.synthesis.head import Head, grow_head
from inference_worker.synthesis.placement import place_plaques
from inference_worker.synthesis.plaques import Plaque, Region
from inference_worker.synthesis.scanner import Pose, Receiver, Slices
from plaqueview.imaging.lesions import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.volume import Volume

VERTEX_MM = (0.0, -6.0, 73.0)  # in the template's space: the highest slice lies near the top of the brain
LABELLED_SHARE = 0.4  # of a voxel that a plaque must fill to be labelled
SMALLEST_LABELLED_MM3 = 14.1  # a sphere of 3 mm diameter: the smallest lesion that counts


@dataclass(frozen=True)
class SynthesisRequest:
    """What to make: `size_factor` multiplies the plaques' axes, `confluence` is the share that may join others."""

    active_count: int = 3
    inactive_count: int = 14
    size_factor: float = 1.0
    confluence: float = 0.3
    fat_suppressed: bool = False
    slices: Slices = field(default_factory=Slices)


# Stacks that scanners use: (slices, matrix, pixel in mm, thickness in mm, spacing in mm).
PROTOCOLS = (
    (20, 256, 0.9, 5.0, 6.5),
    (19, 256, 0.9, 5.0, 7.2),
    (24, 320, 0.72, 5.0, 5.5),
    (25, 320, 0.69, 4.0, 5.2),
    (44, 320, 0.72, 3.0, 3.0),
)
# Plaques by load: (fewest, most, factor of size, confluence).
LOADS = ((3, 9, 0.85, 0.1), (10, 30, 1.0, 0.3), (30, 60, 1.15, 0.6))


def draw_request(generator: np.random.Generator) -> SynthesisRequest:
    """A request with a protocol, a load, a share of active plaques and fat suppression drawn at random."""
    count, matrix, pixel_mm, thickness_mm, spacing_mm = PROTOCOLS[int(generator.integers(len(PROTOCOLS)))]
    fewest, most, size_factor, confluence = LOADS[int(generator.integers(len(LOADS)))]
    plaque_count = int(generator.integers(fewest, most + 1))
    active_count = int(generator.binomial(plaque_count, generator.uniform(0.0, 0.5)))
    return SynthesisRequest(
        active_count=active_count,
        inactive_count=plaque_count - active_count,
        size_factor=size_factor,
        confluence=confluence,
        fat_suppressed=bool(generator.random() < 0.4),
        slices=Slices(
            count=count,
            rows=matrix,
            columns=matrix,
            pixel_mm=(pixel_mm, pixel_mm),
            thickness_mm=thickness_mm,
            spacing_mm=spacing_mm * float(generator.uniform(0.95, 1.05)),
            pitch_degrees=float(generator.uniform(-12.0, 6.0)),
        ),
    )


@dataclass(frozen=True)
class SyntheticLesion:
    """A plaque that the study shows; `volume_ml` is its true volume, `labelled_ml` that of its voxels in the labels."""

    lesion_class: LesionClass
    region: Region
    centre_mm: tuple[float, float, float]
    volume_ml: float
    labelled_ml: float
    is_ring: bool


@dataclass(frozen=True, eq=False)
class SyntheticStudy:
    """FLAIR (uint16) and labels (uint8, 0 background, 1 inactive, 2 active) on one grid, with what is in them."""

    flair: Volume
    labels: Volume
    lesions: tuple[SyntheticLesion, ...]


def synthesise(request: SynthesisRequest, generator: np.random.Generator) -> SyntheticStudy:
    """One study of one new person."""
    head, plaques, pose = draw_person(request, generator)
    return acquire(request, head, plaques, pose, generator)


def synthesise_with_prior(
    request: SynthesisRequest, generator: np.random.Generator
) -> tuple[SyntheticStudy, SyntheticStudy]:
    """An earlier study and the present one of the same person: fewer and smaller plaques then, another pose."""
    head, plaques, pose = draw_person(request, generator)
    earlier = acquire(request, head, earlier_plaques(plaques, generator), nudged(pose, generator), generator)
    return earlier, acquire(request, head, plaques, pose, generator)


def draw_person(request: SynthesisRequest, generator: np.random.Generator) -> tuple[Head, tuple[Plaque, ...], Pose]:
    head = grow_head(generator, fat_suppressed=request.fat_suppressed)
    counts = {LesionClass.ACTIVE: request.active_count, LesionClass.INACTIVE: request.inactive_count}
    plaques = place_plaques(counts, generator, size_factor=request.size_factor, confluence=request.confluence)
    return head, plaques, Pose.draw(generator)


def earlier_plaques(plaques: Sequence[Plaque], generator: np.random.Generator) -> tuple[Plaque, ...]:
    """The plaques as they were: active ones mostly not yet there, inactive ones a little smaller."""
    earlier = []
    for plaque in plaques:
        is_active = plaque.lesion_class is LesionClass.ACTIVE
        if generator.random() < (0.6 if is_active else 0.1):
            continue
        earlier.append(
            plaque.scaled(float(generator.uniform(0.75, 0.85) if is_active else generator.uniform(0.85, 1.0)))
        )
    return tuple(earlier)


def nudged(pose: Pose, generator: np.random.Generator) -> Pose:
    return Pose(pose.matrix, pose.offset + generator.normal(0.0, 2.0, 3))


def acquire(
    request: SynthesisRequest,
    head: Head,
    plaques: Sequence[Plaque],
    pose: Pose,
    generator: np.random.Generator,
) -> SyntheticStudy:
    """The head with its plaques on the request's slices."""
    slices = request.slices
    affine = slices.affine(pose.to_patient(np.array(VERTEX_MM)))
    stack = Stack(slices, affine, head, pose)
    signal, additions = stack.expose(plaques)
    shown = [a for a in additions if a.labelled_ml(stack.voxel_ml) * 1000 >= SMALLEST_LABELLED_MM3]
    labels = np.zeros(signal.shape, np.uint8)
    for addition in sorted(shown, key=lambda a: LABEL_OF_CLASS[a.plaque.lesion_class]):
        addition.put(signal, labels)
    magnitude = Receiver.draw(generator).record(signal, generator)
    scale = generator.uniform(300.0, 1200.0)
    voxels = np.clip(np.rint(magnitude * scale), 0, 65535).astype(np.uint16)
    lesions = tuple(a.lesion(pose, stack.voxel_ml) for a in shown)
    return SyntheticStudy(Volume(voxels, affine), Volume(labels, affine), lesions)


@dataclass(eq=False)
class Addition:
    """What one plaque adds to the stack: pieces of (slice, rows, columns, added signal, share of the voxel filled)."""

    plaque: Plaque
    pieces: list[tuple[int, slice, slice, NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=list)

    def volume_ml(self, voxel_ml: float) -> float:
        return sum(float(share.sum()) for *_, share in self.pieces) * voxel_ml

    def labelled_ml(self, voxel_ml: float) -> float:
        return sum(int((share >= LABELLED_SHARE).sum()) for *_, share in self.pieces) * voxel_ml

    def put(self, signal: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
        """Raises the signal to the plaque's where that is brighter, and writes the plaque's label."""
        for k, rows, columns, added, share in self.pieces:
            signal[k, rows, columns] += added
            labels[k, rows, columns][share >= LABELLED_SHARE] = LABEL_OF_CLASS[self.plaque.lesion_class]

    def lesion(self, pose: Pose, voxel_ml: float) -> SyntheticLesion:
        x, y, z = pose.to_patient(self.plaque.centre_mm)
        return SyntheticLesion(
            lesion_class=self.plaque.lesion_class,
            region=self.plaque.region,
            centre_mm=(float(x), float(y), float(z)),
            volume_ml=self.volume_ml(voxel_ml),
            labelled_ml=self.labelled_ml(voxel_ml),
            is_ring=self.plaque.is_ring,
        )


@dataclass(frozen=True, eq=False)
class Stack:
    """The planes through the slices' thickness at which the head is sampled."""

    slices: Slices
    affine: NDArray[np.float64]
    head: Head
    pose: Pose

    @property
    def voxel_ml(self) -> float:
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def plane(self, k: int, depth: float) -> NDArray[np.float32]:
        """(rows, columns, 3) points of the template seen at `depth` within slice `k`."""
        step = self.affine.astype(np.float32)
        rows = np.arange(self.slices.rows, dtype=np.float32)[:, None, None]
        columns = np.arange(self.slices.columns, dtype=np.float32)[None, :, None]
        points = step[:3, 0] * np.float32(k + depth) + step[:3, 1] * rows + step[:3, 2] * columns + step[:3, 3]
        return self.head.displaced(self.pose.to_head(points))

    def expose(self, plaques: Sequence[Plaque]) -> tuple[NDArray[np.float32], list[Addition]]:
        """Signal (slices, rows, columns) without plaques, averaged through each slice, and what every plaque adds."""
        depths = self.slices.depths
        signal = np.zeros((self.slices.count, self.slices.rows, self.slices.columns), np.float32)
        additions = [Addition(plaque) for plaque in plaques]
        for k in range(self.slices.count):
            planes = [self.plane(k, depth) for depth in depths]
            tissues = [self.head.sample(plane) for plane in planes]
            signal[k] = np.mean([tissue.signal for tissue in tissues], axis=0)
            parenchyma = [tissue.parenchyma for tissue in tissues]
            for addition in additions:
                add_pieces(addition, k, planes, parenchyma)
        return signal, additions


def add_pieces(
    addition: Addition, k: int, planes: Sequence[NDArray[np.float32]], parenchyma: Sequence[NDArray[np.float32]]
) -> None:
    """Adds what the plaque changes in slice `k`, averaged over the slice's planes."""
    window = reach(addition.plaque, planes)
    if window is None:
        return
    rows, columns = window
    added, shares = [], []
    for plane, share in zip(planes, parenchyma, strict=True):
        distance = addition.plaque.border_distance_mm(plane[rows, columns])
        added.append(addition.plaque.signal(distance) * share[rows, columns])
        shares.append((distance < 0) * share[rows, columns])
    addition.pieces.append((k, rows, columns, np.mean(added, axis=0), np.mean(shares, axis=0).astype(np.float32)))


def reach(plaque: Plaque, planes: Sequence[NDArray[np.float32]]) -> tuple[slice, slice] | None:
    """The rows and columns that the plaque can change in any of the planes; None when it is out of reach."""
    centre = plaque.centre_mm.astype(np.float32)
    coarse = np.stack([plane[::4, ::4] for plane in planes])
    near = (np.abs(coarse - centre).max(axis=-1) <= plaque.radius_mm + 4.0).any(axis=0)
    if not near.any():
        return None
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    return slice(max(0, 4 * rows[0] - 4), 4 * rows[-1] + 5), slice(max(0, 4 * columns[0] - 4), 4 * columns[-1] + 5)
