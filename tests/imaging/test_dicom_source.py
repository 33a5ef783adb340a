"""Headers as hospitals write them become headers that other objects can repeat, or a reason why not."""

import numpy as np
import pytest

from plaqueview.imaging.dicom_source import DocumentError, source_series
from tests.imaging.documents import datasets
from tests.imaging.phantoms import enhanced


def test_slices_are_in_order_whatever_the_order_of_the_files():
    series = source_series(datasets())

    assert series.sop_instance_uids == tuple(f"1.2.3.{number}" for number in range(1, 7))
    assert [header.SOPInstanceUID for header in series.headers] == list(series.sop_instance_uids)
    assert series.shape == (6, 32, 32)


@pytest.mark.parametrize(
    ("keyword", "found", "kept"),
    [
        ("PatientSex", "female", ""),
        ("PatientSex", "O", "O"),
        ("PatientBirthDate", "unknown", ""),
        ("StudyDate", "20240203120000", ""),
        ("StudyTime", "10:11", ""),
        ("StudyTime", "101112.5", "101112.5"),
        ("AccessionNumber", None, ""),
        ("StudyID", None, ""),
        ("PatientName", None, ""),
    ],
)
def test_what_dicom_lets_be_empty_is_empty_where_the_source_has_no_such_value(keyword, found, kept):
    series = source_series(datasets(**{keyword: found}) if found else without(keyword))

    assert str(series.headers[0][keyword].value or "") == kept


def without(keyword: str):
    found = datasets()
    for dataset in found:
        delattr(dataset, keyword)
    return found


def test_a_missing_slice_thickness_is_the_step_between_slices():
    assert source_series(without("SliceThickness")).headers[0].SliceThickness == 4.0


def test_private_elements_stay_behind():
    found = datasets()
    for dataset in found:
        dataset.private_block(0x0029, "VENDOR", create=True).add_new(0x10, "LO", "secret")

    assert all(element.tag.is_private is False for element in source_series(found).headers[0])


def test_a_series_without_frame_of_reference_is_refused():
    with pytest.raises(DocumentError, match="names no frame of reference"):
        source_series(without("FrameOfReferenceUID"))


def test_a_gap_is_refused_with_what_completeness_found():
    with pytest.raises(DocumentError, match="the series is not one volume: "):
        source_series(datasets()[:2] + datasets()[3:])


def test_several_multi_frame_instances_are_refused():
    dataset = enhanced(np.zeros((2, 8, 8), np.uint16), [(0, 0, 0), (0, 0, 5)])

    with pytest.raises(DocumentError, match="has 2 multi-frame instances, need one"):
        source_series([dataset, dataset])
