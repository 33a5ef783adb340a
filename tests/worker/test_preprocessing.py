"""The five steps on synthetic heads, and the exact way back."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_worker import preprocessing
from inference_worker.dataset import labels_on_network_grid
from inference_worker.gabor import gabor_kernel
from inference_worker.mask_checks import MaskChecks
from inference_worker.network_grid import NetworkGrid
from inference_worker.preprocessing import (
    WHOLE_MATRIX,
    WITH_SCALP,
    Prepared,
    Preprocessing,
    PreprocessingError,
    to_eight_bits,
)
from inference_worker.preprocessing_steps import steps_of_slice
from inference_worker.synthesis import Slices, SynthesisRequest, SyntheticStudy, synthesise
from plaqueview.imaging.volume import Reorientation, Volume, axial_reorientation

CHECKS = MaskChecks()

# Of the phantom, by versions 1 and 2; what is tolerated is another machine's arithmetic.
REFERENCE_ML = 1547.86
REFERENCE_MEAN = 0.077403
BRAIN_MEAN = 0.151476


@pytest.fixture(scope="module")
def study() -> SyntheticStudy:
    return synthesise(SynthesisRequest(), np.random.default_rng(20240901))


@pytest.fixture(scope="module")
def prepared(study):
    return Preprocessing().prepare(study.flair)


def resized(volume: Volume, rows: int, columns: int) -> Volume:
    """The same slices on another matrix that shares the first one's outer border."""
    voxels = np.stack([cv2.resize(s.astype(np.float32), (columns, rows)) for s in volume.voxels])
    scale = np.diag([1.0, volume.shape[1] / rows, volume.shape[2] / columns, 1.0])
    return Volume(voxels, volume.affine @ scale)


def dice(first, second) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


# --- the way back ---------------------------------------------------------------------------------------------------

grids = st.builds(
    NetworkGrid,
    rows=st.integers(1, 640),
    columns=st.integers(1, 640),
    spacing_mm=st.tuples(st.floats(0.3, 3.0), st.floats(0.3, 3.0)),
    size=st.just(256),
)


def places_mm(length: int, spacing_mm: float) -> np.ndarray:
    """Where the pixels of an axis lie, from the middle of the matrix."""
    return (np.arange(length) + 0.5 - length / 2) * spacing_mm


@given(grids)
def test_a_label_comes_back_from_the_square_pixel_that_lies_nearest(grid):
    rows, columns = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")

    taken = grid.source(np.stack([rows, columns]))

    assert taken.shape == (2, grid.rows, grid.columns)
    found_mm = (taken + 0.5 - 128) * grid.pixel_mm
    assert np.abs(found_mm[0] - places_mm(grid.rows, grid.spacing_mm[0])[:, None]).max() <= grid.pixel_mm / 2 + 1e-9
    assert np.abs(found_mm[1] - places_mm(grid.columns, grid.spacing_mm[1])[None]).max() <= grid.pixel_mm / 2 + 1e-9


@given(grids)
def test_a_slope_in_mm_comes_back_as_the_same_slope(grid):
    square_mm = places_mm(256, grid.pixel_mm).astype(np.float32)
    squares = np.broadcast_to(0.01 * square_mm[:, None] + 0.02 * square_mm[None, :], (1, 256, 256))

    restored = grid.source(squares)[0]

    rows_mm, columns_mm = (
        places_mm(length, spacing) for length, spacing in zip((grid.rows, grid.columns), grid.spacing_mm, strict=True)
    )
    wanted = 0.01 * rows_mm[:, None] + 0.02 * columns_mm[None, :]
    edge_mm = 128 * grid.pixel_mm - 1.5 * max(grid.pixel_mm, *grid.spacing_mm)  # beyond it the square ends
    inside = (np.abs(rows_mm) <= edge_mm)[:, None] & (np.abs(columns_mm) <= edge_mm)[None, :]
    assert np.abs(restored - wanted)[inside].max(initial=0.0) < 6e-3  # 0.3 mm


@given(grids)
def test_the_square_holds_the_whole_matrix_at_the_same_scale_both_ways(grid):
    extent_mm = 256 * grid.pixel_mm

    assert extent_mm == pytest.approx(max(grid.rows * grid.spacing_mm[0], grid.columns * grid.spacing_mm[1]))


def test_a_circle_in_mm_stays_a_circle_whatever_the_pixels_are():
    grid = NetworkGrid(301, 170, (0.7, 1.3), 256)
    y, x = places_mm(301, 0.7)[:, None], places_mm(170, 1.3)[None, :]
    disk = (np.hypot(y, x) < 60).astype(np.float32)

    square = grid.square(disk[None])[0] > 0.5

    height_mm, width_mm = (square.any(axis=axis).sum() * grid.pixel_mm for axis in (1, 0))
    assert height_mm == pytest.approx(120, abs=2 * grid.pixel_mm)
    assert width_mm == pytest.approx(120, abs=2 * grid.pixel_mm)
    assert square.sum() * grid.pixel_mm**2 == pytest.approx(np.pi * 60**2, rel=0.01)


@given(st.integers(1, 640), st.integers(1, 640), st.sampled_from((np.uint8, np.int64, np.bool_, np.float32)))
def test_a_constant_comes_back_constant_and_of_its_dtype(rows, columns, dtype):
    grid = NetworkGrid(rows, columns, (0.8, 0.5), 256)

    restored = grid.source(np.ones((2, 3, 256, 256), dtype))

    assert restored.shape == (2, 3, rows, columns)
    assert restored.dtype == dtype
    np.testing.assert_allclose(restored.astype(np.float64), 1.0, atol=1e-6)


def test_an_array_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"array ends in \(128, 256\), the grid needs \(256, 256\)"):
        NetworkGrid(300, 300, (1.0, 1.0), 256).source(np.zeros((1, 128, 256)))


def test_a_square_matrix_of_256_goes_there_and_back_bit_by_bit():
    slices = np.random.default_rng(0).random((3, 256, 256), dtype=np.float32)
    grid = NetworkGrid(256, 256, (0.9, 0.9), 256)

    assert grid.square(slices).tobytes() == slices.tobytes()
    assert grid.source(slices).tobytes() == slices.tobytes()


# --- the five steps -------------------------------------------------------------------------------------------------


def test_the_filter_is_the_papers_and_keeps_flat_tissue():
    kernel = gabor_kernel()

    assert kernel.shape == (7, 7)
    assert float(kernel.sum()) == pytest.approx(1.0, abs=1e-6)
    one_along = np.exp(-0.5) * np.cos(2 * np.pi * np.cos(np.pi / 4) / (5 * np.pi / 4) - 0.5)  # one pixel to the right
    assert kernel[3, 4] / kernel[3, 3] == pytest.approx(one_along / np.cos(-0.5), rel=1e-5)
    assert kernel[3, 4] == kernel[4, 3]  # at 45 degrees rows and columns are alike


def test_brain_is_grey_100_whatever_the_scanner_calls_it(study, prepared):
    voxels = study.flair.voxels.astype(np.float32)
    grey, _ = to_eight_bits(study.flair)
    other, _ = to_eight_bits(study.flair.with_voxels(voxels * 3.7 + 250.0))

    assert np.median(grey[prepared.brain_mask]) == pytest.approx(100, abs=4)
    assert np.abs(grey.astype(int) - other).max() <= 1


@pytest.mark.parametrize("columns_as_one", [2, 5])
def test_a_head_whose_pixels_are_far_from_square_is_still_25_mm_deep(study, columns_as_one):
    """A 2D sagittal FLAIR, cut into axial slices, has pixels as wide as its slices are apart."""
    voxels, affine = study.flair.voxels.astype(np.float32), study.flair.affine.copy()
    columns = voxels.shape[2] // columns_as_one * columns_as_one
    wide = voxels[:, :, :columns].reshape(*voxels.shape[:2], -1, columns_as_one).mean(axis=-1)
    affine[:3, 3] += affine[:3, 2] * (columns_as_one - 1) / 2
    affine[:3, 2] *= columns_as_one

    square, _ = to_eight_bits(study.flair)
    grey, head = to_eight_bits(Volume(wide, affine))

    inner = wide.shape[2] // 2
    assert head[10, :, inner].any()
    brain = square[:, :, :columns].reshape(*voxels.shape[:2], -1, columns_as_one).mean(axis=-1)
    assert np.median(np.abs(grey[head == 1] - brain[head == 1])) <= 3


def test_slices_are_masked_and_between_0_and_1(prepared):
    assert prepared.slices.shape == (22, 256, 256)
    assert prepared.slices.dtype == np.float32
    assert prepared.slices.min() == 0.0
    assert prepared.slices.max() <= 1.0
    assert not prepared.slices[seen(prepared, prepared.brain_mask) == 0].any()


def seen(prepared: Prepared, values: np.ndarray) -> np.ndarray:
    """Values on the volume's grid as the network would see them."""
    return prepared.window.square(values.astype(np.float32))


def test_every_brain_fills_the_square(study, prepared):
    wide = np.pad(study.flair.voxels, ((0, 0), (37, 11), (64, 64)))
    shift = study.flair.affine @ np.array([0, -37, -64, 1.0])
    affine = study.flair.affine.copy()
    affine[:3, 3] = shift[:3]

    other = Preprocessing().prepare(Volume(wide, affine))

    is_brain = seen(prepared, prepared.brain_mask).max(axis=0) > 0.5
    reaches = [int(is_brain.any(axis=axis).sum()) * prepared.window.grid.pixel_mm for axis in (0, 1)]
    assert 256 * prepared.window.grid.pixel_mm - max(reaches) == pytest.approx(8.0, abs=2.5)
    assert dice(seen(other, other.brain_mask) > 0.5, seen(prepared, prepared.brain_mask) > 0.5) > 0.98
    assert np.abs(other.slices - prepared.slices).mean() < 0.004


def test_what_the_network_does_not_see_comes_back_as_nothing(prepared):
    restored = prepared.restore(np.ones((22, 256, 256), np.float32))

    window = prepared.window
    inside = np.zeros(prepared.brain_mask.shape, bool)
    inside[:, window.top : window.top + window.grid.rows, window.left : window.left + window.grid.columns] = True
    assert 0 < inside.sum() < 0.8 * inside.size
    assert (restored[inside] > 0.999).all()
    assert not restored[~inside].any()
    assert inside[prepared.brain_mask].all()


def phantom() -> Volume:
    """Nested ellipsoids: bright scalp, dark skull, brain with a texture and two ventricles, in faint air."""
    z, y, x = np.meshgrid(
        (np.arange(22) - 9) * 6.5, (np.arange(256) - 127.5) * 0.9, (np.arange(256) - 127.5) * 0.9, indexing="ij"
    )
    radius = np.sqrt((x / 75) ** 2 + (y / 92) ** 2 + (z / 90) ** 2)
    voxels = 4.0 + 3.0 * np.sin(x) * np.cos(y)
    for limit, level in ((1.0, 260.0), (0.93, 18.0), (0.84, 100.0)):
        voxels[radius < limit] = level
    voxels[radius < 0.84] += (12.0 * np.sin(x / 5 + z / 9) * np.cos(y / 6))[radius < 0.84]
    voxels[((np.abs(x) - 12) / 6) ** 2 + (y / 30) ** 2 + (z / 14) ** 2 < 1] = 25.0
    affine = np.array([[0, 0, 0.9, -115.0], [0, 0.9, 0, -115.0], [6.5, 0, 0, -58.5], [0, 0, 0, 1.0]])
    return Volume(voxels.astype(np.float32), affine)


@pytest.mark.parametrize(("preprocessing", "mean"), [(WHOLE_MATRIX, REFERENCE_MEAN), (Preprocessing(), BRAIN_MEAN)])
def test_a_version_stays_what_it_is(preprocessing, mean):
    """Weights name the version they were trained with: another result needs another version."""
    volume = phantom()

    prepared = preprocessing.prepare(volume)

    assert prepared.version == {WHOLE_MATRIX: "1", Preprocessing(): "2"}[preprocessing]
    assert prepared.brain_mask.sum() * volume.voxel_volume_ml == pytest.approx(REFERENCE_ML, rel=2e-3)
    assert float(prepared.slices.mean()) == pytest.approx(mean, rel=2e-3)


def test_without_masking_the_brain_is_the_same_and_the_scalp_stays(study, prepared):
    with_scalp = WITH_SCALP.prepare(study.flair)

    brain = seen(prepared, prepared.brain_mask)
    assert np.abs(with_scalp.slices - prepared.slices)[brain > 0.9999].max() < 1e-4
    assert with_scalp.slices[brain == 0].max() > 0.5
    assert with_scalp.version != prepared.version


def test_the_steps_of_a_slice_lead_to_what_the_network_sees(study, prepared):
    steps = {step.name: step.picture for step in steps_of_slice(study.flair, 12, Preprocessing())}

    assert list(steps) == ["source", "8 bits", "median 3x3", "Gabor", "brain mask", "brain", "256x256, 0 to 1"]
    assert (steps["source"] == study.flair.voxels[12]).all()
    assert (steps["brain mask"] == prepared.brain_mask[12]).all()
    assert (steps["256x256, 0 to 1"] == seen(prepared, steps["brain"][None])[0] / np.float32(255)).all()


def test_plaques_lie_inside_the_mask(study, prepared):
    assert prepared.brain_mask[study.labels.voxels > 0].mean() > 0.99


def test_the_same_volume_gives_the_same_bytes(study, prepared):
    again = Preprocessing().prepare(study.flair)

    assert again.slices.tobytes() == prepared.slices.tobytes()
    assert again.brain_mask.tobytes() == prepared.brain_mask.tobytes()


@pytest.mark.parametrize(("rows", "columns"), [(255, 301), (181, 217), (512, 512), (256, 200)])
def test_other_matrices_see_the_same_brain(study, prepared, rows, columns):
    volume = resized(study.flair, rows, columns)

    other = Preprocessing().prepare(volume)

    assert other.brain_mask.shape == volume.shape
    assert dice(other.restore(seen(other, other.brain_mask)) > 0.5, other.brain_mask) > 0.99
    same = np.stack([cv2.resize(s.astype(np.float32), (256, 256)) >= 0.5 for s in other.brain_mask])
    assert dice(same, prepared.brain_mask) > 0.97


def test_a_mask_found_on_another_matrix_ends_where_half_of_a_pixel_is_brain(monkeypatch):
    def left_half(grey, *_, **__):
        return np.broadcast_to(np.arange(grey.shape[2]) < 100, grey.shape)

    monkeypatch.setattr(preprocessing, "find_brain", left_half)
    monkeypatch.setattr(preprocessing, "check_mask", lambda *_, **__: None)
    volume = np.ones((2, 600, 800), np.uint8)

    mask = Preprocessing().brain_mask(volume, volume, (3.0, 0.25, 0.25))

    np.testing.assert_array_equal(mask, np.broadcast_to(np.arange(800) < 400, volume.shape))


def test_one_slice_is_enough(study, prepared):
    middle = Volume(study.flair.voxels[12:13], study.flair.affine)

    alone = Preprocessing().prepare(middle)

    assert alone.slices.shape == (1, 256, 256)
    assert dice(alone.brain_mask[0], prepared.brain_mask[12]) > 0.97


def test_a_tilted_stack_is_prepared_like_a_straight_one(study, prepared):
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]

    tilted = Preprocessing().prepare(Volume(study.flair.voxels, turn @ study.flair.affine))

    assert tilted.slices.tobytes() == prepared.slices.tobytes()


def test_a_sagittal_volume_comes_back_on_its_own_voxels(study, prepared):
    to_sagittal = Reorientation(axes=(2, 0, 1), flips=(True, True, False))
    sagittal = to_sagittal.apply_to(study.flair)

    reorientation = axial_reorientation(sagittal.affine)
    axial = Preprocessing().prepare(reorientation.apply_to(sagittal))

    assert not reorientation.is_identity
    assert axial.slices.tobytes() == prepared.slices.tobytes()
    returned = reorientation.undo(axial.restore(seen(axial, axial.brain_mask)))
    assert (returned == to_sagittal.apply(prepared.restore(seen(prepared, prepared.brain_mask)))).all()


def test_probabilities_and_labels_come_back_on_the_volume(study, prepared):
    labels = study.labels.voxels
    classes = np.stack([labels == label for label in range(3)]).astype(np.float32)
    squares = labels_on_network_grid(labels, prepared)

    assert dice(prepared.restore(squares) > 0, labels > 0) > 0.97
    assert (prepared.restore(squares)[labels > 0] != labels[labels > 0]).mean() < 0.03
    restored = prepared.restore(np.stack([seen(prepared, share) for share in classes]))
    assert np.abs(restored - classes)[:, prepared.brain_mask].mean() < 0.005
    with pytest.raises(PreprocessingError, match="array has 21 slices, the volume has 22"):
        prepared.restore(labels[1:])


def test_a_brain_that_was_already_extracted_is_kept_whole(study, prepared):
    extracted = study.flair.with_voxels(np.where(prepared.brain_mask, study.flair.voxels, 0))

    again = Preprocessing().prepare(extracted)

    assert dice(again.brain_mask, prepared.brain_mask) > 0.98


def test_a_scalp_as_grey_as_brain_is_not_taken_for_brain():
    """Without fat suppression a thin scalp has about the brain's signal."""
    generator = np.random.default_rng(106)
    request = SynthesisRequest(slices=Slices(count=12, rows=160, columns=160, pixel_mm=(1.4, 1.4), spacing_mm=11.0))
    flair = synthesise(request, generator).flair
    voxels = flair.voxels.astype(np.float32)
    level = np.median(voxels[voxels > voxels.mean()])

    prepared = Preprocessing().prepare(flair.with_voxels(np.minimum(voxels, 1.4 * level)))

    largest_mm2 = prepared.brain_mask.sum(axis=(1, 2)).max() * 1.4**2
    assert 12_000 < largest_mm2 < 22_000
