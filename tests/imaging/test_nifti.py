"""NIfTI files are read without guessing and written on exactly their own grid."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from plaqueview.imaging.nifti import NiftiError, encode_volume_nifti, read_volume_nifti, write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import affines, axial_affine, voxels

RAS = np.array([[-0.9, 0.0, 0.0, 90.0], [0.0, 0.8, 0.0, -70.0], [0.0, 0.0, 5.0, -20.0], [0.0, 0.0, 0.0, 1.0]])


def nifti(path: Path, array, *, affine=RAS, sform=1, qform=1, unit="mm", image_class=nibabel.Nifti1Image) -> Path:
    """A file written by nibabel alone."""
    image = image_class(array, affine)
    image.set_sform(affine, code=sform)
    image.set_qform(affine, code=qform)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_voxel_keeps_its_value_and_its_place_in_the_patient(tmp_path, suffix, image_class):
    array = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
    volume = read_volume_nifti(nifti(tmp_path / f"flair{suffix}", array, image_class=image_class))

    assert volume.voxels.dtype == np.int16
    assert volume.shape == (2, 3, 4)
    assert volume.voxels[1, 2, 3] == array[3, 2, 1]
    right, front, up = nibabel.affines.apply_affine(RAS, (3, 2, 1))
    assert volume.positions_mm(np.array([[1, 2, 3]]))[0] == pytest.approx((-right, -front, up))


def test_the_content_and_not_the_name_says_whether_a_file_is_compressed(tmp_path):
    compressed = nifti(tmp_path / "flair.nii.gz", np.ones((2, 2, 2), np.int16))
    renamed = compressed.rename(tmp_path / "0a1b2c")

    assert read_volume_nifti(renamed).shape == (2, 2, 2)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    strategies.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32]).flatmap(lambda d: voxels(dtype=d)),
    affines(),
    strategies.sampled_from(["flair.nii", "flair.nii.gz"]),
)
def test_a_volume_survives_its_file(tmp_path, array, affine, name):
    volume = Volume(array, affine)
    write_volume_nifti(tmp_path / name, volume)

    again = read_volume_nifti(tmp_path / name)

    assert again.voxels.dtype == array.dtype
    assert np.array_equal(again.voxels, array)
    assert np.allclose(again.affine, affine, atol=1e-4)  # NIfTI-1 holds float32


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(voxels(dtype=np.int16, highest=900), affines())
def test_labels_are_written_on_exactly_the_grid_of_their_source(tmp_path, array, affine):
    source = nifti(tmp_path / "flair.nii.gz", array, affine=affine, sform=2, qform=3)
    flair = read_volume_nifti(source)
    labels = flair.with_voxels((flair.voxels > 400).astype(np.uint8))
    write_volume_nifti(tmp_path / "labels.nii.gz", labels, header_of=source)

    before, after = nibabel.load(source), nibabel.load(tmp_path / "labels.nii.gz")

    assert after.get_data_dtype() == np.uint8
    assert np.array_equal(np.asanyarray(after.dataobj), (array > 400).astype(np.uint8))
    for field in ("dim", "pixdim", "srow_x", "srow_y", "srow_z", "sform_code", "qform_code", "xyzt_units", "quatern_b"):
        assert after.header[field].tobytes() == before.header[field].tobytes(), field


def test_labels_on_the_grid_of_a_file_in_metres_keep_its_metres(tmp_path):
    affine = RAS.copy()
    affine[:3] /= 1000
    source = nifti(tmp_path / "flair.nii", np.ones((4, 3, 2), np.int16), affine=affine, unit="meter")
    flair = read_volume_nifti(source)
    write_volume_nifti(tmp_path / "labels.nii", flair.with_voxels(np.ones((2, 3, 4), np.uint8)), header_of=source)

    assert flair.spacing_mm == pytest.approx((5.0, 0.8, 0.9))
    assert nibabel.load(tmp_path / "labels.nii").affine == pytest.approx(affine)
    assert np.allclose(read_volume_nifti(tmp_path / "labels.nii").affine, flair.affine)


def test_labels_of_a_rescaled_file_are_not_rescaled(tmp_path):
    image = nibabel.Nifti1Image(np.full((2, 2, 2), 10, np.int16), RAS)
    image.header.set_slope_inter(0.5, 3)
    nibabel.save(image, tmp_path / "flair.nii")
    flair = read_volume_nifti(tmp_path / "flair.nii")
    write_volume_nifti(
        tmp_path / "l.nii", flair.with_voxels(np.ones((2, 2, 2), np.uint8)), header_of=tmp_path / "flair.nii"
    )

    assert flair.voxels.dtype == np.float32
    assert (flair.voxels == 10 * 0.5 + 3).all()
    assert (read_volume_nifti(tmp_path / "l.nii").voxels == 1).all()


def test_equal_volumes_give_equal_bytes(tmp_path):
    volume = Volume(np.ones((2, 3, 4), np.uint8), axial_affine())
    write_volume_nifti(tmp_path / "a.nii.gz", volume)
    write_volume_nifti(tmp_path / "b.nii.gz", volume)

    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.nii.gz").read_bytes()) == encode_volume_nifti(volume)


def test_the_description_is_cut_to_what_the_header_holds():
    encoded = encode_volume_nifti(Volume(np.ones((1, 1, 1), np.uint8), axial_affine()), description="5 mm³ " * 20)

    header = nibabel.Nifti1Image.from_bytes(encoded).header
    assert bytes(header["descrip"].item()).decode() == ("5 mm? " * 20)[:80]


def test_voxels_are_written_in_native_order_whatever_the_order_of_the_file(tmp_path):
    image = nibabel.Nifti1Image(np.arange(8, dtype=">i2").reshape(2, 2, 2), RAS, nibabel.Nifti1Header(endianness=">"))
    nibabel.save(image, tmp_path / "big.nii")

    volume = read_volume_nifti(tmp_path / "big.nii")

    assert volume.voxels.dtype.isnative
    assert volume.voxels.flags.c_contiguous
    assert volume.voxels.ravel().tolist() == [0, 4, 2, 6, 1, 5, 3, 7]


def test_the_sform_is_used_where_both_are_set_and_the_qform_where_it_is_alone(tmp_path):
    other = RAS.copy()
    other[2, 3] = 999.0
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), RAS)
    image.set_sform(RAS, code=2)
    image.set_qform(other, code=1)
    nibabel.save(image, tmp_path / "both.nii")
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "qform.nii")

    assert read_volume_nifti(tmp_path / "both.nii").affine[2, 3] == -20.0
    assert read_volume_nifti(tmp_path / "qform.nii").affine[2, 3] == 999.0


def test_a_voxel_that_is_not_a_number_becomes_no_signal(tmp_path):
    array = np.array([[[1.5, np.nan], [2.5, 3.5]]], np.float64)
    volume = read_volume_nifti(nifti(tmp_path / "flair.nii", array))

    assert volume.voxels.dtype == np.float32
    assert sorted(volume.voxels.ravel()) == [0.0, 1.5, 2.5, 3.5]


def test_a_fourth_axis_of_length_one_is_dropped(tmp_path):
    source = nifti(tmp_path / "flair.nii", np.ones((4, 3, 2, 1), np.int16))
    volume = read_volume_nifti(source)
    write_volume_nifti(tmp_path / "labels.nii", volume, header_of=source)

    assert volume.shape == (2, 3, 4)
    assert nibabel.load(tmp_path / "labels.nii").shape == (4, 3, 2)


def _flipped_qform(path: Path) -> Path:
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), RAS)
    image.set_sform(RAS, code=1)
    image.set_qform(np.diag([-1.0, 1.0, 1.0, 1.0]) @ RAS, code=1)
    nibabel.save(image, path)
    return path


def _with_unit_code(path: Path) -> Path:
    nifti(path, np.ones((2, 2, 2), np.int16))
    content = bytearray(path.read_bytes())
    content[123] = 5
    path.write_bytes(content)
    return path


def _header_only(path: Path) -> Path:
    """A header that announces 32,767 voxels a side and holds none."""
    nifti(path, np.ones((2, 2, 2), np.int16))
    content = bytearray(path.read_bytes()[:352])
    content[42:48] = b"\xff\x7f" * 3
    path.write_bytes(content)
    return path


def _cut(path: Path, suffix: str) -> Path:
    whole = nifti(path.with_suffix(suffix), np.random.default_rng(0).integers(0, 900, (9, 9, 9)).astype(np.int16))
    whole.write_bytes(whole.read_bytes()[:-700])
    return whole


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


ONES = np.ones((2, 2, 2), np.int16)
TINY = RAS @ np.diag([0.001, 0.001, 0.001, 1.0])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (lambda p: nifti(p, np.ones((2, 2, 2, 5), np.int16)), r"axes of \(2, 2, 2, 5\), need one volume"),
        (lambda p: nifti(p, np.ones((2, 2), np.int16)), r"axes of \(2, 2\), need one volume"),
        (lambda p: nifti(p, np.ones((2, 0, 2), np.int16)), "0 voxels, need 1 to"),
        (lambda p: nifti(p, ONES, sform=0, qform=0), "no affine: qform and sform are both 0"),
        (_flipped_qform, "disagree about left and right"),
        (lambda p: nifti(p, ONES, affine=TINY, unit="unknown"), "names no unit and its spacing is"),
        (_with_unit_code, "unit code 5, need mm, metres or micrometres"),
        (lambda p: nifti(p, np.full((2, 2, 2), np.nan, np.float32)), "none that is a number"),
        (lambda p: nifti(p, np.full((2, 2, 2), np.inf, np.float32)), "infinite voxels"),
        (lambda p: nifti(p, np.full((2, 2, 2), 1e300, np.float64)), "infinite voxels"),
        (lambda p: nifti(p, np.ones((2, 2, 2), np.complex64)), "voxels of complex64, need integers or real"),
        (lambda p: nifti(p, np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])), "need integers or real"),
        (_header_only, "35181150961663 voxels, need 1 to 536870912"),
        (lambda p: _cut(p, ".nii"), "cannot be read"),
        (lambda p: _cut(p, ".nii.gz"), "cannot be read"),
        (lambda p: _bytes(p, b""), "neither 348 nor 540 bytes"),
        (lambda p: _bytes(p, b"DICM" * 200), "neither 348 nor 540 bytes"),
        (lambda p: _bytes(p, b"\x5c\x01\x00\x00"), "cannot be read"),
        (lambda p: _bytes(p, b"\x5c\x01\x00\x00" + b"\x00" * 400), "cannot be read"),
        (lambda p: _bytes(p, b"\x1f\x8bnot gzip at all"), "cannot be read"),
    ],
)
def test_a_file_that_would_need_a_guess_is_refused(tmp_path, written, message):
    path = written(tmp_path / "flair.nii")

    with pytest.raises(NiftiError, match=message):
        read_volume_nifti(path)


@pytest.mark.parametrize(
    "volume",
    [
        Volume(np.ones((2, 2, 3), np.uint8), axial_affine()),
        Volume(np.ones((2, 2, 2), np.uint8), axial_affine((1.0, 1.0, 1.5))),
    ],
)
def test_labels_of_another_grid_are_refused(tmp_path, volume):
    source = tmp_path / "flair.nii"
    write_volume_nifti(source, Volume(ONES, axial_affine()))

    with pytest.raises(NiftiError, match="does not lie on the grid of the NIfTI"):
        encode_volume_nifti(volume, header_of=source)


@pytest.mark.parametrize("dtype", [np.float16, np.complex64, np.dtype("U2")])
def test_a_dtype_without_a_place_in_nifti_is_refused(dtype):
    with pytest.raises(NiftiError, match="need bool, an integer, float32 or float64"):
        encode_volume_nifti(Volume(np.zeros((1, 1, 1), dtype), axial_affine()))


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.bool_, np.uint32])
def test_every_other_dtype_has_a_place(dtype):
    encoded = encode_volume_nifti(Volume(np.ones((1, 2, 3), dtype), axial_affine()))

    assert np.asanyarray(nibabel.Nifti1Image.from_bytes(encoded).dataobj).sum() == 6


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(strategies.lists(strategies.tuples(strategies.integers(0, 351), strategies.integers(0, 255)), max_size=4))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy warns of the numbers that a damaged affine holds
def test_a_damaged_header_is_read_or_refused_and_nothing_else(tmp_path, damage):
    content = bytearray(encode_volume_nifti(Volume(ONES, axial_affine())))
    for position, byte in damage:
        content[position] = byte
    (tmp_path / "flair.nii").write_bytes(content)

    try:
        volume = read_volume_nifti(tmp_path / "flair.nii")
    except NiftiError:
        return

    assert np.isfinite(volume.voxels).all()
    assert np.isfinite(volume.affine).all()
