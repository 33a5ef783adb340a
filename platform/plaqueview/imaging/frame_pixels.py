"""The pixels of one stored instance, decoded: a frame as it is, as a picture, or the whole instance uncompressed."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels import pack_bits, pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from plaqueview.imaging.byte_order import turn_words
from plaqueview.imaging.dicom_header import first_number, frame_places, text
from plaqueview.imaging.dicom_read import read_pixels
from plaqueview.imaging.windowing import Window, apply_window, percentile_window, reading_window

# Source: PS3.3 C.11.2.1.3.
LINEAR: Final = "linear"
LINEAR_EXACT: Final = "linear-exact"
SIGMOID: Final = "sigmoid"
VOI_FUNCTIONS: Final = (LINEAR, LINEAR_EXACT, SIGMOID)

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
FORMATS: Final = {JPEG: "JPEG", PNG: "PNG"}
USUAL_QUALITY: Final = 90


@dataclass(frozen=True)
class Look:
    """How a picture looks: None is the instance's own window and function, or its own size; sizes are columns, rows."""

    media_type: str = JPEG
    window: tuple[float, float] | None = None
    function: str = LINEAR
    size: tuple[int, int] | None = None
    quality: int = USUAL_QUALITY


def decoded_frame(path: Path, index: int) -> bytes:
    """Frame `index`, from 0, uncompressed and little endian.

    Single bits are packed, the first one lowest, from the frame's first byte to its last, filled up with zeros. In the
    file the next frame begins within that byte; who has one frame by itself could not tell at which bit it does.

    Source: PS3.5 8.1.1. Raises: what pydicom and its decoders raise.
    """
    header = dcmread(path, specific_tags=["BitsAllocated"], stop_before_pixels=True)
    voxels = _frame(path, header, index, raw=True)
    if header.get("BitsAllocated") == 1:
        return pack_bits(voxels, pad=False)
    return np.ascontiguousarray(voxels, voxels.dtype.newbyteorder("<")).tobytes()


def uncompressed_instance(path: Path) -> bytes:
    """The instance as a Part 10 file, explicit VR little endian. Raises: as `decoded_frame`."""
    dataset = dcmread(path)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed and "PixelData" in dataset:
        dataset.decompress(generate_instance_uid=False)
        if dataset.BitsAllocated == 1:
            dataset.PixelData = pack_bits(np.frombuffer(dataset.PixelData, np.uint8))  # pydicom leaves a byte for each
    if syntax == ExplicitVRBigEndian:
        turn_words(dataset)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = BytesIO()
    dcmwrite(stream, dataset, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return stream.getvalue()


def instance_window(path: Path) -> Window:
    """The window in which a reader first sees this instance. Raises: SeriesReadError."""
    return reading_window(read_pixels(dcmread(path)))


def rendered_frame(path: Path, index: int, look: Look) -> bytes:
    """Frame `index`, from 0, as a picture. Source: PS3.18 8.3.5.1. Raises: as `decoded_frame`."""
    header = dcmread(path, stop_before_pixels=True)
    pixels = _frame(path, header, index, raw=False)
    grey = pixels if pixels.ndim == 3 else _grey(pixels, header, index + 1, look)
    picture = Image.fromarray(_eight_bits(grey))
    if look.size is not None:
        picture = picture.resize(_within(picture.size, look.size), Image.Resampling.LANCZOS)
    stream = BytesIO()
    picture.save(stream, FORMATS[look.media_type], quality=look.quality)
    return stream.getvalue()


def _frame(path: Path, header: FileDataset, index: int, *, raw: bool) -> NDArray[Any]:  # Any: as stored
    is_deflated = header.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    # pydicom reads one frame of a file without the others, but looks for them before inflating it.
    return pixel_array(dcmread(path) if is_deflated else path, index=index, raw=raw)


def _grey(pixels: NDArray[Any], header: FileDataset, frame_number: int, look: Look) -> NDArray[np.uint8]:  # Any: stored
    """Through the rescale, the window and the sense of black. Source: PS3.4 N.2."""
    places = frame_places(header, frame_number)
    slope, intercept = first_number(places, "RescaleSlope"), first_number(places, "RescaleIntercept")
    values = pixels.astype(np.float32) * (1.0 if slope is None else slope) + (intercept or 0.0)
    center, width = look.window or (first_number(places, "WindowCenter"), first_number(places, "WindowWidth"))
    function = look.function if look.window else _own_function(places)
    if center is None or width is None or width <= 0:
        grey = apply_window(values, percentile_window(values))
    else:
        grey = _windowed(values, center, width, function)
    is_inverted = text(header, "PhotometricInterpretation") == "MONOCHROME1"
    return np.subtract(255, grey, dtype=np.uint8) if is_inverted else grey


def _own_function(places: tuple[Dataset, ...]) -> str:
    """What the instance wants its own window to mean; LINEAR where it does not say. Source: PS3.3 C.11.2.1.3."""
    told = next((text(place, "VOILUTFunction") for place in places if "VOILUTFunction" in place), "")
    return told.lower().replace("_", "-") or LINEAR


def _windowed(values: NDArray[np.float32], center: float, width: float, function: str) -> NDArray[np.uint8]:
    """Source: PS3.3 C.11.2.1.2.1 and C.11.2.1.3."""
    if function == SIGMOID:
        share = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -60.0, 60.0)))
        grey: NDArray[np.uint8] = np.rint(share * 255.0).astype(np.uint8)
        return grey
    if function == LINEAR and width > 1.0:
        return apply_window(values, Window(center - 0.5, width - 1.0))
    return apply_window(values, Window(center, width))


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:  # Any: colour of 8 or 16 bits
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def _within(size: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape in the limit. Source: PS3.18 8.3.5.1.3."""
    share = min(limit[0] / size[0], limit[1] / size[1])
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
