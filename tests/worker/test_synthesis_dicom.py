"""Synthetic series as DICOM: valid, clearly synthetic, and always the same bytes."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from inference_worker.__main__ import main
from inference_worker.synthesis import Slices, SynthesisRequest, SyntheticPatient, Visit, synthesise, write_dicom_series
from inference_worker.synthesis.demo_patients import DEMO_PATIENTS, write_patient
from inference_worker.synthesis.dicom_series import FLAIR, LOCALIZER, T1
from plaqueview.imaging.dicom_header import series_header
from plaqueview.imaging.dicom_read import read_volume
from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.series_choice import choose_flair

VISIT = Visit(SyntheticPatient("Synthetic^Test", "SYN-0099", "19700101", "F"), "20240102", "101112", "SYN99")
SMALL_STACK = Slices(count=9, rows=64, columns=72, pixel_mm=(3.0, 3.2), thickness_mm=6.0, spacing_mm=14.0)
SMALL = SynthesisRequest(active_count=1, inactive_count=4, slices=replace(SMALL_STACK, pitch_degrees=-8.0))


@pytest.fixture(scope="module")
def flair():
    return synthesise(SMALL, np.random.default_rng(0)).flair


@pytest.fixture(scope="module")
def patient_files(tmp_path_factory):
    """The first demo patient on a small stack: two visits of three series."""
    demo = DEMO_PATIENTS[0]
    small = replace(demo, request=replace(demo.request, slices=SMALL_STACK))
    return write_patient(tmp_path_factory.mktemp("demo"), small)


def test_the_series_reads_back_as_the_volume(flair, tmp_path):
    paths = write_dicom_series(tmp_path / "flair", flair, visit=VISIT)

    stacked = read_volume([dcmread(path) for path in reversed(paths)])

    assert len(paths) == 9
    assert (stacked.volume.voxels == flair.voxels).all()
    np.testing.assert_allclose(stacked.volume.affine, flair.affine, atol=1e-4)


def test_writing_again_changes_no_byte(flair, tmp_path):
    first = write_dicom_series(tmp_path / "first", flair, visit=VISIT)
    second = write_dicom_series(tmp_path / "second", flair, visit=VISIT)

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("value", [-1, 65_536])
def test_a_value_that_the_series_cannot_hold_is_refused_before_a_file_is_written(flair, tmp_path, value):
    voxels = flair.voxels.astype(np.int32)
    voxels[0, 0, 0] = value

    with pytest.raises(ValueError, match=f"voxels are from .*{value}.*, need 0 to 65535"):
        write_dicom_series(tmp_path / "flair", flair.with_voxels(voxels), visit=VISIT)

    assert not (tmp_path / "flair").exists()


def test_nobody_can_take_it_for_a_person(flair, tmp_path):
    dataset = dcmread(write_dicom_series(tmp_path, flair, visit=VISIT)[0])

    assert dataset.PatientName == "Synthetic^Test"
    assert dataset.IssuerOfPatientID == "PLAQUEVIEW-SYNTHETIC"
    assert dataset.PatientComments == "Synthetic: drawn by a program, not a person"
    assert dataset.InstitutionName == "Synthetic Hospital"


def test_the_header_is_a_flairs(flair, tmp_path):
    dataset = dcmread(write_dicom_series(tmp_path, flair, visit=VISIT)[4])

    assert dataset.SOPClassUID.name == "MR Image Storage"
    assert list(dataset.ScanningSequence) == ["SE", "IR"]
    assert (dataset.InversionTime, dataset.EchoTime, dataset.RepetitionTime) == (2500, 120, 9000)
    assert dataset.SeriesDescription == "t2_tirm_tra_dark-fluid"
    assert (dataset.InstanceNumber, dataset.SpacingBetweenSlices) == (5, 14)
    assert list(dataset.PixelSpacing) == [3.0, 3.2]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed")
@pytest.mark.parametrize("acquisition", [FLAIR, T1, LOCALIZER], ids=lambda acquisition: acquisition.description)
def test_an_independent_validator_finds_nothing(flair, tmp_path, acquisition):
    path = write_dicom_series(tmp_path, flair, visit=VISIT, acquisition=acquisition)[0]

    found = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)

    lines = [line for line in (found.stdout + found.stderr).splitlines() if line.startswith(("Error", "Warning"))]
    assert lines == []


def test_demo_patients_are_two_with_three_studies():
    assert [demo.patient.name for demo in DEMO_PATIENTS] == ["Synthetic^Anna", "Synthetic^Boris"]
    assert [demo.patient.patient_id for demo in DEMO_PATIENTS] == ["SYN-0001", "SYN-0002"]
    assert [len(demo.visits) for demo in DEMO_PATIENTS] == [2, 1]


def test_a_demo_patient_has_a_prior_and_a_choice_of_series(patient_files):
    datasets = [dcmread(path) for path in patient_files]
    studies = {dataset.StudyInstanceUID for dataset in datasets}

    assert len(studies) == 2
    assert {dataset.PatientID for dataset in datasets} == {"SYN-0001"}
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == len(datasets) == 2 * (3 + 9 + 9)
    for study in studies:
        series = {}
        for dataset in datasets:
            if dataset.StudyInstanceUID == study:
                series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
        choice = choose_flair([series_header(instances, is_nifti=False) for instances in series.values()])
        assert len(series) == 3
        assert series[choice.flair][0].SeriesDescription == "t2_tirm_tra_dark-fluid"


def test_the_command_writes_studies_with_their_truth(tmp_path, capsys):
    assert main(["synthesise", "--output", str(tmp_path), "--seed", "3"]) == 0

    folder = tmp_path / "synthetic00003"
    flair, labels = (read_volume_nifti(folder / name) for name in ("flair.nii.gz", "labels.nii.gz"))
    assert flair.shape == labels.shape
    assert (flair.affine == labels.affine).all()
    assert set(np.unique(labels.voxels)) <= {0, 1, 2}
    assert '"seed": 3' in capsys.readouterr().out


def test_the_command_says_what_it_needs(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["synthesise"])

    assert stopped.value.code == 2
    assert "--output" in capsys.readouterr().err
