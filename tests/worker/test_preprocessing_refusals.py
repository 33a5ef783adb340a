"""What is no head, and a mask that is no brain, are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from inference_worker.mask_checks import MaskChecks, check_mask
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from plaqueview.imaging.volume import Volume

CHECKS = MaskChecks()


@pytest.mark.parametrize(
    ("voxels", "message"),
    [
        (np.zeros((4, 64, 64)), "the volume is constant at 0, need an image of a head"),
        (np.full((4, 64, 64), np.nan), "16384 voxels are not finite, need 0"),
        (np.eye(64)[None].repeat(4, 0), "no voxel lies 25 mm under the surface of a head, need at least 1"),
    ],
)
def test_what_is_no_head_is_refused(voxels, message):
    volume = Volume(voxels.astype(np.float32), np.diag([5.0, 1.0, 1.0, 1.0]))

    with pytest.raises(PreprocessingError, match=message):
        Preprocessing().prepare(volume)


def test_noise_is_refused():
    noise = np.random.default_rng(0).rayleigh(50.0, (10, 200, 200)).astype(np.float32)

    with pytest.raises(PreprocessingError, match=r"brain mask: (area|centre|area changes).* slice \d+.*, need"):
        Preprocessing().prepare(Volume(noise, np.diag([5.0, 1.0, 1.0, 1.0])))


def disks(*radii: int, offset: int = 0) -> np.ndarray:
    y, x = np.mgrid[-100:100, -100 - offset : 100 - offset]
    return np.stack([np.hypot(y, x) < radius for radius in radii]).astype(np.uint8)


HEAD = disks(90, 90, 90)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (disks(30, 40, 30), r"area on slice 1 is 50\d\d mm², need 6000 to 28000"),
        (disks(60, 96, 60), r"area on slice 1 is 28\d\d\d mm², need 6000 to 28000"),
        (disks(50, 55, 50, offset=30), "centre on slice 1 is 30 mm from the head's, need at most 20"),
        (disks(70, 68, 20), "area changes by 91% from slice 1 to slice 2, need at most 70%"),
    ],
)
def test_a_mask_that_is_no_brain_is_reported_with_its_slice(mask, message):
    with pytest.raises(PreprocessingError, match=message):
        check_mask(mask, HEAD, spacing_mm=(5.0, 1.0), checks=CHECKS)


def test_a_mask_that_is_a_brain_passes():
    check_mask(disks(55, 70, 60), HEAD, spacing_mm=(5.0, 1.0), checks=CHECKS)


@pytest.mark.parametrize(("slice_mm", "allowed"), [(1.0, 0.42), (3.0, 0.56), (6.5, 0.805), (9.0, 0.85)])
def test_thicker_slices_may_change_more(slice_mm, allowed):
    assert CHECKS.allowed_change(slice_mm) == pytest.approx(allowed)
    assert replace(CHECKS, largest_change=0.4).allowed_change(slice_mm) == 0.4
