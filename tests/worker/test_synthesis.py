"""Synthetic studies: plaques are where, how large and of the class that the study says."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from inference_worker.synthesis import (
    Slices,
    SynthesisRequest,
    draw_request,
    synthesise,
    synthesise_with_prior,
)
from inference_worker.synthesis.atlas import ATLAS_FILE, load_atlas
from inference_worker.synthesis.plaques import Plaque, Region
from inference_worker.synthesis.sampling import Mosaic, smooth_noise
from inference_worker.synthesis.scanner import Pose
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.lesions import CountingRule, measure_lesions

SMALL_STACK = Slices(count=22, rows=128, columns=128, pixel_mm=(1.8, 1.8), thickness_mm=5.0, spacing_mm=6.2)
APART = SynthesisRequest(active_count=3, inactive_count=6, confluence=0.0, slices=SMALL_STACK)


@pytest.fixture(scope="module")
def study():
    return synthesise(APART, np.random.default_rng(5))


def test_the_same_seed_gives_the_same_study(study):
    again = synthesise(APART, np.random.default_rng(5))

    assert again.flair.voxels.tobytes() == study.flair.voxels.tobytes()
    assert again.labels.voxels.tobytes() == study.labels.voxels.tobytes()
    assert again.lesions == study.lesions


def test_another_seed_gives_another_person(study):
    other = synthesise(APART, np.random.default_rng(6))

    assert (other.flair.voxels != study.flair.voxels).mean() > 0.5


def test_the_study_lies_on_the_stack_that_was_asked_for(study):
    assert study.flair.shape == study.labels.shape == (22, 128, 128)
    assert study.flair.voxels.dtype == np.uint16
    assert study.labels.voxels.dtype == np.uint8
    assert study.flair.spacing_mm == pytest.approx((6.2, 1.8, 1.8))
    assert (study.flair.affine == study.labels.affine).all()


def test_every_plaque_is_found_with_its_class_place_and_size(study):
    table = measure_lesions(study.labels, None, rule=CountingRule())

    assert len(table.lesions) == len(study.lesions) == 9
    for known in study.lesions:
        gaps = [np.linalg.norm(np.subtract(found.centroid_mm, known.centre_mm)) for found in table.lesions]
        nearest = table.lesions[int(np.argmin(gaps))]
        assert nearest.lesion_class == known.lesion_class
        assert nearest.volume_ml == pytest.approx(known.labelled_ml, rel=1e-6)
        assert min(gaps) < 2.5  # labels are cut at a share of thick voxels


def test_plaques_are_brighter_than_white_matter_and_active_ones_brightest():
    request = SynthesisRequest(active_count=12, inactive_count=12, size_factor=1.3, confluence=0.0, slices=SMALL_STACK)
    study = synthesise(request, np.random.default_rng(8))
    voxels, labels = study.flair.voxels, study.labels.voxels

    brain = np.median(voxels[voxels > voxels.mean()])
    inactive, active = (np.median(voxels[labels == LABEL_OF_CLASS[one]]) for one in LesionClass)

    assert 1.15 * brain < inactive < active


def test_without_plaques_there_are_no_labels():
    study = synthesise(replace(APART, active_count=0, inactive_count=0), np.random.default_rng(1))

    assert study.lesions == ()
    assert not study.labels.voxels.any()


def test_an_earlier_visit_shows_the_same_head_with_less_disease():
    request = replace(APART, active_count=6, inactive_count=14)

    before, now = synthesise_with_prior(request, np.random.default_rng(3))

    assert sum(lesion.volume_ml for lesion in before.lesions) < sum(lesion.volume_ml for lesion in now.lesions)
    active = [[lesion.lesion_class for lesion in visit.lesions].count(LesionClass.ACTIVE) for visit in (before, now)]
    assert active[0] < active[1]
    assert before.flair.shape == now.flair.shape
    assert not np.allclose(before.flair.affine, now.flair.affine, atol=0.1)


def test_a_suppressed_scalp_is_darker_than_brain():
    healthy = replace(APART, active_count=0, inactive_count=0)

    plain, suppressed = (
        synthesise(replace(healthy, fat_suppressed=is_suppressed), np.random.default_rng(2)).flair.voxels[14]
        for is_suppressed in (False, True)
    )

    for voxels, brightest_is_scalp in ((plain, True), (suppressed, False)):
        brain = np.median(voxels[50:80, 50:80])
        assert (np.percentile(voxels, 99.5) > 1.7 * brain) is np.bool_(brightest_is_scalp)


def test_drawn_requests_vary_in_protocol_load_and_contrast():
    requests = [draw_request(np.random.default_rng(seed)) for seed in range(60)]

    assert len({request.slices.count for request in requests}) >= 4
    assert {request.fat_suppressed for request in requests} == {True, False}
    counts = [request.active_count + request.inactive_count for request in requests]
    assert min(counts) < 10
    assert max(counts) > 40
    assert draw_request(np.random.default_rng(0)) == requests[0]


# --- parts ----------------------------------------------------------------------------------------------------------


def test_a_plaque_without_waves_is_an_ellipsoid():
    plaque = Plaque(
        lesion_class=LesionClass.INACTIVE,
        region=Region.DEEP_WHITE,
        centre_mm=np.array([1.0, -2.0, 3.0]),
        axes_mm=np.diag([6.0, 4.0, 3.0]),
        waves=np.zeros((0, 4)),
        brightness=1.5,
        edge_mm=0.5,
        oedema=0.0,
        is_ring=False,
    )
    axis = np.arange(-10, 10, 0.25, dtype=np.float32)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1) + plaque.centre_mm.astype(np.float32)

    distance = plaque.border_distance_mm(points)

    assert (distance < 0).sum() * 0.25**3 == pytest.approx(4 / 3 * np.pi * 6 * 4 * 3, rel=0.01)
    assert plaque.signal(distance).max() == pytest.approx(0.5)
    assert plaque.signal(distance)[distance > 1.0].max() == 0.0
    assert plaque.scaled(0.5).axes_mm.max() == 3.0


def test_a_mosaic_reads_what_lies_between_the_planes():
    z, y, x = np.meshgrid(np.arange(5.0), np.arange(7.0), np.arange(9.0), indexing="ij")
    mosaic = Mosaic.of((z + 10 * y + 100 * x).astype(np.float32), (2 * x).astype(np.float32))
    generator = np.random.default_rng(0)
    plane, row, column = (
        generator.integers(0, 32 * (length - 1), (20, 30)).astype(np.float32) / 32 for length in (5, 7, 9)
    )

    values = mosaic.sample(plane, row, column)

    np.testing.assert_allclose(values[..., 0], plane + 10 * row + 100 * column, atol=0.05)
    np.testing.assert_allclose(values[..., 1], 2 * column, atol=0.01)


def test_noise_has_mean_0_and_deviation_1_and_is_smooth():
    noise = smooth_noise((40, 50, 60), np.random.default_rng(0), step=8.0)

    assert float(noise.mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(noise.std()) == pytest.approx(1.0, abs=1e-4)
    assert np.abs(np.diff(noise, axis=2)).mean() < 0.15


def test_a_pose_has_a_way_back():
    pose = Pose.draw(np.random.default_rng(0))
    points = np.random.default_rng(1).uniform(-100, 100, (50, 3))

    np.testing.assert_allclose(pose.to_head(pose.to_patient(points).astype(np.float32)), points, atol=1e-3)


def test_the_atlas_is_small_and_mirrored():
    atlas = load_atlas()

    assert ATLAS_FILE.stat().st_size < 600_000
    assert (atlas.outside == atlas.outside[:, :, ::-1]).all()
    assert atlas.grey_matter.max() <= 1.0
    brain_ml = (atlas.grey_matter + atlas.white_matter).sum() * 1.5**3 / 1000
    assert brain_ml == pytest.approx(1500, rel=0.25)


def test_nothing_is_needed_that_a_clinic_does_not_have():
    program = """
import sys
sys.modules["nilearn"] = sys.modules["torch"] = None
from inference_worker.synthesis import synthesise
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
