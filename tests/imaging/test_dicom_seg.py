"""The SEG holds the very voxels of the version, says who drew them, and where."""

import shutil
from io import BytesIO

import numpy as np
import pytest
from highdicom.seg import Segmentation, segread
from pydicom import dcmread
from pydicom.uid import SegmentationStorage

from plaqueview.imaging.dicom_document import encode
from plaqueview.imaging.dicom_seg import segmentation_of
from plaqueview.imaging.dicom_source import DocumentError, source_series
from plaqueview.imaging.nifti_to_dicom import series_of
from plaqueview.imaging.volume import Volume
from tests.imaging.documents import ALGORITHM, SHAPE, WHO_AND_WHEN, approved, dciodvfy_errors, labels, source, stamp
from tests.imaging.phantoms import axial_affine, enhanced, rotated


def written(labels_, source_, stamp_) -> bytes:
    return encode(segmentation_of(labels_, source_, stamp_), stamp_)


def read(content: bytes) -> Segmentation:
    return segread(BytesIO(content))


def voxels_of(seg: Segmentation, source_) -> np.ndarray:
    """(slices, rows, columns) labels, as highdicom's reader combines the segments by source slice."""
    return seg.get_pixels_by_source_instance(
        list(source_.sop_instance_uids), combine_segments=True, assert_missing_frames_are_empty=True
    )


def test_highdicom_reads_the_very_voxels_in_slice_order():
    seg = read(written(labels(), source(), stamp()))

    np.testing.assert_array_equal(voxels_of(seg, source()), labels().voxels)


def test_pydicom_reads_the_very_voxels_by_position():
    volume = labels()
    seg = dcmread(BytesIO(written(volume, source(), stamp())))

    found = np.zeros(SHAPE, np.uint8)
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        height_mm = frame.PlanePositionSequence[0].ImagePositionPatient[2]
        label = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        found[round(height_mm / 4.0)][pixels == 1] = label
    np.testing.assert_array_equal(found, volume.voxels)
    assert seg.SOPClassUID == SegmentationStorage
    assert (seg.SegmentationType, seg.BitsAllocated, seg.Rows, seg.Columns) == ("BINARY", 1, 32, 32)


def test_the_frames_of_a_multi_frame_source_are_referred_to_one_by_one():
    positions = [(-10.0, -20.0, height_mm) for height_mm in (20.0, 16.0, 12.0, 8.0, 4.0, 0.0)]
    dataset = enhanced(np.zeros(SHAPE, np.uint16), positions)
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [1.0, 1.0]
    for keyword, value in WHO_AND_WHEN.items():
        setattr(dataset, keyword, value)
    series = source_series([dataset])
    volume = Volume(labels().voxels, series.affine)

    seg = read(written(volume, series, stamp()))

    assert series.frame_numbers == (6, 5, 4, 3, 2, 1)
    found = seg.get_pixels_by_source_frame(
        dataset.SOPInstanceUID,
        list(series.frame_numbers),
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    np.testing.assert_array_equal(found, volume.voxels)


@pytest.mark.parametrize("degrees", [0, 15])
def test_of_a_nifti_the_source_is_the_series_that_was_made_of_it(degrees, tmp_path):
    affine = rotated(axial_affine((4.0, 0.9, 0.9), (-16.0, -14.0, 3.3)), degrees) @ np.diag([1.0, -1.0, 1.0, 1.0])
    datasets = series_of(Volume(np.zeros(SHAPE, np.int16), affine), source_sha256="ab" * 32, source_name="scan.nii")
    series = source_series(datasets)
    volume = Volume(labels().voxels, series.affine)

    path = tmp_path / "seg.dcm"
    path.write_bytes(written(volume, series, stamp()))

    np.testing.assert_array_equal(voxels_of(read(path.read_bytes()), series), volume.voxels)
    assert {one.ReferencedSOPInstanceUID for one in dcmread(path).SourceImageSequence} == {
        dataset.SOPInstanceUID for dataset in datasets
    }
    if shutil.which("dciodvfy"):
        assert dciodvfy_errors(path) == []


def test_segments_are_coded_and_a_prediction_says_so():
    seg = read(written(labels(), source(), stamp()))

    inactive, active = seg.SegmentSequence
    assert [inactive.SegmentLabel, active.SegmentLabel] == [
        "AI-predicted inactive (FLAIR only)",
        "AI-predicted active (FLAIR only)",
    ]
    for segment, modifier in ((inactive, "73425007"), (active, "55561003")):
        assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("52988006", "SCT")
        assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == modifier
        assert segment.AnatomicRegionSequence[0].CodeValue == "12738006"
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("phantom-reader", "1.0")
        assert algorithm.AlgorithmParameters == f"sha256={ALGORITHM.sha256}"
        assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == "123110"
    assert seg.SeriesDescription == "DRAFT MS plaques, version 3"
    assert seg.ContentDescription == "Research use only, not a medical device."


def test_an_approved_version_of_a_reader_says_active_once_it_is_confirmed():
    confirmed = read(written(labels(), source(), approved()))
    unconfirmed = read(written(labels(), source(), stamp(reader="Novak^Ana")))
    by_hand = read(written(labels(), source(), stamp(reader="Novak^Ana", algorithm=None)))

    assert [one.SegmentLabel for one in confirmed.SegmentSequence] == ["Inactive", "Active"]
    assert [one.SegmentLabel for one in unconfirmed.SegmentSequence] == ["Inactive", "AI-predicted active (FLAIR only)"]
    assert [one.SegmentAlgorithmType for one in confirmed.SegmentSequence] == ["SEMIAUTOMATIC"] * 2
    assert [one.SegmentAlgorithmType for one in by_hand.SegmentSequence] == ["MANUAL"] * 2
    assert confirmed.SeriesDescription == "MS plaques, version 3"
    assert confirmed.ContentCreatorName == "Novak^Ana"


def test_patient_study_and_geometry_are_those_of_the_source():
    seg = read(written(labels(), source(), stamp()))

    assert (str(seg.PatientName), seg.SpecificCharacterSet) == ("Müller^Änne", "ISO_IR 192")
    for keyword in ("PatientID", "StudyInstanceUID", "StudyDate", "AccessionNumber", "FrameOfReferenceUID"):
        assert seg[keyword].value == WHO_AND_WHEN[keyword], keyword
    shared = seg.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].PixelSpacing == [1.0, 1.0]
    assert shared.PixelMeasuresSequence[0].SpacingBetweenSlices == 4.0
    assert {one.ReferencedSOPInstanceUID for one in seg.SourceImageSequence} == set(source().sop_instance_uids)
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == WHO_AND_WHEN["SeriesInstanceUID"]


def test_the_same_version_gives_the_same_bytes_dated_when_it_was_made():
    first, again = (written(labels(), source(), stamp()) for _ in range(2))

    seg = read(first)
    assert first == again
    assert (seg.ContentDate, seg.ContentTime) == ("20260304", "050607.000890")


def test_an_approved_version_has_another_uid_than_its_draft_and_another_version_another_still():
    stamps = (stamp(), approved(), stamp(annotation_id="0b5b6f0e-0000-4000-8000-000000000002"))
    uids = {read(written(labels(), source(), one)).SOPInstanceUID for one in stamps}

    assert len(uids) == 3


def test_a_version_without_a_plaque_is_a_seg_of_empty_frames():
    volume = labels().with_voxels(np.zeros(SHAPE, np.uint8))

    seg = read(written(volume, source(), stamp()))

    np.testing.assert_array_equal(voxels_of(seg, source()), volume.voxels)
    assert len(seg.SegmentSequence) == 2


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        (Volume(np.zeros((6, 32, 31), np.uint8), labels().affine), r"a grid of \(6, 32, 31\) voxels"),
        (Volume(labels().voxels, labels().affine + np.eye(4)[:, [3, 0, 1, 2]] * 0.2), "on another grid"),
    ],
)
def test_a_version_on_another_grid_is_refused(volume, message):
    with pytest.raises(DocumentError, match=message):
        segmentation_of(volume, source(), stamp())


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy of dicom3tools is not installed")
@pytest.mark.parametrize("stamp_", [stamp(), approved(), stamp(algorithm=None, reader="Novak^Ana")])
def test_dciodvfy_finds_no_error(tmp_path, stamp_):
    path = tmp_path / "seg.dcm"
    path.write_bytes(written(labels(), source(), stamp_))

    assert dciodvfy_errors(path) == []
