"""A NIfTI becomes a valid DICOM series that reads back as itself."""

import hashlib
import io
import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from hypothesis import assume, example, given, settings, strategies
from pydicom.uid import MRImageStorage

from plaqueview.imaging.dicom_header import series_header
from plaqueview.imaging.dicom_read import read_volume
from plaqueview.imaging.nifti_to_dicom import NiftiConversionError, series_of
from plaqueview.imaging.series_choice import choose_flair
from plaqueview.imaging.volume import Volume, axial_reorientation, reorientation_between
from tests.imaging.phantoms import affines, axial_affine, rotated, voxels

SHA256 = hashlib.sha256(b"flair").hexdigest()


def converted(volume: Volume, name: str = "flair.nii.gz", sha256: str = SHA256) -> list[pydicom.Dataset]:
    return series_of(volume, source_sha256=sha256, source_name=name)


def as_bytes(dataset: pydicom.Dataset) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def written(volume: Volume) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(io.BytesIO(as_bytes(dataset))) for dataset in converted(volume)]


@settings(max_examples=100, deadline=None)
@given(
    strategies.sampled_from([(np.uint8, 255), (np.int16, 30_000), (np.uint16, 65_000), (np.float32, 4_095)]).flatmap(
        lambda kind: voxels(dtype=kind[0], highest=kind[1])
    ),
    affines(),
)
def test_whole_numbers_come_back_exactly_where_they_were(array, affine):
    volume = Volume(array, affine)

    stacked = read_volume(written(volume)[::-1])

    axial = axial_reorientation(affine).apply_to(volume)
    assert np.array_equal(stacked.volume.voxels, axial.voxels)
    assert np.allclose(stacked.volume.affine, axial.affine, rtol=0, atol=1e-9)
    assert np.array_equal(reorientation_between(volume, stacked.volume).undo(stacked.volume.voxels), array)


def test_negative_intensities_come_back_exactly():
    volume = Volume(np.array([[[-1413, 16382], [0, -1]]], np.int16), axial_affine())

    assert np.array_equal(read_volume(written(volume)).volume.voxels, volume.voxels)
    assert written(volume)[0].RescaleIntercept == -1413


@settings(max_examples=100, deadline=None)
@given(strategies.integers(0, 10_000), strategies.floats(-6, 8), strategies.floats(-1e3, 1e3))
@example(seed=0, magnitude=-6.0, offset=65.0)
def test_real_intensities_are_off_by_less_than_half_a_step(seed, magnitude, offset):
    array = np.random.default_rng(seed).normal(offset, 10.0**magnitude, (2, 5, 5)).astype(np.float32)
    assume(array.max() > array.min())  # float32 may round all of them to one intensity, which has no step

    datasets = written(Volume(array, axial_affine()))

    stored = np.stack([dataset.pixel_array for dataset in datasets]).astype(np.float64)
    slope, intercept = float(datasets[0].RescaleSlope), float(datasets[0].RescaleIntercept)
    assert np.abs(stored * slope + intercept - array).max() <= slope / 2 * (1 + 1e-6)
    assert slope == pytest.approx(float(array.max() - array.min()) / 65_535, rel=1e-4)


def test_integers_over_a_wider_range_are_scaled():
    volume = Volume(np.array([[[-(2**40), 2**40, 0]]], np.int64), axial_affine())

    restored = read_volume(written(volume)).volume.voxels

    assert np.abs(restored - volume.voxels).max() <= 2**41 / 65_535 / 2 * (1 + 1e-5)


@pytest.mark.parametrize("value", [0, -7, 2.5, 70_000])
def test_a_volume_of_one_intensity_survives(value):
    volume = Volume(np.full((1, 2, 2), value, np.float32), axial_affine())

    assert (read_volume(written(volume)).volume.voxels == value).all()


def test_the_same_file_always_becomes_the_same_bytes():
    volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), axial_affine())

    assert list(map(as_bytes, converted(volume))) == list(map(as_bytes, converted(volume)))


def test_every_uid_follows_from_the_file():
    volume = Volume(np.zeros((2, 3, 4), np.int16), axial_affine())
    first, second = converted(volume)
    other = converted(volume, sha256=hashlib.sha256(b"another").hexdigest())[0]

    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert first[keyword].value == second[keyword].value != other[keyword].value
    uids = [first.StudyInstanceUID, first.SeriesInstanceUID, first.FrameOfReferenceUID, first.SOPInstanceUID]
    assert len({*uids, second.SOPInstanceUID}) == 5
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_the_header_says_what_is_known_and_no_more():
    dataset = converted(Volume(np.zeros((2, 3, 4), np.int16), axial_affine((5.0, 0.8, 0.9))))[1]

    assert dataset.SOPClassUID == MRImageStorage
    assert dataset.PatientID == f"NIFTI-{SHA256[:12]}"
    assert dataset.PatientName == "flair"
    assert dataset.SeriesDescription == "flair.nii.gz"
    assert dataset.ImageType == ["DERIVED", "SECONDARY", "OTHER"]
    assert dataset.InstanceNumber == 2
    assert dataset.ScanningSequence == "RM"
    assert not any((dataset.PatientBirthDate, dataset.PatientSex, dataset.StudyDate, dataset.EchoTime))


@pytest.mark.parametrize(
    ("name", "patient", "description"),
    [
        ("case01/flair.nii.gz", "case01 flair", "case01 flair.nii.gz"),
        ("a^b=c\\d\n.nii", "a b c d", "a b c d .nii"),
        ("x" * 90 + ".nii", "x" * 64, "x" * 64),
        ("Läsion.nii", "Läsion", "Läsion.nii"),
    ],
)
def test_a_file_name_becomes_a_name_that_dicom_allows(name, patient, description):
    dataset = converted(Volume(np.zeros((1, 2, 2), np.int16), axial_affine()), name)[0]

    assert (dataset.PatientName, dataset.SeriesDescription) == (patient, description)


def test_an_uploaded_nifti_is_chosen_as_the_flair():
    datasets = converted(Volume(np.zeros((20, 8, 8), np.int16), axial_affine((5.0, 0.9, 0.9))), "scan.nii")

    assert choose_flair([series_header(datasets, is_nifti=True)]).flair == datasets[0].SeriesInstanceUID


def test_sheared_axes_are_refused():
    affine = axial_affine()
    affine[0, 1] = 0.2

    with pytest.raises(NiftiConversionError, match=r"meet at 78\.69 degrees, DICOM needs 90"):
        converted(Volume(np.zeros((2, 2, 2), np.int16), affine))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_intensities_that_are_not_finite_are_refused(value):
    with pytest.raises(NiftiConversionError, match="need finite intensities"):
        converted(Volume(np.full((1, 2, 2), value, np.float32), axial_affine()))


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy of dicom3tools is not installed")
@pytest.mark.parametrize("degrees", [0, 20])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_dciodvfy_finds_no_error(tmp_path, degrees, dtype):
    array = np.random.default_rng(0).normal(100, 30, (3, 8, 9)).astype(dtype)
    affine = rotated(axial_affine((5.0, 0.8984375, 0.8984375), (-100.5, -90.25, 33.125)), degrees)
    for index, dataset in enumerate(converted(Volume(array, affine))):
        (tmp_path / f"{index}.dcm").write_bytes(as_bytes(dataset))

    for path in sorted(tmp_path.glob("*.dcm")):
        found = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False).stderr
        assert "MRImage" in found
        assert [line for line in found.splitlines() if line.startswith("Error")] == []
