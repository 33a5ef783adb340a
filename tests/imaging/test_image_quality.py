"""Noise, ghosts and a cut brain are told from phantoms in which they were put."""

import numpy as np
import pytest

from plaqueview.imaging.image_quality import ImageQualityError, measure_quality
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine

SHAPE, RADII = (12, 96, 96), (7.0, 30.0, 26.0)
BRAIN, AIR = 100.0, 3.0


def head(*, noise: float = 0.0, shift: int = 0, cut: int = 0) -> tuple[Volume, np.ndarray]:
    """An ellipsoid of brain that is whole; `shift` copies a tenth of it so many columns to either side."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)
    distance = np.linalg.norm((grid - (np.array(SHAPE) - 1) / 2.0) / RADII, axis=-1)
    brain = distance < 1.0
    values = np.where(brain, BRAIN, AIR)
    if shift:
        values = values + 0.1 * (np.roll(values, shift, axis=2) + np.roll(values, -shift, axis=2))
    values = np.hypot(*(part + np.random.default_rng(3).normal(0.0, noise, SHAPE) for part in (values, 0.0 * values)))
    return Volume(values[cut:], axial_affine((6.0, 2.0, 2.0))), brain[cut:]


def test_noise_is_the_deviation_that_was_added_over_the_brain():
    assert measure_quality(*head()).noise == pytest.approx(0.0, abs=1e-9)
    assert measure_quality(*head(noise=2.0)).noise == pytest.approx(0.02, rel=0.05)
    assert measure_quality(*head(noise=8.0)).noise == pytest.approx(0.08, rel=0.08)


def test_a_copy_of_the_head_in_the_air_beside_it_is_a_ghost_and_noise_is_none():
    still, moved = measure_quality(*head(noise=2.0)).ghosting, measure_quality(*head(noise=2.0, shift=30)).ghosting

    assert still == pytest.approx(0.0, abs=0.003)
    # A tenth of the head over a part of the air beside it, halved by the measure.
    assert 0.02 < moved < 0.05


def test_air_that_was_set_to_zero_tells_of_no_ghost():
    volume, brain = head(noise=2.0)
    blank = np.where(volume.voxels < 20.0, 0.0, volume.voxels)

    assert measure_quality(volume.with_voxels(blank), brain).ghosting is None
    assert measure_quality(volume.with_voxels(blank), brain).noise == pytest.approx(0.02, rel=0.05)


def test_a_brain_that_ends_at_the_edge_of_the_volume_is_cut():
    assert measure_quality(*head()).edge_brain < 0.4
    assert measure_quality(*head(cut=5)).edge_brain > 0.9


def test_nothing_is_said_without_a_brain_and_another_grid_is_refused():
    volume, brain = head()

    empty = measure_quality(volume, np.zeros_like(brain))

    assert (empty.noise, empty.ghosting, empty.edge_brain) == (None, None, None)
    with pytest.raises(ImageQualityError, match=r"shape \(12, 96, 95\), need \(12, 96, 96\)"):
        measure_quality(volume, brain[..., 1:])
