"""Lesions are counted and measured as the rule says."""

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy import ndimage
from scipy.spatial.distance import pdist

from plaqueview.imaging.lesion_axes import longest_axis_mm
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.lesions import CountingRule, LesionError, measure_lesions
from plaqueview.imaging.volume import Volume, axial_reorientation
from tests.imaging.phantoms import affines, axial_affine, labels_on, paint_sphere, rotated, voxels

EVERY_VOXEL = CountingRule(minimum_volume_mm3=0.0)
ACTIVE, INACTIVE = LesionClass.ACTIVE, LesionClass.INACTIVE


def test_an_empty_mask_has_no_lesions():
    table = measure_lesions(labels_on((3, 4, 5)), None, rule=CountingRule())

    assert table.lesions == ()
    assert table.counts() == {INACTIVE: 0, ACTIVE: 0}
    assert table.volumes_ml() == {INACTIVE: 0.0, ACTIVE: 0.0}
    assert table.counts_by_slice() == {INACTIVE: (0, 0, 0), ACTIVE: (0, 0, 0)}
    assert table.lesion_numbers.dtype == np.uint16
    assert not table.lesion_numbers.any()


def test_a_block_has_the_measures_that_pencil_and_paper_give():
    labels = labels_on((6, 10, 10), axial_affine((4.0, 0.5, 0.8), origin_mm=(-30.0, 10.0, 100.0)))
    labels.voxels[1:3, 2:6, 3:8] = LABEL_OF_CLASS[INACTIVE]  # 2 slices, 4 rows, 5 columns
    probability = np.zeros(labels.shape, np.float32)
    probability[1, 2:6, 3:8] = 0.5
    probability[2, 2:6, 3:8] = 0.75

    (lesion,) = measure_lesions(labels, probability, rule=CountingRule()).lesions

    assert lesion.number == 1
    assert lesion.lesion_class is INACTIVE
    assert lesion.voxel_count == 40
    assert lesion.volume_ml == pytest.approx(40 * 4.0 * 0.5 * 0.8 / 1000)
    assert lesion.longest_axis_mm == pytest.approx(np.sqrt(4.0**2 + (3 * 0.5) ** 2 + (4 * 0.8) ** 2))
    assert lesion.centroid_index == (1.5, 3.5, 5.0)
    assert lesion.centroid_mm == pytest.approx((-30 + 5 * 0.8, 10 + 3.5 * 0.5, 100 + 1.5 * 4))
    assert lesion.slice_indices == (1, 2)
    assert lesion.mean_probability == pytest.approx(0.625)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 0.7, 0.7), (1.0, 0.5, 2.0)])
@pytest.mark.parametrize("degrees", [0, 17, 60])
def test_a_sphere_has_its_volume_and_diameter_on_any_grid(spacing_mm, degrees):
    affine = rotated(axial_affine(spacing_mm), degrees)
    labels = labels_on(tuple(int(30 / spacing) for spacing in spacing_mm), affine)
    centre = labels.positions_mm(np.array([[length // 2 for length in labels.shape]], np.float64))[0]
    paint_sphere(labels, centre_mm=centre, radius_mm=10.01, label=2)  # no voxel lies on it

    (lesion,) = measure_lesions(labels, None, rule=CountingRule()).lesions

    assert lesion.volume_ml == pytest.approx(4 / 3 * np.pi * 10.01**3 / 1000, rel=0.025)
    assert 20.0 - max(spacing_mm) <= lesion.longest_axis_mm <= 20.02
    assert lesion.centroid_mm == pytest.approx(tuple(centre), abs=1e-6)
    assert lesion.mean_probability is None


@pytest.mark.parametrize(("connectivity", "count"), [(6, 3), (18, 2), (26, 1)])
def test_connectivity_decides_whether_an_edge_and_a_corner_join(connectivity, count):
    labels = labels_on((4, 4, 4))
    labels.voxels[0, 0, 0] = labels.voxels[0, 1, 1] = labels.voxels[1, 2, 2] = 1  # an edge, then a corner

    table = measure_lesions(labels, None, rule=CountingRule(connectivity, 0.0))

    assert len(table.lesions) == count


def test_touching_lesions_of_two_classes_are_one_lesion_of_the_larger_class():
    labels = labels_on((1, 6, 6), axial_affine((5.0, 1.0, 1.0)))
    labels.voxels[0, 1:3, 1:5] = 1  # eight voxels
    labels.voxels[0, 3, 1:5] = 2  # four voxels

    table = measure_lesions(labels, None, rule=CountingRule())

    assert table.counts() == {INACTIVE: 1, ACTIVE: 0}
    assert table.lesions[0].voxel_count == 12
    assert (table.class_labels() == (labels.voxels > 0)).all()


def test_a_tie_of_classes_is_active():
    labels = labels_on((1, 4, 6), axial_affine((5.0, 1.0, 1.0)))
    labels.voxels[0, 1, 1:5] = 1
    labels.voxels[0, 2, 1:5] = 2

    table = measure_lesions(labels, None, rule=CountingRule())

    assert table.lesions[0].lesion_class is ACTIVE
    assert (table.class_labels() == 2 * (labels.voxels > 0)).all()


def test_a_component_under_the_minimum_is_no_lesion_and_one_at_the_minimum_is():
    labels = labels_on((3, 9, 9), axial_affine((1.0, 0.7, 0.3)))  # 0.21 mm³ a voxel
    labels.voxels[1, 1, 1:4] = 1  # 0.63 mm³, which rounds below 3 * 0.21 in floating point
    labels.voxels[1, 5, 1:3] = 2  # 0.42 mm³

    table = measure_lesions(labels, None, rule=CountingRule(minimum_volume_mm3=0.63))

    assert table.counts() == {INACTIVE: 1, ACTIVE: 0}
    assert not table.lesion_numbers[1, 5].any()
    assert not table.class_labels()[1, 5].any()


def test_lesions_are_numbered_by_falling_volume_and_named_in_the_volume():
    labels = labels_on((3, 20, 20))
    labels.voxels[0, 0:3, 0:5] = 1
    labels.voxels[1:3, 8:14, 8:14] = 2
    labels.voxels[0, 16:18, 10:18] = 2

    table = measure_lesions(labels, None, rule=CountingRule())

    assert [lesion.voxel_count for lesion in table.lesions] == [72, 16, 15]
    assert [lesion.number for lesion in table.lesions] == [1, 2, 3]
    assert (table.lesion_numbers[1:3, 8:14, 8:14] == 1).all()
    assert (table.lesion_numbers[0, 16:18, 10:18] == 2).all()
    assert (table.lesion_numbers[0, 0:3, 0:5] == 3).all()
    assert table.counts_by_slice() == {INACTIVE: (1, 0, 0), ACTIVE: (1, 1, 1)}
    assert table.volumes_ml() == pytest.approx({INACTIVE: 0.015, ACTIVE: 0.088})


def test_a_single_voxel_is_as_long_as_its_larger_side_in_the_plane():
    labels = labels_on((3, 3, 3), axial_affine((6.0, 0.5, 0.9)))
    labels.voxels[1, 1, 1] = 1

    (lesion,) = measure_lesions(labels, None, rule=EVERY_VOXEL).lesions

    assert lesion.longest_axis_mm == pytest.approx(0.9)


def test_a_diagonal_line_and_a_diagonal_plane_have_an_exact_longest_axis():
    grid = labels_on((400, 400, 400))
    line = np.stack([np.arange(400)] * 3, axis=1)
    across, up = (side.ravel() for side in np.meshgrid(np.arange(40), np.arange(40)))
    plane = np.stack([up, across, across], axis=1)

    assert longest_axis_mm(line, grid) == pytest.approx(399 * np.sqrt(3))
    assert longest_axis_mm(plane, grid) == pytest.approx(39 * np.sqrt(3))


@settings(max_examples=60, deadline=None)
@given(voxels(smallest_side=1), affines())
def test_the_longest_axis_is_that_of_all_pairs(mask, affine):
    labels = Volume((mask > 0).astype(np.uint8), affine)
    table = measure_lesions(labels, None, rule=EVERY_VOXEL)

    for lesion in table.lesions:
        positions = labels.positions_mm(np.argwhere(table.lesion_numbers == lesion.number))
        farthest = pdist(positions).max() if len(positions) > 1 else 0.0
        assert lesion.longest_axis_mm == pytest.approx(max(farthest, *labels.spacing_mm[1:]))


def test_the_longest_axis_of_a_large_cloud_is_that_of_all_pairs():
    generator = np.random.default_rng(5)
    labels = labels_on((24, 40, 40), rotated(axial_affine((3.0, 0.9, 0.9)), 25))
    paint_sphere(labels, centre_mm=labels.positions_mm(np.array([[12.0, 20, 20]]))[0], radius_mm=16, label=1)
    labels.voxels[generator.random(labels.shape) < 0.3] = 0
    indices = np.argwhere(labels.voxels)

    assert longest_axis_mm(indices, labels) == pytest.approx(pdist(labels.positions_mm(indices)).max())


@settings(max_examples=60, deadline=None)
@given(voxels(), strategies.tuples(*[strategies.integers(0, 3)] * 3))
def test_measures_do_not_change_when_the_lesions_move(mask, shift):
    moved = np.pad(mask, [(amount, 3 - amount) for amount in shift])
    table = measure_lesions(Volume(mask, axial_affine((3, 0.8, 0.9))), None, rule=EVERY_VOXEL)

    moved_table = measure_lesions(Volume(moved, axial_affine((3, 0.8, 0.9))), None, rule=EVERY_VOXEL)

    assert _sizes(moved_table) == _sizes(table)
    for lesion, moved_lesion in zip(table.lesions, moved_table.lesions, strict=True):
        assert np.subtract(moved_lesion.centroid_index, lesion.centroid_index) == pytest.approx(shift)


@settings(max_examples=60, deadline=None)
@given(voxels(), affines())
def test_measures_do_not_change_with_the_order_of_the_axes(mask, affine):
    labels = Volume(mask, affine)
    turned = axial_reorientation(affine).apply_to(labels)

    table = measure_lesions(labels, None, rule=EVERY_VOXEL)
    turned_table = measure_lesions(turned, None, rule=EVERY_VOXEL)

    assert [row[:3] for row in _sizes(turned_table)] == [row[:3] for row in _sizes(table)]
    centroids = sorted(tuple(np.round(lesion.centroid_mm, 6)) for lesion in table.lesions)
    turned_centroids = sorted(tuple(np.round(lesion.centroid_mm, 6)) for lesion in turned_table.lesions)
    assert np.allclose(turned_centroids, centroids, atol=1e-5)


def _sizes(table):
    return sorted(
        (one.voxel_count, round(one.volume_ml, 9), one.lesion_class, round(one.longest_axis_mm, 9))
        for one in table.lesions
    )


@settings(max_examples=60, deadline=None)
@given(voxels(), strategies.sampled_from([6, 18, 26]))
def test_the_parts_agree_with_the_whole(mask, connectivity):
    labels = Volume(mask, axial_affine((2.0, 1.0, 1.0)))
    table = measure_lesions(labels, None, rule=CountingRule(connectivity, 4.0))

    structure = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    components, _ = ndimage.label(mask > 0, structure)
    sizes = np.bincount(components.ravel(), minlength=1)[1:]
    assert sorted(lesion.voxel_count for lesion in table.lesions) == sorted(sizes[sizes >= 2])
    assert sum(table.counts().values()) == len(table.lesions)
    assert sum(table.volumes_ml().values()) == pytest.approx((table.lesion_numbers > 0).sum() * 0.002)
    assert ((table.class_labels() > 0) == (table.lesion_numbers > 0)).all()
    for lesion in table.lesions:
        members = table.lesion_numbers == lesion.number
        assert members.sum() == lesion.voxel_count
        assert set(np.unique(table.class_labels()[members])) == {LABEL_OF_CLASS[lesion.lesion_class]}
        assert tuple(np.flatnonzero(members.any(axis=(1, 2)))) == lesion.slice_indices
    assert measure_lesions(labels.with_voxels(table.class_labels()), None, rule=table.rule).lesions == table.lesions


@pytest.mark.parametrize(
    ("labels", "probability", "message"),
    [
        (np.full((2, 2, 2), 3, np.uint8), None, "labels run from 3 to 3, need 0"),
        (np.full((2, 2, 2), -1, np.int16), None, "labels run from -1 to -1, need 0"),
        (np.zeros((2, 2, 2), np.float32), None, "labels have dtype float32, need integers"),
        (np.ones((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.float32), r"shape \(2, 2, 3\), the labels have"),
        (np.ones((2, 2, 2), np.uint8), np.full((2, 2, 2), np.nan, np.float32), "outside 0 to 1 or not a number"),
        (np.ones((2, 2, 2), np.uint8), np.full((2, 2, 2), 1.5, np.float32), "outside 0 to 1 or not a number"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, probability, message):
    with pytest.raises(LesionError, match=message):
        measure_lesions(Volume(labels, axial_affine()), probability, rule=EVERY_VOXEL)


def test_more_lesions_than_can_be_numbered_are_refused():
    labels = labels_on((3, 600, 600))
    labels.voxels[::2, ::2, ::2] = 1

    with pytest.raises(LesionError, match="180000 lesions found, at most 65535"):
        measure_lesions(labels, None, rule=EVERY_VOXEL)


@pytest.mark.parametrize(("connectivity", "minimum"), [(8, 1.0), (26, -1.0), (26, float("nan")), (26, float("inf"))])
def test_a_rule_that_means_nothing_is_refused(connectivity, minimum):
    with pytest.raises(LesionError):
        CountingRule(connectivity, minimum)


def test_the_rule_reads_as_a_sentence():
    assert CountingRule().sentence == (
        "26-connected components of at least 14.1 mm³; active when at least half of the voxels are labelled active"
    )


@pytest.mark.parametrize(("shape", "spacing_mm"), [((25, 512, 512), (5, 0.45, 0.45)), ((60, 256, 256), (3, 0.9, 0.9))])
def test_a_head_full_of_lesions_is_measured_in_well_under_a_second(shape, spacing_mm):
    labels = labels_on(shape, axial_affine(spacing_mm))
    generator = np.random.default_rng(0)
    for _ in range(40):
        corner = [generator.integers(0, length - 10) for length in shape]
        labels.voxels[tuple(slice(at, at + 10) for at in corner)] = generator.integers(1, 3)

    seconds = []
    for _ in range(3):
        start = time.process_time()
        measure_lesions(labels, (labels.voxels > 0).astype(np.float32), rule=CountingRule())
        seconds.append(time.process_time() - start)

    assert min(seconds) < 0.6  # 0.05 s on an idle core
