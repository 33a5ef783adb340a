"""Masks survive their bytes, and bytes that are no mask are refused."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies

from plaqueview.imaging.mask_codec import HEADER, LARGEST_VOXEL_COUNT, MAGIC, MaskCodecError, decode, encode, shape_of
from tests.imaging.phantoms import voxels

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mask_codec.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_shared_vectors_hold_both_ways(vector):
    values, lengths = zip(*vector["runs"], strict=True)
    mask = np.repeat(np.array(values, np.uint8), lengths).reshape(vector["shape"])

    assert encode(mask).hex() == vector["hex"]
    assert (decode(bytes.fromhex(vector["hex"])) == mask).all()
    assert decode(bytes.fromhex(vector["hex"])).shape == tuple(vector["shape"])


@given(voxels(highest=255) | voxels(highest=2) | voxels(highest=0))
def test_a_mask_survives_its_bytes(mask):
    decoded = decode(encode(mask))

    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, mask)


@given(voxels(smallest_side=2), strategies.sampled_from([-2, -1, 1, 2]), strategies.permutations(range(3)))
def test_a_view_of_an_array_gives_the_bytes_of_its_copy(mask, step, order):
    view = mask.transpose(order)[1::step, ::step, 1:]

    assert encode(view) == encode(view.copy())
    assert np.array_equal(decode(encode(view)), view)


def test_a_slice_of_a_larger_buffer_decodes_to_its_own_voxels():
    mask = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    buffer = b"before" + encode(mask) + b"after"

    assert np.array_equal(decode(memoryview(buffer)[6:-5]), mask)


def test_truth_values_become_zeros_and_ones():
    mask = np.array([[[True, False, True]]])

    assert decode(encode(mask)).tolist() == [[[1, 0, 1]]]


def test_a_head_without_lesions_takes_a_few_bytes():
    assert len(encode(np.zeros((60, 512, 512), np.uint8))) == 16 + 1 + 4


def _masked(runs: bytes, shape=(1, 2, 3), magic=b"PVM1") -> bytes:
    return struct.pack("<4s3I", magic, *shape) + runs


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (b"", "0 bytes, the header alone needs 16"),
        (b"PVM1\x01\x00", "6 bytes, the header alone needs 16"),
        (_masked(b"\x00\x06", magic=b"PVM2"), "begins with b'PVM2', need b'PVM1'"),
        (_masked(b""), "runs cover 0 voxels, the shape needs 6"),
        (_masked(b"\x00\x05"), "runs cover 5 voxels, the shape needs 6"),
        (_masked(b"\x00\x07"), "run 1 covers 7 voxels, need 1 to the 6 that remain"),
        (_masked(b"\x00\x06\x01\x01"), "run 2 covers 1 voxels, need 1 to the 0 that remain"),
        (_masked(b"\x00\x00\x00\x06"), "run 1 covers 0 voxels"),
        (_masked(b"\x00"), "ends inside a run, after 17 bytes"),
        (_masked(b"\x00\x86"), "ends inside a run, after 18 bytes"),
        (_masked(b"\x00\x86\x80\x80\x80\x80\x00"), "run length has more than 5 bytes"),
        (_masked(b"\x00\x01", shape=(2**16, 2**16, 2**16)), "at most 536870912 are accepted"),
    ],
)
def test_bytes_that_are_no_mask_are_refused(encoded, message):
    with pytest.raises(MaskCodecError, match=message):
        decode(encoded)


@given(voxels(), strategies.data())
def test_a_cut_mask_is_always_refused(mask, data):
    encoded = encode(mask)
    cut = encoded[: data.draw(strategies.integers(0, len(encoded) - 1))]

    with pytest.raises(MaskCodecError):
        decode(cut)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((2, 2), np.uint8), r"uint8 \(2, 2\), need"),
        (np.zeros((2, 2, 2), np.int16), "int16"),
        (np.zeros((2, 2, 2), np.float32), "float32"),
        (np.broadcast_to(np.uint8(0), (LARGEST_VOXEL_COUNT + 1, 1, 1)), "at most 536870912"),
    ],
)
def test_an_array_that_is_no_mask_is_refused(mask, message):
    with pytest.raises(MaskCodecError, match=message):
        encode(mask)


def test_the_shape_is_known_without_a_run():
    header = HEADER.pack(MAGIC, 2, 3, 4)

    assert shape_of(header) == (2, 3, 4)
    for malformed in (header[:-1], b"PVM2" + header[4:], HEADER.pack(MAGIC, 2**16, 2**16, 1)):
        with pytest.raises(MaskCodecError):
            shape_of(malformed)
