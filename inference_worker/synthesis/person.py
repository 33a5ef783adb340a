"""A person: a head, the plaques in it, and how it lies in the scanner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from inference_worker.synthesis.head import Head, grow_head
from inference_worker.synthesis.placement import place_plaques
from inference_worker.synthesis.plaques import Plaque
from inference_worker.synthesis.scanner import Pose
from plaqueview.imaging.lesion_class import LesionClass

# On T1 plaques are a little darker than white matter, old ones more so.
T1_BRIGHTNESS = {LesionClass.ACTIVE: 0.85, LesionClass.INACTIVE: 0.72}


@dataclass(frozen=True, eq=False)
class Person:
    head: Head
    plaques: tuple[Plaque, ...]
    pose: Pose


def draw_person(
    counts: Mapping[LesionClass, int],
    generator: np.random.Generator,
    *,
    size_factor: float,
    confluence: float,
    fat_suppressed: bool,
) -> Person:
    head = grow_head(generator, fat_suppressed=fat_suppressed)
    plaques = place_plaques(counts, generator, size_factor=size_factor, confluence=confluence)
    return Person(head, plaques, Pose.draw(generator))


def earlier(person: Person, generator: np.random.Generator) -> Person:
    """The person at a visit before: fewer active plaques, inactive ones a little smaller, the head turned slightly."""
    plaques = []
    for plaque in person.plaques:
        is_active = plaque.lesion_class is LesionClass.ACTIVE
        if generator.random() < (0.6 if is_active else 0.1):
            continue
        plaques.append(
            plaque.scaled(float(generator.uniform(0.7, 0.85) if is_active else generator.uniform(0.85, 1.0)))
        )
    return replace(person, plaques=tuple(plaques), pose=person.pose.turned(generator))


def with_t1_contrast(person: Person, generator: np.random.Generator) -> Person:
    """The same head and plaques in the grey values of a T1-weighted series."""
    plaques = tuple(
        replace(plaque, brightness=T1_BRIGHTNESS[plaque.lesion_class], oedema=0.0, is_ring=False)
        for plaque in person.plaques
    )
    return replace(person, head=person.head.with_t1_contrast(generator), plaques=plaques)
