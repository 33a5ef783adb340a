"""The paper's PNG pairs are read as the NIfTI pair of the same study is, and refused when they make no study."""

import cv2
import numpy as np
import pytest

from inference_worker.dataset import find_studies, prepare_study, read_pair
from inference_worker.labels import LabelError
from inference_worker.preprocessing import Preprocessing
from plaqueview.imaging.png_pairs import PngPairsError, read_png_pairs
from tests.worker.support import write_pairs, write_study


def test_a_study_of_pictures_is_the_study_of_its_volume(tmp_path):
    write_pairs(tmp_path / "png" / "anna" / "visit1")
    write_study(tmp_path / "nifti" / "anna" / "visit1", classes=True)

    (pictures,), (volume,) = (find_studies(tmp_path / kind) for kind in ("png", "nifti"))
    found, wanted = (prepare_study(files, Preprocessing()) for files in (pictures, volume))

    assert (pictures.patient, pictures.name) == ("anna", "anna/visit1")
    assert found.slice_mm == wanted.slice_mm == 8.0
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert np.abs(found.slices.astype(int) - wanted.slices).max() <= 2


def test_rows_go_to_the_back_and_columns_to_the_left(tmp_path):
    write_pairs(tmp_path / "anna", (8.0, 2.2, 1.1))

    flair, labels = read_pair(find_studies(tmp_path)[0])

    np.testing.assert_allclose(flair.affine @ [1, 0, 0, 1], [0, 0, 8.0, 1])
    np.testing.assert_allclose(flair.affine @ [0, 1, 0, 1], [0, 2.2, 0, 1])
    np.testing.assert_allclose(flair.affine @ [0, 0, 1, 1], [1.1, 0, 0, 1])
    assert np.unique(labels.voxels).tolist() == [0, 1, 2]


def leave_out_labels(folder):
    (folder / "003-labels.png").unlink()


def leave_out_flair(folder):
    (folder / "003-flair.png").unlink()


def colour(folder):
    cv2.imwrite(str(folder / "003-flair.png"), np.zeros((96, 96, 3), np.uint8))


def shrink(folder):
    cv2.imwrite(str(folder / "003-flair.png"), np.zeros((95, 96), np.uint8))


def flatten(folder):
    (folder / "spacing_mm.json").write_text("[8.0, 0, 2.2]")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (leave_out_labels, "slice 003-labels.png is missing or no picture"),
        (leave_out_flair, r"slices \['003-labels.png'\] belong to no NAME-flair.png, need one for each"),
        (colour, "slice 003-flair.png is of 3 colours"),
        (shrink, r"slice 003-flair.png is \(95, 96\), the first is \(96, 96\)"),
        (flatten, r"holds \[8.0, 0.0, 2.2\], need 3 lengths in mm above 0"),
    ],
)
def test_what_makes_no_study_is_refused_by_name(tmp_path, spoil, reason):
    write_pairs(tmp_path / "anna")
    spoil(tmp_path / "anna")

    with pytest.raises(PngPairsError, match=reason):
        read_png_pairs(tmp_path / "anna")


def test_a_grey_of_no_class_is_refused(tmp_path):
    write_pairs(tmp_path / "anna")
    cv2.imwrite(str(tmp_path / "anna" / "003-labels.png"), np.full((96, 96), 99, np.uint8))

    with pytest.raises(LabelError, match="99"):
        read_pair(find_studies(tmp_path)[0])
