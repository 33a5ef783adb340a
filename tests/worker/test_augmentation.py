"""Augmentation changes what a scanner would change, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from inference_worker.augmentation import augment, brain_middle, placement, plaque_contrast, transform
from inference_worker.config import AugmentationConfig

STILL = AugmentationConfig(rotation_degrees=0.0, scale=(1.0, 1.0), shear=0.0, shift=0.0, probability=0.0)
# No change that a probability of one would bring, but that of plaques.
NO_SCANNER = {
    "lowest_resolution": 1.0,
    "blur_sigma": (1e-3, 1e-3),
    "bias_field": 0.0,
    "gamma": (1.0, 1.0),
    "contrast": (1.0, 1.0),
    "brightness": 0.0,
    "noise": 0.0,
}


def brain():
    """A bright disk off the middle with a brighter square in it, and the square's label."""
    rows, columns = np.mgrid[0:256, 0:256]
    slice_ = np.where(np.hypot(rows - 110, columns - 140) < 70, 0.4, 0.0).astype(np.float32)
    labels = np.zeros((256, 256), np.uint8)
    slice_[100:112, 150:166], labels[100:112, 150:166] = 0.7, 3
    return slice_, labels


def test_the_same_seed_gives_the_same_slice():
    first = augment(*brain(), size=192, config=AugmentationConfig(), generator=np.random.default_rng(3))
    again = augment(*brain(), size=192, config=AugmentationConfig(), generator=np.random.default_rng(3))

    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("seed", range(20))
def test_range_dtype_labels_and_darkness_outside_the_brain_hold(seed):
    config = replace(AugmentationConfig(), probability=1.0)

    slice_, labels = augment(*brain(), size=192, config=config, generator=np.random.default_rng(seed))

    assert slice_.shape == labels.shape == (192, 192)
    assert (slice_.dtype, labels.dtype) == (np.float32, np.uint8)
    assert 0.0 <= slice_.min() <= slice_.max() <= 1.0
    assert set(np.unique(labels)) == {0, 3}
    assert 0.02 < np.count_nonzero(slice_) / slice_.size < 0.95


@pytest.mark.parametrize("seed", range(10))
def test_labels_move_with_the_slice(seed):
    config = replace(AugmentationConfig(), probability=0.0)

    slice_, labels = augment(*brain(), size=256, config=config, generator=np.random.default_rng(seed))

    overlap = np.count_nonzero((slice_ > 0.55) & (labels > 0))
    assert 2 * overlap / (np.count_nonzero(slice_ > 0.55) + np.count_nonzero(labels)) > 0.9


def test_plaques_become_fainter_and_the_tissue_around_them_stays():
    slice_, labels = brain()
    config = replace(AugmentationConfig(), plaque_contrast=(0.5, 0.5))

    found = plaque_contrast(slice_, labels, config, np.random.default_rng(0))

    np.testing.assert_allclose(found[103:109, 153:163], 0.55, atol=1e-3)
    np.testing.assert_array_equal(found[:95], slice_[:95])
    np.testing.assert_array_equal(found[117:], slice_[117:])


def test_a_slice_without_plaques_or_without_tissue_beside_them_stays():
    slice_, labels = brain()
    config = replace(AugmentationConfig(), plaque_contrast=(0.3, 0.3))
    everywhere = np.where(slice_ > 0.0, 3, 0).astype(np.uint8)

    for each in (np.zeros_like(labels), everywhere):
        np.testing.assert_array_equal(plaque_contrast(slice_, each, config, np.random.default_rng(0)), slice_)


def test_the_contrast_of_plaques_is_changed_only_where_it_is_asked_for():
    slice_, labels = brain()
    plain, changed = (
        augment(slice_, labels, size=256, config=config, generator=np.random.default_rng(1))[0]
        for config in (STILL, replace(STILL, probability=1.0, plaque_contrast=(0.5, 0.5), **NO_SCANNER))
    )

    assert plain.max() == pytest.approx(0.7, abs=1e-3)
    assert changed.max() < 0.62


def test_without_changes_the_brain_is_only_centred_or_mirrored():
    slice_, labels = brain()
    for seed in range(4):
        found, found_labels = augment(slice_, labels, size=256, config=STILL, generator=np.random.default_rng(seed))

        assert brain_middle(found) == pytest.approx([127.5, 127.5], abs=4.0)
        assert np.count_nonzero(found_labels) == pytest.approx(np.count_nonzero(labels), rel=0.25)


def test_scale_above_one_enlarges():
    slice_, labels = brain()
    config = replace(STILL, scale=(1.3, 1.3))

    areas = []
    for seed in range(8):
        matrix = placement(slice_, 256, config, np.random.default_rng(seed))
        areas.append(np.count_nonzero(transform(slice_, labels, matrix, 256)[0]))

    assert np.mean(areas) == pytest.approx(1.3**2 * np.count_nonzero(slice_), rel=0.05)


def test_a_black_slice_stays_black():
    black = np.zeros((256, 256), np.float32)

    slice_, labels = augment(
        black, black.astype(np.uint8), size=192, config=AugmentationConfig(), generator=np.random.default_rng(0)
    )

    assert not slice_.any()
    assert not labels.any()
