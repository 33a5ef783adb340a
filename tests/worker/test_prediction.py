"""A volume goes in, and labels, probabilities and lesions come out on its own grid."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.prediction import (
    BATCH_SIZE,
    NETWORK_SHARE,
    PREPARED_SHARE,
    Segmenter,
    on_source,
    shipped_weights,
)
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from inference_worker.reading_rule import ReadingRule
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.volume import Reorientation, Volume, axial_reorientation
from tests.worker.support import head_volume, plaques_of


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.load(threads=1)


@pytest.fixture(scope="module")
def found(segmenter):
    return segmenter.segment(head_volume())


class CancelledError(Exception):
    pass


def test_the_shipped_model_finds_plaques_of_a_phantom_and_little_else(found):
    truth = plaques_of()

    hit = found.labels.voxels[truth] > 0
    assert hit.mean() > 0.5
    assert np.count_nonzero(found.labels.voxels[~truth]) < 2 * np.count_nonzero(truth)


def test_every_array_lies_on_the_volume_s_grid(found):
    assert found.labels.shape == head_volume().shape
    np.testing.assert_array_equal(found.labels.affine, head_volume().affine)
    assert found.plaque_probability.dtype == found.active_probability.dtype == np.float32
    assert 0.0 <= found.plaque_probability.min() <= found.plaque_probability.max() <= 1.0
    assert (found.active_probability <= found.plaque_probability + 1e-6).all()
    assert not found.plaque_probability[~found.brain_mask].any()


def test_every_voxel_of_a_lesion_has_its_class_and_no_other_voxel_is_labelled(found):
    numbers = found.lesions.lesion_numbers

    np.testing.assert_array_equal(numbers > 0, found.labels.voxels > 0)
    for lesion in found.lesions.lesions:
        expected = 2 if lesion.lesion_class is LesionClass.ACTIVE else 1
        assert np.unique(found.labels.voxels[numbers == lesion.number]).tolist() == [expected]
        assert lesion.volume_ml * 1000.0 >= found.lesions.rule.minimum_volume_mm3
    assert set(found.seconds) == {"preprocessing", "network", "restoring", "lesions"}


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True)])
def test_axis_order_and_direction_change_nothing(segmenter, found, axes, flips):
    turned = Reorientation(axes, flips).apply_to(head_volume())

    again = segmenter.segment(turned)

    back = axial_reorientation(turned.affine)
    np.testing.assert_array_equal(back.apply(again.labels.voxels), found.labels.voxels)
    np.testing.assert_array_equal(back.apply(again.brain_mask), found.brain_mask)
    assert again.lesions.counts() == found.lesions.counts()


def test_a_series_that_is_not_axial_carries_a_warning(segmenter, found):
    sagittal = Reorientation((2, 0, 1), (False, False, False)).apply_to(head_volume())

    assert found.warnings == ()
    assert segmenter.segment(sagittal).warnings[0].startswith("The series is not axial")


def test_progress_rises_to_one_and_tells_the_stages_apart(segmenter):
    shares = []

    segmenter.segment(head_volume(), on_progress=shares.append)

    assert shares[0] == PREPARED_SHARE
    assert shares[-2:] == [pytest.approx(NETWORK_SHARE), 1.0]
    assert shares == sorted(shares)
    assert len(shares) == 2 + -(-16 // BATCH_SIZE)  # eight slices, and the same mirrored


def test_what_progress_raises_ends_the_work(segmenter):
    def cancel(share):
        if share > PREPARED_SHARE:
            raise CancelledError

    with pytest.raises(CancelledError):
        segmenter.segment(head_volume(), on_progress=cancel)


def test_batches_do_not_change_probabilities(segmenter):
    slices = Preprocessing().prepare(head_volume()).slices

    together = segmenter.probabilities(slices)
    alone = np.concatenate([segmenter.probabilities(slices[k : k + 1]) for k in range(len(slices))], axis=1)

    assert together.shape == (3, 8, 256, 256)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=0), 1.0, atol=1e-5)


def test_a_slice_without_a_brain_is_background_and_the_network_is_not_asked(segmenter):
    slices = Preprocessing().prepare(head_volume()).slices.copy()
    slices[[0, 5]] = 0.0
    asked = []

    probabilities = segmenter.probabilities(slices, asked.append)

    assert len(asked) == 6
    assert (probabilities[0, [0, 5]] == 1.0).all()
    assert (probabilities[1:, [0, 5]] == 0.0).all()
    np.testing.assert_allclose(probabilities[:, 1:5], segmenter.probabilities(slices[1:5]), atol=1e-5)


def reading(segmenter, rule):
    """The same network, read by another rule."""
    model = replace(segmenter.model, reading=rule)
    return Segmenter(segmenter.graph, model, threads=1, rule=CountingRule())


def slabs_of(slices):
    return np.stack([slices[max(0, k - 1) : k + 2].mean(axis=0) for k in range(len(slices))])


def test_everything_is_also_seen_mirrored_and_thin_slices_as_slabs(segmenter):
    slices = Preprocessing().prepare(head_volume()).slices
    both = reading(segmenter, ReadingRule(slab_mm=5.0, is_mirrored=True))

    def seen_twice(seen):
        return (both.probabilities(seen) + both.probabilities(seen[:, :, ::-1])[..., ::-1]) / 2

    thick, thin = both.read(slices, 3.0), both.read(slices, 2.0)

    np.testing.assert_allclose(thick, seen_twice(slices), atol=1e-5)
    np.testing.assert_allclose(thin, seen_twice(slabs_of(slices)), atol=1e-5)
    assert not np.allclose(thick, both.probabilities(slices), atol=0.01)
    assert not np.allclose(thin, thick, atol=0.01)


def test_the_answers_to_slices_and_slabs_are_averaged_where_nothing_is_mirrored(segmenter):
    """As models up to 1.3.0 are read."""
    slices = Preprocessing().prepare(head_volume()).slices
    first = reading(segmenter, ReadingRule(slab_mm=5.0, is_mirrored=False))

    thick, thin = first.read(slices, 3.0), first.read(slices, 2.0)

    once = first.probabilities(slices)
    np.testing.assert_array_equal(thick, once)
    np.testing.assert_allclose(thin, (once + first.probabilities(slabs_of(slices))) / 2, atol=1e-5)
    assert not np.allclose(thin, once, atol=0.01)


def test_labels_follow_the_threshold_and_the_larger_class():
    volume = head_volume()
    prepared = Preprocessing().prepare(volume)
    probabilities = np.zeros((3, 8, 256, 256), np.float32)
    for columns, (inactive, active) in ((slice(0, 128), (0.45, 0.1)), (slice(128, 256), (0.3, 0.3))):
        probabilities[1, ..., columns], probabilities[2, ..., columns] = inactive, active
    probabilities[:, :4] *= 0.5
    probabilities[0] = 1.0 - probabilities[1] - probabilities[2]

    source = on_source(probabilities, prepared, axial_reorientation(volume.affine), threshold=0.5)

    inside = prepared.brain_mask
    assert not source.labels[:4].any()
    assert not source.labels[~inside].any()
    assert (source.labels[4:, :, :40][inside[4:, :, :40]] == 1).all()
    assert (source.labels[4:, :, 56:][inside[4:, :, 56:]] == 2).all()
    assert source.plaque[4:][inside[4:]].min() == pytest.approx(0.55, abs=1e-3)


def test_a_larger_minimum_removes_lesions(found):
    largest = max(lesion.volume_ml for lesion in found.lesions.lesions) * 1000.0

    none = Segmenter.load(threads=1, rule=CountingRule(minimum_volume_mm3=largest * 1.01)).segment(head_volume())

    assert none.lesions.counts() == {LesionClass.INACTIVE: 0, LesionClass.ACTIVE: 0}
    assert not none.labels.voxels.any()
    assert none.plaque_probability.max() > 0.5


def test_a_volume_without_a_head_is_refused(segmenter):
    with pytest.raises(PreprocessingError):
        segmenter.segment(Volume(np.zeros((4, 64, 64), np.float32), head_volume().affine))


def test_missing_damaged_and_foreign_weights_and_devices_are_refused(tmp_path):
    (tmp_path / "noise.onnx").write_bytes(b"no graph")

    with pytest.raises(WeightsError, match=r"nowhere\.onnx are missing"):
        Segmenter.load(tmp_path / "nowhere.onnx")
    with pytest.raises(WeightsError, match="no ONNX graph that loads"):
        Segmenter.load(tmp_path / "noise.onnx")
    with pytest.raises(DeviceError, match="'tpu' is not available"):
        Segmenter.load(device="tpu")


def test_one_model_ships_with_its_card():
    weights = shipped_weights()

    for suffix in (".json", ".md", ".safetensors"):
        assert weights.with_suffix(suffix).is_file()
    assert weights.stat().st_size < 20e6
    facts, model = json.loads(weights.with_suffix(".json").read_text()), Segmenter.load().model
    assert (facts["name"], facts["version"], facts["sha256"]) == (model.name, model.version, model.sha256)
    assert "not validated" in facts["caveat"]


def test_inference_needs_no_torch():
    command = """
import sys
from dataclasses import replace
sys.modules["torch"] = None
from inference_worker.prediction import Segmenter
from inference_worker.commands import evaluate, preprocess, segment, synthesise
print(Segmenter.load(threads=1).model.name)
"""
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("deeplabv3plus_se_efficientnet_b0")
