"""Headers say what the datasets say, and nothing where a value cannot be used."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from plaqueview.imaging.dicom_header import instance_headers, numbers, series_header, whole, words
from tests.imaging.phantoms import AXIAL, enhanced, stack_of

PIXELS = np.zeros((3, 4, 6), np.uint16)


def test_a_classic_instance_has_one_header():
    dataset = stack_of(PIXELS, EchoTime=120, InversionTime=2500, AcquisitionNumber=1, ImagesInAcquisition=3)[1]
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]

    (header,) = instance_headers(dataset)

    assert header.sop_instance_uid == "1.2.3.2"
    assert header.instance_number == 2
    assert header.image_position_patient == (-10.0, -20.0, 5.0)
    assert header.image_orientation_patient == AXIAL
    assert header.pixel_spacing == (0.8, 0.5)
    assert (header.rows, header.columns) == (4, 6)
    assert (header.number_of_frames, header.frame_number) == (1, 1)
    assert (header.slice_thickness, header.spacing_between_slices) == (5.0, None)
    assert (header.echo_time_ms, header.inversion_time_ms) == (120.0, 2500.0)
    assert (header.acquisition_number, header.images_in_acquisition) == (1, 3)
    assert header.image_type == ("ORIGINAL", "PRIMARY", "M")


def test_a_multi_frame_instance_has_one_header_a_frame():
    dataset = enhanced(PIXELS, [(0, 0, z) for z in (0, 5, 10)])

    headers = instance_headers(dataset)

    assert [header.frame_number for header in headers] == [1, 2, 3]
    assert [header.image_position_patient for header in headers] == [(0, 0, 0), (0, 0, 5), (0, 0, 10)]
    assert {header.image_orientation_patient for header in headers} == {AXIAL}
    assert {header.pixel_spacing for header in headers} == {(0.8, 0.5)}
    assert {(header.echo_time_ms, header.inversion_time_ms) for header in headers} == {(120.0, 2500.0)}
    assert {header.temporal_position_index for header in headers} == {1}


def test_attributes_of_a_referenced_image_are_not_the_frame_s_own():
    dataset = enhanced(PIXELS, [(0, 0, z) for z in (0, 5, 10)])
    reference = Dataset()
    reference.ImagePositionPatient = [9, 9, 9]
    frame = dataset.PerFrameFunctionalGroupsSequence[0]
    frame.ReferencedImageSequence = Sequence([reference])
    del frame.PlanePositionSequence

    assert instance_headers(dataset)[0].image_position_patient is None


def test_a_header_that_announces_a_billion_frames_costs_nothing():
    (dataset,) = stack_of(PIXELS[:1], NumberOfFrames=2_000_000_000)

    assert len(instance_headers(dataset)) == 1


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", [1.0, 2.0]),
        ("ImagePositionPatient", ["1", "nan", "3"]),
        ("ImagePositionPatient", None),
        ("PixelSpacing", [0.5]),
        ("PixelSpacing", ""),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of the text that is no number
def test_a_value_that_cannot_be_used_is_none(keyword, value):
    (dataset,) = stack_of(PIXELS[:1])
    setattr(dataset, keyword, value)
    (header,) = instance_headers(dataset)

    assert {"ImagePositionPatient": header.image_position_patient, "PixelSpacing": header.pixel_spacing}[
        keyword
    ] is None


def test_a_dataset_without_anything_has_a_header_without_anything():
    (header,) = instance_headers(Dataset())

    assert header.sop_instance_uid == ""
    assert header.rows is header.instance_number is header.image_position_patient is None


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of the text that is no number
def test_numbers_and_words_are_read_whatever_their_multiplicity():
    dataset = Dataset()
    dataset.EchoTime = "90.5"
    dataset.ImageType = "ORIGINAL"
    dataset.ScanningSequence = ["SE", "IR"]
    dataset.InstanceNumber = "7"
    dataset.add_new("RepetitionTime", "OB", b"\x01\x02")

    assert numbers(dataset, "EchoTime") == (90.5,)
    assert numbers(dataset, "InversionTime") == ()
    assert numbers(dataset, "RepetitionTime") == ()
    assert words(dataset, "ImageType") == ("ORIGINAL",)
    assert words(dataset, "ScanningSequence") == ("SE", "IR")
    assert words(dataset, "SequenceVariant") == ()
    assert whole(dataset, "InstanceNumber") == 7


def test_the_series_header_is_read_from_a_classic_series():
    series = stack_of(
        PIXELS,
        SeriesNumber=4,
        SeriesDescription="t2_tirm_tra_dark-fluid",
        ProtocolName="MS",
        ScanningSequence=["SE", "IR"],
        SequenceName="*tir2d1_16",
        InversionTime=2500,
        EchoTime=90,
        RepetitionTime=9000,
        ContrastBolusAgent="",
        AcquisitionDate="20240131",
        AcquisitionTime="093000",
    )

    header = series_header(series, is_nifti=False)

    assert header.series_instance_uid == "1.2.3"
    assert header.name == "series 4 't2_tirm_tra_dark-fluid'"
    assert header.scanning_sequence == ("SE", "IR")
    assert (header.inversion_time_ms, header.echo_time_ms, header.repetition_time_ms) == (2500.0, 90.0, 9000.0)
    assert (header.slice_count, header.spacing_mm, header.is_complete) == (3, (5.0, 0.8, 0.5), True)
    assert header.acquired_at == "20240131093000"
    assert header.image_orientation_patient == AXIAL


def test_the_series_header_is_read_from_a_multi_frame_instance():
    header = series_header([enhanced(PIXELS, [(0, 0, z) for z in (0, 5, 15)])], is_nifti=False)

    assert header.scanning_sequence == ("IR",)
    assert (header.inversion_time_ms, header.echo_time_ms) == (2500.0, 120.0)
    assert (header.slice_count, header.is_complete) == (3, False)
    assert header.acquired_at == "20240131093000"
