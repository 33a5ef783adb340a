"""Plaques as implicit shapes in the head's own space: their place, form, and how bright each point of them is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.lesion_class import LesionClass


class Region(StrEnum):
    """Where MS plaques lie (McDonald criteria, 2017)."""

    PERIVENTRICULAR = "periventricular"
    JUXTACORTICAL = "juxtacortical"
    DEEP_WHITE = "deep_white"
    INFRATENTORIAL = "infratentorial"


@dataclass(frozen=True, eq=False)
class Plaque:
    """One plaque.

    `centre_mm` is (x, y, z) in the head's space; `axes_mm` has the half axes as rows (3, 3); `waves` (n, 4) are plane
    waves (direction in 1/mm, phase) that make the border uneven. `brightness` is the signal of its middle, white matter
    being 1.
    """

    lesion_class: LesionClass
    region: Region
    centre_mm: NDArray[np.float64]
    axes_mm: NDArray[np.float64]
    waves: NDArray[np.float64]
    brightness: float
    edge_mm: float  # over how many mm the border fades
    oedema: float  # share of the brightness just outside the border
    is_ring: bool

    @property
    def radius_mm(self) -> float:
        """No point farther than this from the centre is changed."""
        reach = 1.5 * float(np.linalg.norm(self.axes_mm, axis=1).max())
        return reach + (9.0 if self.oedema > 0 else 2.0)

    def scaled(self, factor: float) -> Plaque:
        """The same plaque with every axis times `factor`, as it was at an earlier visit."""
        return replace(self, axes_mm=self.axes_mm * factor)

    def border_distance_mm(self, points_mm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distance of (..., 3) points from the border, about mm, negative inside."""
        lengths = np.linalg.norm(self.axes_mm, axis=1)
        offset = points_mm - self.centre_mm.astype(np.float32)
        projected = offset @ (self.axes_mm / lengths[:, None] ** 2).T.astype(np.float32)
        radius = np.linalg.norm(projected, axis=-1)
        uneven = np.zeros(radius.shape, np.float32)
        for x, y, z, phase in self.waves.astype(np.float32):
            uneven += np.sin(offset[..., 0] * x + offset[..., 1] * y + offset[..., 2] * z + phase)
        scale = float(np.exp(np.log(lengths).mean()))
        return np.asarray(((radius - 1.0) * scale * 0.9 + uneven * 0.16 * min(scale, 4.0)), np.float32)

    def signal(self, distance_mm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Added share of signal at points of that distance: `brightness - 1` inside, fading oedema outside."""
        inside = np.clip(0.5 - distance_mm / (2 * self.edge_mm), 0.0, 1.0)
        if self.is_ring:
            depth = -distance_mm / max(float(np.linalg.norm(self.axes_mm, axis=1).min()), 1.0)
            inside = inside * (1.0 - 1.1 * np.clip((depth - 0.3) / 0.4, 0.0, 1.0))
        halo = (
            self.oedema
            * np.exp(-np.maximum(distance_mm, 0.0) / 2.5)
            * (1 - np.clip(inside, 0, 1))
            * (distance_mm < 9.0)
        )
        return np.asarray(((self.brightness - 1.0) * (inside + halo)), np.float32)
