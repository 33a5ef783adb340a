"""How long a lesion is, in space and on its slices; SimpleITK, which shares no line with ours, measures the same."""

import numpy as np
import pytest
import SimpleITK
from scipy.spatial.distance import pdist

from plaqueview.imaging.lesion_axes import in_plane_axis_mm
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SIZE_RULE, SMALLEST_MM, SizeClass, size_of
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, labels_on, paint_sphere, rotated

ACTIVE, INACTIVE = LesionClass.ACTIVE, LesionClass.INACTIVE
GRIDS = [(1.0, 1.0, 1.0), (6.0, 0.9, 0.9), (3.0, 0.5, 0.8)]


@pytest.mark.parametrize("spacing_mm", GRIDS)
@pytest.mark.parametrize("degrees", [0, 25])
def test_a_sphere_is_as_long_within_a_slice_as_its_great_circle_there(spacing_mm, degrees):
    labels = labels_on(tuple(int(30 / spacing) for spacing in spacing_mm), rotated(axial_affine(spacing_mm), degrees))
    centre = labels.positions_mm(np.array([[length // 2 for length in labels.shape]], np.float64))[0]
    paint_sphere(labels, centre_mm=centre, radius_mm=10.01, label=1)

    (lesion,) = measure_lesions(labels, None, rule=CountingRule()).lesions

    assert 20.02 - 2 * max(spacing_mm[1:]) <= lesion.in_plane_axis_mm <= 20.02  # through the slice of the centre
    assert lesion.in_plane_axis_mm <= lesion.longest_axis_mm
    assert lesion.size is SizeClass.LARGE


def test_a_column_through_many_slices_is_short_on_each_of_them():
    labels = labels_on((8, 10, 10), axial_affine((6.0, 0.5, 0.9)))
    labels.voxels[:, 2:5, 4] = 1
    labels.voxels[3, 2:5, 4:8] = 1

    (lesion,) = measure_lesions(labels, None, rule=CountingRule()).lesions

    assert lesion.in_plane_axis_mm == pytest.approx(np.hypot(2 * 0.5, 3 * 0.9))  # of slice 3
    assert lesion.longest_axis_mm == pytest.approx(np.hypot(7 * 6.0, 2 * 0.5))
    assert lesion.size is SizeClass.SMALL


def test_two_lesions_that_touch_at_a_corner_are_measured_as_the_rule_joins_them():
    labels = labels_on((2, 12, 12))
    labels.voxels[0, 1:5, 1:5] = 1
    labels.voxels[0, 5:9, 5:9] = 2

    joined = measure_lesions(labels, None, rule=CountingRule(26)).lesions
    apart = measure_lesions(labels, None, rule=CountingRule(6)).lesions

    assert [one.in_plane_axis_mm for one in joined] == pytest.approx([7 * np.sqrt(2)])
    assert [one.in_plane_axis_mm for one in apart] == pytest.approx([3 * np.sqrt(2)] * 2)


def test_the_axis_of_a_large_cloud_is_that_of_all_pairs_of_its_slices():
    labels = labels_on((6, 60, 60), rotated(axial_affine((3.0, 0.7, 0.9)), 40))
    labels.voxels[:] = np.random.default_rng(4).random(labels.shape) < 0.2
    indices = np.argwhere(labels.voxels)

    by_slice = [pdist(labels.positions_mm(indices[indices[:, 0] == index])).max() for index in range(6)]

    assert in_plane_axis_mm(indices, labels) == pytest.approx(max(by_slice))


@pytest.mark.parametrize(("spacing_mm", "degrees"), [((1.0, 1.0, 1.0), 0), ((6.0, 0.9, 0.9), 0), ((3.0, 0.5, 0.8), 30)])
def test_simpleitk_finds_the_same_lesions_volumes_centroids_and_axes(spacing_mm, degrees):
    labels = scattered(spacing_mm, degrees)
    table = measure_lesions(labels, None, rule=CountingRule(26, 14.1))

    peers = measured_by_simpleitk(table.lesion_numbers, labels)

    assert len(table.lesions) > 20
    assert number_by_simpleitk(labels, minimum_volume_mm3=14.1) == len(table.lesions)
    for lesion in table.lesions:
        voxels, volume_mm3, centroid_mm, axis_mm = peers[lesion.number]
        assert (lesion.voxel_count, lesion.volume_ml) == (voxels, pytest.approx(volume_mm3 / 1000))
        assert lesion.centroid_mm == pytest.approx(centroid_mm, abs=1e-4)
        assert lesion.longest_axis_mm == pytest.approx(max(axis_mm, *spacing_mm[1:]), abs=1e-4)
        on_slices = [
            slice_axis_mm(table.lesion_numbers[index] == lesion.number, labels) for index in lesion.slice_indices
        ]
        assert lesion.in_plane_axis_mm == pytest.approx(max(*on_slices, *spacing_mm[1:]), abs=1e-4)


def test_lesions_are_counted_by_size_and_class():
    labels = labels_on((3, 40, 40))
    labels.voxels[1, 2:7, 2:5] = 2  # 4 mm long, with its breadth 4.47
    labels.voxels[1, 10:16, 2:5] = 1  # 5 mm, with its breadth 5.39
    labels.voxels[1, 20:26, 20:29] = 1  # 8 mm, with its breadth 9.43
    labels.voxels[1, 30:32, 20:31] = 2  # 10 mm, with its breadth 10.05

    table = measure_lesions(labels, None, rule=CountingRule())

    assert table.counts_by_size() == {
        SizeClass.SMALL: {INACTIVE: 0, ACTIVE: 1},
        SizeClass.MEDIUM: {INACTIVE: 2, ACTIVE: 0},
        SizeClass.LARGE: {INACTIVE: 0, ACTIVE: 1},
    }


def test_on_its_limit_a_lesion_is_of_the_larger_size():
    found = [size_of(length_mm) for length_mm in (0.0, 4.999, 5.0, 9.999, 10.0 - 1e-9, 250.0)]

    assert found == [*["small"] * 2, *["medium"] * 2, *["large"] * 2]
    for size in (SizeClass.MEDIUM, SizeClass.LARGE):
        assert f"{SMALLEST_MM[size]:g} mm" in SIZE_RULE


def scattered(spacing_mm, degrees) -> Volume:
    """Thirty-five balls of one to five mm, some of which touch."""
    generator = np.random.default_rng(11)
    labels = labels_on(tuple(int(70 / spacing) for spacing in spacing_mm), rotated(axial_affine(spacing_mm), degrees))
    for _ in range(35):
        centre = generator.uniform(0.1, 0.9, 3) * labels.shape
        near = tuple(
            slice(max(0, int(at - 7 / step)), int(at + 7 / step) + 1)
            for at, step in zip(centre, spacing_mm, strict=True)
        )
        box = np.stack(
            np.meshgrid(*[np.arange(n)[side] for n, side in zip(labels.shape, near, strict=True)], indexing="ij"), -1
        )
        labels.voxels[near][np.linalg.norm((box - centre) * spacing_mm, axis=-1) < generator.uniform(2.0, 6.0)] = 1
    return labels


def itk_image(voxels, spacing_mm) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing([float(step) for step in reversed(spacing_mm)])
    return image


def shape_filter() -> SimpleITK.LabelShapeStatisticsImageFilter:
    found = SimpleITK.LabelShapeStatisticsImageFilter()
    found.ComputeFeretDiameterOn()
    return found


def measured_by_simpleitk(numbers, labels: Volume) -> dict[int, tuple[int, float, tuple[float, ...], float]]:
    image = itk_image(numbers, labels.spacing_mm)
    directions = labels.affine[:3, :3] / labels.spacing_mm
    image.SetDirection(directions[:, ::-1].ravel().tolist())
    image.SetOrigin(labels.affine[:3, 3].tolist())
    found = shape_filter()
    found.Execute(image)
    return {
        label: (
            found.GetNumberOfPixels(label),
            found.GetPhysicalSize(label),
            found.GetCentroid(label),
            found.GetFeretDiameter(label),
        )
        for label in found.GetLabels()
    }


def number_by_simpleitk(labels: Volume, *, minimum_volume_mm3: float) -> int:
    components = SimpleITK.ConnectedComponent(itk_image(labels.voxels, labels.spacing_mm), True)
    found = SimpleITK.LabelShapeStatisticsImageFilter()
    found.Execute(components)
    return sum(found.GetPhysicalSize(label) >= minimum_volume_mm3 for label in found.GetLabels())


def slice_axis_mm(mask, labels: Volume) -> float:
    found = shape_filter()
    found.Execute(itk_image(mask.astype(np.uint8), labels.spacing_mm[1:]))
    return found.GetFeretDiameter(1)
