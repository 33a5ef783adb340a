"""Regions of a brain of which every voxel is known: the atlas itself, moved, stretched and cut into thick slices."""

import numpy as np
import pytest

from inference_worker.regions.alignment import AlignmentError, align
from inference_worker.regions.atlas import Structure, load_atlas
from inference_worker.regions.region_map import map_regions
from plaqueview.imaging.regions import LABEL_OF_REGION, Region, RegionRule
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine
from tests.worker.atlas_heads import GRID, MOVED, STRUCTURES, Scan, scan


@pytest.fixture(scope="module")
def scanned() -> Scan:
    return scan()


@pytest.fixture(scope="module")
def mapped(scanned):
    return map_regions(scanned.flair, scanned.brain, rule=RegionRule())


@pytest.mark.parametrize(
    ("place", "structure"),
    [
        ((0, -30, -30), Structure.INFRATENTORIAL),  # pons
        ((-30, -60, -40), Structure.INFRATENTORIAL),  # cerebellar hemisphere
        ((0, -22, -12), Structure.INFRATENTORIAL),  # midbrain
        ((12, -18, 8), Structure.INNER),  # thalamus
        ((26, 20, 24), Structure.INNER),  # frontal white matter
        ((-6, 16, 8), Structure.LATERAL_VENTRICLE),  # frontal horn
        ((24, -44, 10), Structure.LATERAL_VENTRICLE),  # trigone
        ((0, -40, -30), Structure.MIDLINE_VENTRICLE),  # fourth
        ((-46, -20, 60), Structure.CORTEX),  # central gyri
        ((0, 0, 90), Structure.OUTSIDE),
    ],
)
def test_the_atlas_has_each_structure_where_the_template_has_it(place, structure):
    atlas = load_atlas()
    right, front, up = place

    index = np.linalg.inv(atlas.affine) @ [-right, -front, up, 1.0]

    assert Structure(atlas.voxels[tuple(np.rint(index[:3]).astype(int))]) is structure


def test_left_mirrors_right():
    voxels = load_atlas().voxels

    assert (voxels == voxels[:, :, ::-1]).all()


def test_the_atlas_is_found_where_the_head_lies(scanned):
    found = align(scanned.flair, scanned.brain, load_atlas())

    places = GRID.positions_mm(np.argwhere(scanned.brain))
    error_mm = np.linalg.norm(places @ (found.matrix - MOVED)[:3, :3].T + (found.matrix - MOVED)[:3, 3], axis=1)
    assert error_mm.mean() < 1.5
    assert found.overlap > 0.97
    assert found.similarity > 0.9


def test_the_ventricles_are_those_of_the_head(scanned, mapped):
    truth = scanned.shares[[STRUCTURES[Structure.LATERAL_VENTRICLE], STRUCTURES[Structure.MIDLINE_VENTRICLE]]]
    expected = truth.sum(axis=0) > 0.5

    assert 2.0 * (mapped.ventricles & expected).sum() / (mapped.ventricles.sum() + expected.sum()) > 0.8


def test_cerebellum_and_brainstem_are_infratentorial(scanned, mapped):
    below = scanned.is_mostly(Structure.INFRATENTORIAL)

    assert (mapped.labels[below] == LABEL_OF_REGION[Region.INFRATENTORIAL]).mean() > 0.97
    assert (mapped.labels[~below] == LABEL_OF_REGION[Region.INFRATENTORIAL]).mean() < 0.01


def test_white_matter_next_to_a_lateral_ventricle_is_periventricular(scanned, mapped):
    """The row of voxels behind the trigone, from the fluid outwards: within 3 mm, that is one voxel of 2 mm."""
    labels = mapped.labels
    lateral = np.argwhere(scanned.is_mostly(Structure.LATERAL_VENTRICLE))
    slice_index, row, column = lateral[len(lateral) // 2]
    outwards = labels[slice_index, row, column:]
    beyond = int(np.flatnonzero(outwards != LABEL_OF_REGION[Region.PERIVENTRICULAR])[0])

    assert outwards[beyond] == LABEL_OF_REGION[Region.DEEP_WHITE_MATTER]


def test_the_surface_is_juxtacortical_and_the_middle_is_not(scanned, mapped):
    crown = scanned.brain[18] & ~np.roll(scanned.brain[18], 1, axis=0)

    assert (mapped.labels[18][crown] == LABEL_OF_REGION[Region.JUXTACORTICAL]).mean() > 0.95
    semioval = np.rint((np.linalg.inv(MOVED @ GRID.affine) @ [-26.0, 10.0, 34.0, 1.0])[:3]).astype(int)
    assert mapped.labels[tuple(semioval)] == LABEL_OF_REGION[Region.DEEP_WHITE_MATTER]


def test_nothing_is_said_of_what_lies_outside_the_brain(scanned, mapped):
    assert set(np.unique(mapped.labels[~scanned.brain])) == {0}
    assert mapped.labels[scanned.brain].min() > 0


def test_the_order_of_the_axes_changes_nothing(scanned, mapped):
    turned_affine = scanned.flair.affine[:, [2, 0, 1, 3]]
    turned = Volume(np.ascontiguousarray(scanned.flair.voxels.transpose(2, 0, 1)), turned_affine)

    found = map_regions(turned, np.ascontiguousarray(scanned.brain.transpose(2, 0, 1)), rule=RegionRule())

    assert (found.labels.transpose(1, 2, 0) == mapped.labels).all()


def test_a_ball_is_no_brain():
    z, y, x = np.indices((20, 64, 64))
    ball = ((z - 10) * 6.5) ** 2 + ((y - 32) * 3.0) ** 2 + ((x - 32) * 3.0) ** 2 < 60.0**2
    grid = Volume(np.where(ball, 100, 0).astype(np.uint16), axial_affine((6.5, 3.0, 3.0), origin_mm=(-96, -96, -65)))

    with pytest.raises(AlignmentError, match="the atlas"):
        align(grid, ball, load_atlas())


def test_a_brain_on_its_head_is_refused(scanned):
    flipped = scanned.flair.with_voxels(np.ascontiguousarray(scanned.flair.voxels[::-1]))

    with pytest.raises(AlignmentError, match="the atlas"):
        align(flipped, np.ascontiguousarray(scanned.brain[::-1]), load_atlas())


def test_an_empty_brain_mask_is_refused(scanned):
    with pytest.raises(AlignmentError, match="the brain mask is empty"):
        align(scanned.flair, np.zeros_like(scanned.brain), load_atlas())
