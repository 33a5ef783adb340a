"""A series read from its stored files, and where each of its slices lies; reading only, so safe in parallel."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from plaqueview.core.storage import stored_path
from plaqueview.imaging.completeness import InstanceHeader
from plaqueview.imaging.dicom_read import SeriesReadError, StackedVolume, check_size, read_pixels, read_volume
from plaqueview.imaging.slice_stack import SliceStackError, stack_slices
from plaqueview.imaging.windowing import Window
from plaqueview.studies.instance_file import UNREADABLE
from plaqueview.studies.models import Instance, Series
from plaqueview.studies.pixels import PixelsError, decode_window
from plaqueview.studies.settling import slice_headers


@dataclass(frozen=True, eq=False)
class SeriesSlices:
    """The slices in the order of the volume.

    Where they make no volume `affine` and `shape` are None, `problems` says why, and the order is that of the instance
    numbers.
    """

    headers: tuple[InstanceHeader, ...]
    affine: NDArray[np.float64] | None
    shape: tuple[int, int, int] | None
    window: Window | None
    problems: tuple[str, ...]


def load_volume(series_id: UUID) -> StackedVolume:
    """The volume of the series, from the bytes as received.

    Raises: SeriesReadError when the instances are not one volume, or their pixels cannot be decoded; of one that is too
    large no file is opened.
    """
    with _reading(series_id):
        count_voxels(series_id)
        return read_volume([dcmread(stored_path(key)) for key in _image_keys(series_id)])


def count_voxels(series_id: UUID) -> int:
    """As many as the headers kept at receiving announce, and 0 where they announce none; no file is opened.

    Raises: SeriesReadError for more than a head has.
    """
    stored = Instance.objects.filter(series_id=series_id, attributes__has_key="slices").order_by()
    slices = (one for attributes in stored.values_list("attributes", flat=True) for one in attributes["slices"])
    voxels = sum((one.get("rows") or 0) * (one.get("columns") or 0) for one in slices)
    check_size(voxels)
    return voxels


def load_slices(series: Series, indices: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """By index, (rows, columns) of these slices of the volume, without opening the files of the others.

    Raises: SeriesReadError as `load_volume`.
    """
    headers = read_slices(series).headers
    if len({header.sop_instance_uid for header in headers}) < len(headers):
        voxels = load_volume(series.pk).volume.voxels  # frames of one file, which is read as a whole anyhow
        return {index: voxels[index] for index in indices}
    with _reading(series.pk):
        return {index: _slice(series, headers[index].sop_instance_uid) for index in indices}


def _slice(series: Series, sop_instance_uid: str) -> NDArray[np.float32]:
    instance = Instance.objects.get(series=series, sop_instance_uid=sop_instance_uid)
    pixels: NDArray[np.float32] = read_pixels(dcmread(stored_path(instance.storage_key)))[0]
    return pixels


def load_headers(series_id: UUID) -> list[Dataset]:
    """The images of the series without their pixels, from the bytes as received.

    Raises: SeriesReadError when there are none, or a header cannot be read.
    """
    with _reading(series_id):
        return [dcmread(stored_path(key), stop_before_pixels=True) for key in _image_keys(series_id)]


@dataclass(frozen=True)
class Scanner:
    """What made the images, as their headers say; a text that they do not have is empty, a field unknown is 0."""

    manufacturer: str
    model: str
    field_strength_tesla: float

    @property
    def name(self) -> str:
        """For people and for groups of studies."""
        field = f"{self.field_strength_tesla:g} T" if self.field_strength_tesla else ""
        return " ".join(filter(None, (self.manufacturer, self.model, field))) or "unknown"


def read_scanner(series_id: UUID) -> Scanner:
    """The scanner of the series, from the header of its first image.

    Raises: SeriesReadError when there is none, or its header cannot be read.
    """
    with _reading(series_id):
        header = _first_header(series_id)
        return Scanner(
            str(header.get("Manufacturer") or "").strip(),
            str(header.get("ManufacturerModelName") or "").strip(),
            float(header.get("MagneticFieldStrength") or 0.0),
        )


def load_first_header(series_id: UUID) -> Dataset:
    """The first image of the series without its pixels.

    Raises: SeriesReadError when there is none, or its header cannot be read.
    """
    with _reading(series_id):
        return _first_header(series_id)


def _first_header(series_id: UUID) -> Dataset:
    return dcmread(stored_path(_image_keys(series_id)[0]), stop_before_pixels=True)


@contextmanager
def _reading(series_id: UUID) -> Iterator[None]:
    """What stored bytes can bring about becomes a SeriesReadError that names the series."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
            yield
    except SeriesReadError:
        raise
    except UNREADABLE as error:
        raise SeriesReadError(f"series {series_id} cannot be read: {type(error).__name__}") from error


def read_slices(series: Series) -> SeriesSlices:
    """Where the slices lie, from the headers kept at receiving, without opening a file when they name a window."""
    headers = slice_headers(series)
    window = _window(series)
    try:
        stack = stack_slices(headers)
    except SliceStackError as error:
        by_number = sorted(headers, key=lambda one: (one.instance_number or 0, one.sop_instance_uid, one.frame_number))
        return SeriesSlices(tuple(by_number), None, None, window, tuple(str(error).split("; ")))
    return SeriesSlices(stack.headers, stack.affine, stack.shape, window, ())


def _image_keys(series_id: UUID) -> list[str]:
    images = Instance.objects.filter(series_id=series_id, attributes__has_key="slices")
    keys = list(images.order_by("instance_number", "sop_instance_uid").values_list("storage_key", flat=True))
    if not keys:
        raise SeriesReadError(f"series {series_id} has no images")
    return keys


def _window(series: Series) -> Window | None:
    """The window that the headers name, the one of the middle instance; else by the pixels of that instance."""
    images = list(Instance.objects.filter(series=series, attributes__has_key="slices"))
    if not images:
        return None
    middle = images[len(images) // 2]
    center, width = middle.attributes["window"] or (0.0, 0.0)
    return Window(center, width) if width > 0 else _window_by_pixels(middle)


def _window_by_pixels(instance: Instance) -> Window | None:
    try:
        return decode_window(instance)
    except PixelsError:
        return None
