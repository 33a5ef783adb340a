"""A series becomes the volume that was scanned, or an error that says why not."""

import io

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings, strategies
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from plaqueview.imaging.dicom_read import SeriesReadError, read_volume
from tests.imaging.phantoms import AXIAL, SAGITTAL, enhanced, instance, set_pixels, stack_of

PIXELS = np.arange(3 * 4 * 6, dtype=np.uint16).reshape(3, 4, 6) * 100


def written(dataset: Dataset) -> Dataset:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(stream.getvalue()))


def test_the_volume_is_the_scanned_one_whatever_the_order_of_the_files():
    series = [written(dataset) for dataset in stack_of(PIXELS)]

    stacked = read_volume([series[1], series[2], series[0]])

    assert stacked.volume.voxels.dtype == np.float32
    assert np.array_equal(stacked.volume.voxels, PIXELS)
    assert stacked.volume.affine.tolist() == [[0, 0, 0.5, -10], [0, 0.8, 0, -20], [5, 0, 0, 0], [0, 0, 0, 1]]
    assert stacked.sop_instance_uids == ("1.2.3.1", "1.2.3.2", "1.2.3.3")
    assert stacked.frame_numbers == (1, 1, 1)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda syntax: syntax.name)
def test_compressed_pixels_are_the_same_pixels(syntax):
    pixels = np.random.default_rng(0).integers(0, 4096, (2, 32, 48)).astype(np.uint16)
    series = stack_of(pixels)
    for dataset in series:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.compress(syntax, generate_instance_uid=False)

    assert np.array_equal(read_volume([written(dataset) for dataset in series]).volume.voxels, pixels)


def test_each_slice_is_rescaled_by_its_own_slope_and_intercept():
    series = stack_of(PIXELS)
    for index, dataset in enumerate(series):
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.5 + index, -10.0 * index

    expected = [PIXELS[index] * (0.5 + index) - 10.0 * index for index in range(3)]
    assert np.array_equal(read_volume(series).volume.voxels, expected)


def test_signed_pixels_keep_their_sign():
    pixels = np.array([[[-32768, -1], [0, 32767]]], np.int16)

    assert np.array_equal(read_volume(stack_of(pixels)).volume.voxels, pixels)


def test_bits_above_the_stored_ones_are_no_part_of_the_value():
    (dataset,) = stack_of(np.array([[[0x0FFF, 0xF001], [0x8800, 0x0000]]], np.uint16))
    dataset.BitsStored, dataset.HighBit = 12, 11

    assert read_volume([dataset]).volume.voxels.ravel().tolist() == [4095, 1, 2048, 0]


def test_short_signed_pixels_are_extended():
    (dataset,) = stack_of(np.array([[[0x0FFF, 0x0001], [0x0800, 0x07FF]]], np.int16))
    dataset.BitsStored, dataset.HighBit = 12, 11

    assert read_volume([dataset]).volume.voxels.ravel().tolist() == [-1, 1, -2048, 2047]


@pytest.mark.parametrize(
    ("pixels", "bits", "expected"),
    [
        (np.array([[[0, 1], [100, 4095]]], np.uint16), 12, [4095, 4094, 3995, 0]),
        (np.array([[[-2048, -1], [0, 2047]]], np.int16), 12, [2047, 0, -1, -2048]),
        (np.array([[[0, 255], [10, 20]]], np.uint8), 8, [255, 0, 245, 235]),
    ],
)
def test_monochrome1_is_turned_over_within_the_stored_range(pixels, bits, expected):
    (dataset,) = stack_of(pixels, PhotometricInterpretation="MONOCHROME1")
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, 1

    assert read_volume([dataset]).volume.voxels.ravel().tolist() == [2 * value + 1 for value in expected]


def test_a_multi_frame_instance_is_stacked_by_the_places_of_its_frames():
    positions = [(-10.0, -20.0, z) for z in (10.0, 0.0, 5.0)]

    stacked = read_volume([written(enhanced(PIXELS, positions))])

    assert stacked.frame_numbers == (2, 3, 1)
    assert stacked.sop_instance_uids == ("1.2.3.1",) * 3
    assert np.array_equal(stacked.volume.voxels, [PIXELS[1] * 2 + 1, PIXELS[2] * 2 + 2, PIXELS[0] * 2])
    assert stacked.volume.affine.tolist() == [[0, 0, 0.5, -10], [0, 0.8, 0, -20], [5, 0, 0, 0], [0, 0, 0, 1]]


def test_two_volumes_in_one_multi_frame_instance_are_refused_with_the_cause():
    dataset = enhanced(np.concatenate([PIXELS[:2], PIXELS[:2]]), [(0, 0, z) for z in (0, 5, 0, 5)])
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].TemporalPositionIndex = index // 2 + 1

    with pytest.raises(SeriesReadError) as refused:
        read_volume([dataset])

    assert str(refused.value) == (
        "series is not one volume: slices share a position (frame 1 and frame 3, frame 2 and frame 4): "
        "it holds time points 1 and 2, need one slice at each place"
    )


def _without_frames(dataset: Dataset) -> Dataset:
    del dataset.PerFrameFunctionalGroupsSequence[2]
    return dataset


def _with_lookup_table(series: list[Dataset]) -> list[Dataset]:
    series[0].ModalityLUTSequence = Sequence([Dataset()])
    return series


def _cut_pixels(series: list[Dataset]) -> list[Dataset]:
    series[2].PixelData = series[2].PixelData[:-7]
    return series


def _two_series() -> list[Dataset]:
    series = stack_of(PIXELS)
    series[1].SeriesInstanceUID = "1.2.4"
    return series


def _other_matrix() -> list[Dataset]:
    series = stack_of(PIXELS)
    set_pixels(series[1], np.zeros((8, 8), np.uint16))
    return series


def _colour() -> list[Dataset]:
    (dataset,) = stack_of(PIXELS[:1])
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "RGB", 3
    return [dataset]


def _undecodable() -> list[Dataset]:
    (dataset,) = stack_of(PIXELS[:1])
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = pydicom.encaps.encapsulate([b"this is no JPEG 2000"])
    return [dataset]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (list, "series has no instances"),
        (_two_series, "instances belong to 2 series, need one"),
        (lambda: stack_of(PIXELS[:1]) * 2, "2 instances have 1 SOPInstanceUIDs"),
        (lambda: stack_of(PIXELS, PixelData=None), "instance 1 has no pixel data"),
        (_colour, "photometric interpretation 'RGB', need one grey sample"),
        (_other_matrix, r"more than one matrix \(2 of 4 x 6, 1 of 8 x 8\)"),
        (lambda: [*stack_of(PIXELS)[:2], instance(7, PIXELS[0], position=(-10, -20, 15))], "1 slice missing between"),
        (
            lambda: [*stack_of(PIXELS), instance(9, PIXELS[0], position=(0, 0, 0), orientation=SAGITTAL)],
            "3 axial, 1 sagittal",
        ),
        (lambda: stack_of(PIXELS, ImagePositionPatient=None), "ImagePositionPatient is missing or unusable"),
        (lambda: stack_of(PIXELS, RescaleSlope="nan"), "RescaleSlope that is no finite number"),
        (lambda: stack_of(PIXELS, RescaleSlope=""), "RescaleSlope that is no finite number"),
        (lambda: stack_of(PIXELS, RescaleSlope=0), "rescale slope of 0"),
        (lambda: stack_of(PIXELS, RescaleIntercept="inf"), "RescaleIntercept that is no finite number"),
        (lambda: _with_lookup_table(stack_of(PIXELS)), "instance 1 has a modality look-up table"),
        (lambda: _cut_pixels(stack_of(PIXELS)), "instance 3 has pixel data that cannot be decoded"),
        (_undecodable, "instance 1 has pixel data that cannot be decoded"),
        (lambda: stack_of(PIXELS, NumberOfFrames=2), "announces 2 frames and describes 1"),
        (
            lambda: [_without_frames(enhanced(PIXELS, [(0, 0, z) for z in (0, 5, 10)]))],
            "announces 3 frames and describes 2",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of the very defects that are written here
def test_what_is_not_one_readable_volume_is_refused(series, message):
    with pytest.raises(SeriesReadError, match=message):
        read_volume(series())


def test_a_slice_that_is_skewed_within_the_stack_is_read_as_it_lies():
    series = [instance(at, PIXELS[at], position=(0.2 * at, 0.0, 5.0 * at), orientation=AXIAL) for at in range(3)]

    assert read_volume(series).volume.affine[:3, 0] == pytest.approx([0.2, 0.0, 5.0])


@settings(max_examples=150, deadline=None)
@given(strategies.lists(strategies.tuples(strategies.integers(132, 600), strategies.integers(0, 255)), max_size=4))
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of much of the damage
def test_a_damaged_header_is_read_or_refused_and_nothing_else(damage):
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, stack_of(PIXELS[:1])[0], enforce_file_format=True)
    content = bytearray(stream.getvalue())
    for position, byte in damage:
        content[position] = byte
    try:
        dataset = pydicom.dcmread(io.BytesIO(bytes(content)))
    except Exception:  # noqa: BLE001  # what pydicom itself refuses is not read
        return

    try:
        stacked = read_volume([dataset])
    except SeriesReadError:
        return

    assert np.isfinite(stacked.volume.voxels).all()
