"""A series read from its stored files."""

import numpy as np
import pytest

from plaqueview.imaging.windowing import Window
from plaqueview.studies.models import Series
from plaqueview.studies.volumes import load_slices, load_volume, read_slices
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db


def test_slices_are_read_one_by_one_though_no_header_says_how_thick_they_are():
    """SliceThickness is of type 2: it may be empty, and positions say how far apart slices are."""
    receive_series(series(10, SliceThickness=""))
    kept = Series.objects.get()

    assert load_volume(kept.pk).volume.spacing_mm == pytest.approx((5.0, 0.8, 0.5))
    (index, pixels), *others = load_slices(kept, [3]).items()
    assert (index, pixels.shape, set(np.unique(pixels)), others) == (3, (16, 16), {103.0}, [])
    assert read_slices(kept).window == Window(105.0, 1.0)
