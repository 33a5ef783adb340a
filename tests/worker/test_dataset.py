"""Studies on disk become training slices that stay together by patient."""

import numpy as np
import pytest

from inference_worker.dataset import (
    DatasetError,
    LabelledStudy,
    find_studies,
    load_studies,
    patient_folds,
    prepare_study,
    read_pair,
    split_by_patient,
)
from inference_worker.preprocessing import Preprocessing
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.worker.support import head_volume, plaques_of, write_study


def study_of(patient, name):
    return LabelledStudy(patient, name, np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 2), np.uint8), 7.0)


def test_two_visits_belong_to_one_patient(tmp_path):
    write_study(tmp_path / "anna" / "2024", classes=True)
    write_study(tmp_path / "anna" / "2025", classes=False)
    write_study(tmp_path / "berta", classes=False)

    found = find_studies(tmp_path)

    assert [(study.patient, study.name) for study in found] == [
        ("anna", "anna/2024"),
        ("anna", "anna/2025"),
        ("berta", "berta"),
    ]
    assert [study.labels.name for study in found] == ["labels.nii.gz", "lesion.nii.gz", "lesion.nii.gz"]


def test_a_folder_without_studies_or_labels_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no flair\.nii\.gz"):
        find_studies(tmp_path)

    write_study(tmp_path / "anna", classes=True)
    (tmp_path / "anna" / "labels.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"study anna has no labels, need labels\.nii\.gz or lesion\.nii\.gz"):
        find_studies(tmp_path)


def test_plaques_land_where_the_network_sees_them(tmp_path):
    write_study(tmp_path / "anna", classes=True)

    study = prepare_study(find_studies(tmp_path)[0], Preprocessing())

    assert study.slices.shape == study.labels.shape == (8, 256, 256)
    assert study.plaque_slices.tolist() == [3, 4, 5]
    brightness = [study.slices[study.labels == label].mean() for label in (1, 2)]
    assert min(brightness) > 1.3 * np.median(study.slices[study.slices > 0])
    # The brain's 73 rows of the source are 256 of the network's: a plaque of 4 x 4 becomes one of 14.0 x 14.0.
    assert np.count_nonzero(study.labels == 1) == pytest.approx(2 * (4 * 256 / 73) ** 2, rel=0.1)


def test_axis_order_of_the_files_does_not_matter(tmp_path):
    write_study(tmp_path / "anna", classes=True)
    files = find_studies(tmp_path)[0]
    expected, expected_labels = read_pair(files)
    for path in (files.flair, files.labels):
        volume = read_volume_nifti(path)
        step = np.diag([1.0, -1.0, 1.0, 1.0])
        step[1, 3] = volume.shape[1] - 1
        write_volume_nifti(path, Volume(volume.voxels[:, ::-1], volume.affine @ step))

    flair, labels = read_pair(files)

    np.testing.assert_array_equal(flair.voxels, expected.voxels)
    np.testing.assert_array_equal(labels.voxels, expected_labels.voxels)


def test_labels_elsewhere_are_refused(tmp_path):
    write_study(tmp_path / "anna", classes=False)
    moved = head_volume().affine.copy()
    moved[0, 3] += 1.0
    write_volume_nifti(tmp_path / "anna" / "lesion.nii.gz", Volume(plaques_of().astype(np.uint8), moved))

    with pytest.raises(DatasetError, match=r"study anna: labels of shape .* lie elsewhere"):
        read_pair(find_studies(tmp_path)[0])


def test_the_cache_answers_until_a_file_changes(tmp_path):
    write_study(tmp_path / "data" / "anna", classes=False)
    files = find_studies(tmp_path / "data")

    first = load_studies(files, Preprocessing(), cache=tmp_path / "cache")[0]
    again = load_studies(files, Preprocessing(), cache=tmp_path / "cache")[0]
    write_volume_nifti(files[0].labels, head_volume().with_voxels(np.zeros((8, 96, 96), np.uint8)))
    changed = load_studies(files, Preprocessing(), cache=tmp_path / "cache")[0]

    np.testing.assert_array_equal(first.slices, again.slices)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.labels.any()
    assert not changed.labels.any()
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 2


def test_folds_are_disjoint_even_and_the_same_for_the_same_seed():
    patients = [f"patient{number}" for number in range(11)] * 2

    folds = patient_folds(patients, fold_count=4, seed=1)

    assert sorted(len(fold) for fold in folds) == [2, 3, 3, 3]
    assert sorted(name for fold in folds for name in fold) == sorted(set(patients))
    assert folds == patient_folds(patients[::-1], fold_count=4, seed=1)
    assert folds != patient_folds(patients, fold_count=4, seed=2)
    with pytest.raises(DatasetError, match="11 patients cannot make 12 folds"):
        patient_folds(patients, fold_count=12, seed=1)


def test_a_patient_is_never_on_both_sides():
    studies = [study_of("anna", "anna/1"), study_of("berta", "berta"), study_of("anna", "anna/2")]

    kept, apart = split_by_patient(studies, ["anna"])

    assert [study.name for study in kept] == ["berta"]
    assert [study.name for study in apart] == ["anna/1", "anna/2"]
    with pytest.raises(DatasetError, match=r"\['clara'\] to hold out"):
        split_by_patient(studies, ["clara"])
