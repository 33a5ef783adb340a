"""A synthetic FLAIR study: a head with plaques of known place, size and class, as a scanner would show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference_worker.synthesis.acquisition import Addition, Stack
from inference_worker.synthesis.person import Person, draw_person, earlier, with_t1_contrast
from inference_worker.synthesis.plaques import Region
from inference_worker.synthesis.scanner import Receiver, Slices
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.volume import Volume

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
    """A plaque that the study shows, its middle in LPS mm, its true volume and that of its voxels in the labels."""

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
    return acquire(request.slices, draw_patient(request, generator), generator)


def synthesise_with_prior(
    request: SynthesisRequest, generator: np.random.Generator
) -> tuple[SyntheticStudy, SyntheticStudy]:
    """An earlier study and the present one of the same person: fewer and smaller plaques then, another pose."""
    person = draw_patient(request, generator)
    before = acquire(earlier_slices(request.slices, generator), earlier(person, generator), generator)
    return before, acquire(request.slices, person, generator)


def earlier_slices(slices: Slices, generator: np.random.Generator) -> Slices:
    """The stack as another technician laid it, a few mm higher or lower."""
    return replace(slices, raised_mm=float(generator.normal(0.0, 2.0)))


def draw_patient(request: SynthesisRequest, generator: np.random.Generator) -> Person:
    """A new person with the plaques that the request names."""
    return draw_person(
        {LesionClass.ACTIVE: request.active_count, LesionClass.INACTIVE: request.inactive_count},
        generator,
        size_factor=request.size_factor,
        confluence=request.confluence,
        fat_suppressed=request.fat_suppressed,
    )


def acquire(slices: Slices, person: Person, generator: np.random.Generator) -> SyntheticStudy:
    """The FLAIR of a person on the given slices, with labels of the plaques that are large enough to count there."""
    stack = Stack(slices, person)
    signal, additions = stack.expose()
    shown = [each for each in additions if each.labelled_ml(stack.voxel_ml) * 1000 >= SMALLEST_LABELLED_MM3]
    labels = put_plaques(signal, shown)
    flair = Volume(Receiver.draw(generator).record(signal, generator), stack.affine)
    return SyntheticStudy(flair, Volume(labels, stack.affine), tuple(known_lesion(each, stack) for each in shown))


def acquire_t1(slices: Slices, person: Person, generator: np.random.Generator) -> Volume:
    """A T1-weighted series of the same person, in which plaques are dark, so that a study has a choice of series."""
    stack = Stack(slices, with_t1_contrast(person, generator))
    signal, additions = stack.expose()
    put_plaques(signal, additions)
    return Volume(Receiver.draw(generator).record(signal, generator), stack.affine)


def put_plaques(signal: NDArray[np.float32], additions: Sequence[Addition]) -> NDArray[np.uint8]:
    """The labels (0 background, 1 inactive, 2 active) of plaques whose change of signal is now in `signal`."""
    changes, labels = np.zeros_like(signal), np.zeros(signal.shape, np.uint8)
    for addition in sorted(additions, key=lambda each: LABEL_OF_CLASS[each.plaque.lesion_class]):
        addition.put(changes, labels)
    signal += changes
    return labels


def known_lesion(addition: Addition, stack: Stack) -> SyntheticLesion:
    x, y, z = Volume(np.zeros((1, 1, 1)), stack.affine).positions_mm(addition.centroid_index[None])[0]
    return SyntheticLesion(
        lesion_class=addition.plaque.lesion_class,
        region=addition.plaque.region,
        centre_mm=(float(x), float(y), float(z)),
        volume_ml=addition.volume_ml(stack.voxel_ml),
        labelled_ml=addition.labelled_ml(stack.voxel_ml),
        is_ring=addition.plaque.is_ring,
    )
