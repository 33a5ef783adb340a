"""NIfTI files to volumes and back, on the file's own grid.

NIfTI stores (column, row, slice) arrays and places them in RAS; a Volume is (slices, rows, columns) in LPS. Both ways
are a transpose and two signs: nothing is flipped, permuted further or resampled.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from plaqueview.imaging.volume import GeometryError, Volume

# (column, row, slice) in RAS to (slice, row, column) in LPS and back; both are their own inverse.
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
REVERSED_AXES = np.array([[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])

# Source: nifti1.h, NIFTI_UNITS_*. Most writers leave the unit unknown and mean mm, which the spacing has to bear out.
MILLIMETRES_OF_UNIT = {"unknown": 1.0, "meter": 1000.0, "mm": 1.0, "micron": 0.001}
PLAUSIBLE_SPACING_MM = (0.05, 50.0)

# A header of 348 bytes can announce any size: 2**29 voxels are 2,048 slices of 512 x 512.
LARGEST_VOXEL_COUNT = 2**29

# Source: nifti1.h and nifti2.h, `descrip`.
DESCRIPTION_BYTES = 80

GZIP_MAGIC = b"\x1f\x8b"
HEADER_CLASSES = {348: nibabel.Nifti1Image, 540: nibabel.Nifti2Image}

# Everything that nibabel and the decompressor raise for a damaged file.
UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    WrapStructError,
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,
)


class NiftiError(ValueError):
    """The file is not a NIfTI volume that can be read without guessing."""


def read_volume_nifti(path: Path) -> Volume:
    """The voxels and the geometry of a .nii or .nii.gz file, told apart by their content.

    Integers keep their dtype; real and rescaled voxels are float32. A voxel that is not a number becomes 0, which is
    no signal. A fourth axis of length one is dropped.

    Raises: NiftiError when the file is damaged or no NIfTI; has more than three axes, no voxels, no affine, a unit of
    length that is unknown and implausible; when qform and sform disagree about left and right; when voxels are
    infinite, complex or colours, or none of them is a number.
    """
    try:
        with _opened(path) as nifti:
            _check_header(nifti)
            voxels = np.asanyarray(nifti.dataobj)
            return Volume(_checked_voxels(voxels.reshape(voxels.shape[:3])), _affine_of(nifti.header))
    except NiftiError:
        raise
    except GeometryError as error:
        raise NiftiError(f"NIfTI affine: {error}") from error
    except UNREADABLE as error:
        raise NiftiError(f"NIfTI cannot be read: {error}") from error


def write_volume_nifti(path: Path, volume: Volume, *, header_of: Path | None = None) -> None:
    """Writes `encode_volume_nifti` to `path`, compressed when the name ends in .gz."""
    encoded = encode_volume_nifti(volume, header_of=header_of)
    path.write_bytes(gzip.compress(encoded, mtime=0) if path.suffix == ".gz" else encoded)


def encode_volume_nifti(volume: Volume, *, header_of: Path | None = None, description: str = "") -> bytes:
    """The bytes of an uncompressed NIfTI file; equal volumes give equal bytes.

    `header_of` names the NIfTI file whose grid the volume lies on: its affines, their codes and its unit are then kept
    bit by bit. Without it the file is NIfTI-1 in mm with the affine as scanner coordinates. `description` stands in the
    header, cut to the 80 bytes that it has there.

    Raises: NiftiError when `header_of` has another shape or affine, or the dtype has no place in NIfTI.
    """
    voxels = _storable(volume.voxels).T
    if header_of is None:
        return _encoded(nibabel.Nifti1Image, voxels, _plain_header(voxels, volume.affine), description)
    with _opened(header_of) as source:
        shape, affine = source.shape[:3], _affine_of(source.header)
        if shape != voxels.shape or not np.allclose(affine, volume.affine, rtol=0.0, atol=1e-3):
            raise NiftiError(f"volume of shape {volume.shape} does not lie on the grid of the NIfTI, {shape[::-1]}")
        header = source.header.copy()
        header.set_data_dtype(voxels.dtype)
        header["cal_min"] = header["cal_max"] = 0  # display limits of other voxels
        return _encoded(type(source), voxels, header, description)


def _plain_header(voxels: NDArray[Any], affine: NDArray[np.float64]) -> Any:  # Any: nibabel types no headers
    header: Any = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]  # as above
    header.set_data_shape(voxels.shape)
    header.set_data_dtype(voxels.dtype)
    header.set_xyzt_units("mm")
    header.set_sform(RAS_TO_LPS @ affine @ REVERSED_AXES, code="scanner")
    header.set_qform(RAS_TO_LPS @ affine @ REVERSED_AXES, code="scanner")
    return header


def _encoded(image_class: Any, voxels: NDArray[Any], header: Any, description: str) -> bytes:  # Any: as above
    if description:
        header["descrip"] = description.encode("ascii", "replace")[:80]
    return bytes(image_class(voxels, None, header).to_bytes())


def _storable(voxels: NDArray[Any]) -> NDArray[Any]:  # Any: every numeric dtype; bool has no place in NIfTI
    if voxels.dtype == np.bool_:
        return voxels.astype(np.uint8)
    if voxels.dtype.kind not in "iuf" or voxels.dtype.itemsize > 8 or voxels.dtype == np.float16:
        raise NiftiError(f"voxels have dtype {voxels.dtype}, need bool, an integer, float32 or float64")
    return voxels


@contextmanager
def _opened(path: Path) -> Iterator[Any]:  # Any: nibabel ships no types for its image classes
    """The nibabel image of a file whose voxels are read while the context is open."""
    with path.open("rb") as raw:
        is_compressed = raw.read(2) == GZIP_MAGIC
    with gzip.open(path) if is_compressed else path.open("rb") as stream:
        size = stream.read(4)
        stream.seek(0)
        length = {int.from_bytes(size, "little"), int.from_bytes(size, "big")} & HEADER_CLASSES.keys()
        if not length:
            raise NiftiError("file is no NIfTI: its header is neither 348 nor 540 bytes long")
        yield HEADER_CLASSES[length.pop()].from_stream(stream)


def _check_header(nifti: Any) -> None:  # Any: nibabel ships no types for its image classes
    shape = nifti.shape
    if len(shape) < 3 or any(length != 1 for length in shape[3:]):
        raise NiftiError(f"NIfTI has axes of {shape}, need one volume of three axes")
    voxel_count = int(np.prod(shape, dtype=object))
    if not 0 < voxel_count <= LARGEST_VOXEL_COUNT:
        raise NiftiError(f"NIfTI has {voxel_count} voxels, need 1 to {LARGEST_VOXEL_COUNT}")
    if nifti.header.get_data_dtype().kind not in "iuf":
        raise NiftiError(f"NIfTI has voxels of {nifti.header.get_data_dtype()}, need integers or real numbers")


def _checked_voxels(stored: NDArray[Any]) -> NDArray[Any]:  # Any: keeps the integer dtype of the file
    native = np.float32 if stored.dtype.kind == "f" else stored.dtype.newbyteorder("=")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is refused below
        voxels: NDArray[Any] = stored.T.astype(native, order="C")
    if voxels.dtype != np.float32:
        return voxels
    is_missing = np.isnan(voxels)
    if is_missing.all() or np.isinf(voxels).any():
        raise NiftiError("NIfTI has infinite voxels or none that is a number, need finite intensities")
    voxels[is_missing] = 0.0
    return voxels


def _affine_of(header: Any) -> NDArray[np.float64]:  # Any: nibabel ships no types for its headers
    """(slice, row, column) to LPS in mm: the sform where it is set, else the qform."""
    qform, qform_code = header.get_qform(coded=True)
    sform, sform_code = header.get_sform(coded=True)
    if not qform_code and not sform_code:
        raise NiftiError("NIfTI has no affine: qform and sform are both 0, so left and right are unknown")
    if qform_code and sform_code and np.linalg.det(qform[:3, :3]) * np.linalg.det(sform[:3, :3]) < 0:
        raise NiftiError("NIfTI has a qform and an sform that disagree about left and right, need one meaning")
    stored = sform if sform_code else qform
    affine: NDArray[np.float64] = RAS_TO_LPS @ stored.astype(np.float64) @ REVERSED_AXES
    affine[:3] *= _millimetres(header, affine)
    return affine


def _millimetres(header: Any, affine: NDArray[np.float64]) -> float:  # Any: nibabel ships no types for its headers
    try:
        unit = header.get_xyzt_units()[0]
    except KeyError as error:
        raise NiftiError(f"NIfTI has unit code {int(header['xyzt_units'])}, need mm, metres or micrometres") from error
    spacing = np.linalg.norm(affine[:3, :3], axis=0) * MILLIMETRES_OF_UNIT[unit]
    lowest, highest = PLAUSIBLE_SPACING_MM
    if unit == "unknown" and not ((spacing >= lowest) & (spacing <= highest)).all():
        raise NiftiError(f"NIfTI names no unit and its spacing is {spacing.tolist()}, need {lowest} to {highest} mm")
    return MILLIMETRES_OF_UNIT[unit]
