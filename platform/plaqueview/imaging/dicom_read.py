"""The DICOM datasets of one series as one volume, or an error that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.pixels.utils import pixel_array

from plaqueview.imaging.dicom_header import frame_places, instance_headers, numbers, text, whole
from plaqueview.imaging.slice_stack import SliceStackError, stack_slices
from plaqueview.imaging.volume import Volume

# What pydicom and its decoders raise for pixels that cannot be decoded.
UNDECODABLE = (AttributeError, BytesLengthException, LookupError, RuntimeError, TypeError, ValueError)

GREY = ("MONOCHROME1", "MONOCHROME2")
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

# A head of 640 x 640 x 640, 1 GiB in memory; only a header that lies announces more.
MOST_VOXELS = 2**28


class SeriesReadError(ValueError):
    """The datasets are not one volume that can be read without guessing."""


@dataclass(frozen=True, eq=False)
class StackedVolume:
    """A volume with where each of its slices comes from.

    `volume` holds float32 after rescale; `sop_instance_uids` and `frame_numbers` (from 1) are in slice order, and a
    multi-frame instance repeats its UID.
    """

    volume: Volume
    sop_instance_uids: tuple[str, ...]
    frame_numbers: tuple[int, ...]


def read_volume(datasets: Sequence[Dataset]) -> StackedVolume:
    """The volume of all the datasets, which belong to one series, classic or multi-frame.

    Stored values are rescaled by each slice's own slope and intercept. MONOCHROME1, where the lowest value is the
    brightest, is turned over within the stored range first.

    Raises: SeriesReadError when the datasets are of several series, do not make one regular stack, or have pixels that
    are missing, coloured, undecodable or cannot be rescaled.
    """
    _check_series(datasets)
    headers = [header for dataset in datasets for header in instance_headers(dataset)]
    try:
        stack = stack_slices(headers)
    except SliceStackError as error:
        raise SeriesReadError(f"series is not one volume: {error}") from error
    check_size(prod(stack.shape))
    voxels = np.empty(stack.shape, np.float32)
    slice_of = {(header.sop_instance_uid, header.frame_number): at for at, header in enumerate(stack.headers)}
    for dataset in datasets:
        for frame_number, frame in enumerate(_frames(dataset), start=1):
            voxels[slice_of[text(dataset, "SOPInstanceUID"), frame_number]] = _rescaled(frame, dataset, frame_number)
    uids = tuple(header.sop_instance_uid for header in stack.headers)
    return StackedVolume(Volume(voxels, stack.affine), uids, tuple(header.frame_number for header in stack.headers))


def read_pixels(dataset: Dataset) -> NDArray[np.float32]:
    """(frames, rows, columns) intensities of one instance as in `read_volume`, wherever its frames lie.

    Raises: SeriesReadError when the pixels are missing, coloured, too many, undecodable or cannot be rescaled.
    """
    check_size(prod(_announced_shape(dataset)))
    frames = enumerate(_frames(dataset), start=1)
    return np.stack([_rescaled(frame, dataset, frame_number) for frame_number, frame in frames])


def check_size(voxels: int) -> None:
    """Raises: SeriesReadError for more voxels than a head has, so that nobody opens the files of such a series."""
    if voxels > MOST_VOXELS:
        raise SeriesReadError(f"series announces {voxels} voxels, need at most {MOST_VOXELS}")


def _check_series(datasets: Sequence[Dataset]) -> None:
    if not datasets:
        raise SeriesReadError("series has no instances, need at least one")
    series = {text(dataset, "SeriesInstanceUID") for dataset in datasets}
    if len(series) > 1:
        raise SeriesReadError(f"instances belong to {len(series)} series, need one")
    instances = {text(dataset, "SOPInstanceUID") for dataset in datasets}
    if len(instances) != len(datasets) or "" in instances:
        raise SeriesReadError(f"{len(datasets)} instances have {len(instances)} SOPInstanceUIDs, need one each")


def _frames(dataset: Dataset) -> NDArray[Any]:  # Any: integer or float pixels
    """(frames, rows, columns) stored values with MONOCHROME1 turned over."""
    name = _name(dataset)
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric not in GREY or whole(dataset, "SamplesPerPixel") != 1:
        raise SeriesReadError(f"{name} has photometric interpretation {photometric!r}, need one grey sample per pixel")
    if not any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        raise SeriesReadError(f"{name} has no pixel data")
    try:
        stored = pixel_array(dataset)
    except UNDECODABLE as error:
        raise SeriesReadError(f"{name} has pixel data that cannot be decoded: {error}") from error
    frames = stored.reshape(-1, *stored.shape[-2:])
    announced = _announced_shape(dataset)
    if frames.shape != announced:
        raise SeriesReadError(f"{name} has pixels of {frames.shape}, its header says {announced}")
    return _turned_over(frames, dataset) if photometric == "MONOCHROME1" else frames


def _announced_shape(dataset: Dataset) -> tuple[int, int, int]:
    frames = whole(dataset, "NumberOfFrames") or 1
    return frames, whole(dataset, "Rows") or 0, whole(dataset, "Columns") or 0


def _turned_over(frames: NDArray[Any], dataset: Dataset) -> NDArray[np.int64]:  # Any: every integer dtype
    """The stored range back to front: lowest value for highest."""
    bits = whole(dataset, "BitsStored")
    if frames.dtype.kind not in "iu" or bits is None:
        raise SeriesReadError(f"{_name(dataset)} is MONOCHROME1 with pixels of {frames.dtype}, need integers")
    lowest_plus_highest = -1 if whole(dataset, "PixelRepresentation") else 2**bits - 1
    return lowest_plus_highest - frames.astype(np.int64)


def _rescaled(frame: NDArray[Any], dataset: Dataset, frame_number: int) -> NDArray[np.float32]:  # Any: as stored
    """Intensities after slope and intercept; without either, the stored values are the intensities.

    Source: PS3.3 C.11.1 for classic and C.7.6.16.2.9 for multi-frame instances.
    """
    places = frame_places(dataset, frame_number)
    if any("ModalityLUTSequence" in place for place in places):
        raise SeriesReadError(f"{_name(dataset)} has a modality look-up table, need a rescale slope and intercept")
    slope = _scale(places, "RescaleSlope", 1.0, _name(dataset))
    intercept = _scale(places, "RescaleIntercept", 0.0, _name(dataset))
    if slope == 0.0:
        raise SeriesReadError(f"{_name(dataset)} has a rescale slope of 0, need another number")
    rescaled = (frame.astype(np.float64) * slope + intercept).astype(np.float32)
    if not np.isfinite(rescaled).all():
        raise SeriesReadError(f"{_name(dataset)} has pixels that are not finite after rescale, need finite intensities")
    return rescaled


def _scale(places: tuple[Dataset, ...], keyword: str, absent: float, name: str) -> float:
    place = next((place for place in places if keyword in place), None)
    if place is None:
        return absent
    found = numbers(place, keyword)
    if len(found) != 1:
        raise SeriesReadError(f"{name} has a {keyword} that is no finite number, need one")
    return found[0]


def _name(dataset: Dataset) -> str:
    return f"instance {whole(dataset, 'InstanceNumber')}"
