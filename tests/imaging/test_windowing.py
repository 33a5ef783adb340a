"""A window shows the head from black to white."""

import numpy as np
import pytest
from hypothesis import given, strategies

from plaqueview.imaging.windowing import Window, WindowError, apply_window, percentile_window, reading_window


def test_the_ends_of_the_window_are_black_and_white_and_its_centre_is_grey():
    intensities = np.array([-5.0, 100.0, 150.0, 200.0, 900.0])

    assert apply_window(intensities, Window(center=150.0, width=100.0)).tolist() == [0, 0, 128, 255, 255]


def test_a_window_works_on_intensities_below_one():
    assert apply_window(np.array([0.0, 0.25, 0.5]), Window(center=0.25, width=0.5)).tolist() == [0, 128, 255]


def test_air_does_not_decide_the_upper_end():
    head = np.linspace(400, 600, 1_000)
    with_air = np.concatenate([np.zeros(9_000), head])

    window = percentile_window(with_air)

    assert window.center - window.width / 2 == 0.0
    assert window.center + window.width / 2 == pytest.approx(600, abs=1.0)


def test_one_bright_vessel_does_not_darken_the_head():
    head = np.concatenate([np.zeros(5_000), np.full(5_000, 500.0), np.full(5, 30_000.0)])

    window = percentile_window(head)

    assert window.center + window.width / 2 == pytest.approx(500.0)


# What the volume consists of: air, brain, and now and then something brighter or darker.
AIR, BRAIN = np.zeros(5_000), np.full(4_000, 450.0)
FAT, PLAQUE, HOLES = np.full(500, 3_000.0), np.full(500, 675.0), np.full(40, -90_000.0)


@pytest.mark.parametrize(
    ("parts", "ends"),
    [
        pytest.param((AIR, BRAIN, FAT), (0.0, 1_000.0), id="the brain is mid-grey, however bright the scalp"),
        pytest.param((AIR, BRAIN, PLAQUE), (0.0, 1_000.0), id="without a scalp it is no brighter"),
        pytest.param((HOLES, BRAIN, FAT), (450.0, 3_000.0), id="where there is no air, it has a width all the same"),
    ],
)
def test_a_reader_first_sees_the_brain(parts, ends):
    window = reading_window(np.concatenate(parts))

    assert (window.center - window.width / 2, window.center + window.width / 2) == pytest.approx(ends)


@pytest.mark.parametrize("choose", [percentile_window, reading_window])
def test_a_volume_of_one_intensity_has_a_window(choose):
    window = choose(np.full((2, 2, 2), 7, np.int16))

    assert (window.center, window.width) == (7.0, 1.0)


@given(strategies.lists(strategies.floats(-1e4, 1e4, width=32), min_size=2), strategies.floats(0.1, 1e4))
def test_brighter_is_never_darker(intensities, width):
    grey = apply_window(np.sort(np.array(intensities, np.float32)), Window(center=0.0, width=width))

    assert (np.diff(grey.astype(int)) >= 0).all()


@pytest.mark.parametrize(("center", "width"), [(0.0, 0.0), (0.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_window_without_width_is_refused(center, width):
    with pytest.raises(WindowError, match="need finite and positive width"):
        Window(center, width)
