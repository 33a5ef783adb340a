"""How many neighbours a slab takes in."""

import pytest

from inference_worker.reading_rule import slab_reach


@pytest.mark.parametrize(
    ("slice_mm", "neighbours"),
    [(6.5, 0), (2.6, 0), (2.5000004, 1), (2.5, 1), (2.4999996, 1), (1.3, 1), (1.2500002, 2), (1.25, 2), (1.0, 2)],
)
def test_a_slab_of_5_mm_takes_in_whom_it_fits_whatever_the_last_digit_of_the_spacing(slice_mm, neighbours):
    assert slab_reach(5.0, slice_mm) == neighbours
