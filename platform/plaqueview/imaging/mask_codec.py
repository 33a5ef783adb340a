"""The bytes of a mask on disk and on the wire: runs of equal voxels.

`PVM1`, then slices, rows and columns as little-endian uint32, then runs in C order, each a uint8 value and a LEB128
length of at least 1. `tests/vectors/mask_codec.json` holds examples that the browser's codec reads too.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

MAGIC = b"PVM1"
HEADER = struct.Struct("<4s3I")

# A few bytes can announce any number of voxels: 2**29 is 2,048 slices of 512 x 512.
LARGEST_VOXEL_COUNT = 2**29

# A LEB128 length never needs more bytes than this to reach LARGEST_VOXEL_COUNT.
LARGEST_LENGTH_BYTES = 5


class MaskCodecError(ValueError):
    """The array cannot be encoded, or the bytes are not a mask."""


def encode(mask: NDArray[np.uint8] | NDArray[np.bool_]) -> bytes:
    """The bytes of a (slices, rows, columns) mask; equal masks give equal bytes, whatever their memory layout.

    Raises: MaskCodecError when the mask is not three-dimensional uint8 or bool or has too many voxels.
    """
    if mask.ndim != 3 or mask.dtype not in (np.uint8, np.bool_):
        raise MaskCodecError(f"mask is {mask.dtype} {mask.shape}, need uint8 or bool (slices, rows, columns)")
    _check_voxel_count(mask.shape)
    flat = np.ascontiguousarray(mask).reshape(-1).view(np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]) if flat.size else np.empty(0, np.intp)
    lengths = np.diff(np.append(starts, flat.size))
    return HEADER.pack(MAGIC, *mask.shape) + _pack_runs(flat[starts], lengths)


def shape_of(encoded: bytes | bytearray | memoryview) -> tuple[int, int, int]:
    """The (slices, rows, columns) that the bytes announce, before a run of them is read.

    Raises: MaskCodecError when the bytes are of another format, or announce too many voxels.
    """
    if len(encoded) < HEADER.size:
        raise MaskCodecError(f"mask has {len(encoded)} bytes, the header alone needs {HEADER.size}")
    magic, slices, rows, columns = HEADER.unpack_from(encoded)
    if magic != MAGIC:
        raise MaskCodecError(f"mask begins with {magic!r}, need {MAGIC!r}")
    _check_voxel_count((slices, rows, columns))
    return slices, rows, columns


def decode(encoded: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    """The (slices, rows, columns) uint8 mask of the bytes; the inverse of `encode`.

    Raises: MaskCodecError when the bytes are cut, run past the shape, fall short of it or are of another format.
    """
    shape = shape_of(encoded)
    values, lengths = _unpack_runs(bytes(encoded[HEADER.size :]), math.prod(shape))
    return np.repeat(np.array(values, np.uint8), lengths).reshape(shape)


def _check_voxel_count(shape: tuple[int, ...]) -> None:
    voxel_count = math.prod(shape)
    if voxel_count > LARGEST_VOXEL_COUNT:
        raise MaskCodecError(f"mask has {voxel_count} voxels, at most {LARGEST_VOXEL_COUNT} are accepted")


def _pack_runs(values: NDArray[np.uint8], lengths: NDArray[np.intp]) -> bytes:
    """One row per run, value then length bytes; the bytes that a short length does not need are cut out."""
    groups = lengths[:, None] >> (7 * np.arange(LARGEST_LENGTH_BYTES + 1))
    is_needed = groups > 0
    has_more = is_needed[:, 1:]
    rows = np.empty((len(values), LARGEST_LENGTH_BYTES + 1), np.uint8)
    rows[:, 0] = values
    rows[:, 1:] = (groups[:, :-1] & 0x7F) | np.where(has_more, 0x80, 0)
    is_kept = np.concatenate([np.ones((len(values), 1), bool), is_needed[:, :-1]], axis=1)
    runs: NDArray[np.uint8] = rows[is_kept]
    return runs.tobytes()


def _unpack_runs(encoded: bytes, voxel_count: int) -> tuple[list[int], list[int]]:
    values: list[int] = []
    lengths: list[int] = []
    position = 0
    remaining = voxel_count
    while position < len(encoded):
        values.append(encoded[position])
        length, position = _unpack_length(encoded, position + 1)
        if not 1 <= length <= remaining:
            raise MaskCodecError(f"run {len(values)} covers {length} voxels, need 1 to the {remaining} that remain")
        lengths.append(length)
        remaining -= length
    if remaining:
        raise MaskCodecError(f"runs cover {voxel_count - remaining} voxels, the shape needs {voxel_count}")
    return values, lengths


def _unpack_length(encoded: bytes, position: int) -> tuple[int, int]:
    """The LEB128 number at `position` and the position after it."""
    length = 0
    for shift in range(LARGEST_LENGTH_BYTES):
        if position + shift >= len(encoded):
            raise MaskCodecError(f"mask ends inside a run, after {len(encoded) + HEADER.size} bytes")
        byte = encoded[position + shift]
        length |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return length, position + shift + 1
    raise MaskCodecError(f"run length has more than {LARGEST_LENGTH_BYTES} bytes")
