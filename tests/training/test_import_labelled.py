"""`manage.py import_labelled`: cases with labels become studies with an approved version."""

import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.inference import services as inference
from plaqueview.inference.models import InferenceJob
from plaqueview.outbox import services as outbox
from plaqueview.pacs.nodes import NodeSetup, create_node
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user
from tests.training.scenes import write_cases
from tests.worker.support import plaques_of, write_pairs

pytestmark = pytest.mark.django_db


def imported(*paths) -> tuple[list[str], CommandError | None]:
    output = io.StringIO()
    try:
        call_command("import_labelled", *map(str, paths), stdout=output)
    except CommandError as error:
        return output.getvalue().splitlines(), error
    return output.getvalue().splitlines(), None


def test_a_case_becomes_a_study_with_an_approved_version(tmp_path):
    lines, error = imported(write_cases(tmp_path / "cases", "anna"))

    study, version = Study.objects.get(), Annotation.objects.get()
    assert error is None
    assert lines[-1] == "1 imported, 0 duplicate, 0 rejected"
    assert (study.state, study.current_annotation_id) == (StudyState.APPROVED, version.pk)
    assert (version.state, version.author.username, version.model_id) == (AnnotationState.APPROVED, "import", None)
    assert (version.active_count, version.inactive_count) == (2, 2)
    np.testing.assert_array_equal(mask_codec.decode(labels_of(version).content) > 0, plaques_of())


def test_a_case_of_pictures_is_the_case_of_its_volume_and_says_what_it_was(tmp_path):
    write_pairs(tmp_path / "cases" / "anna" / "visit1")
    write_pairs(tmp_path / "cases" / "berta")
    (tmp_path / "cases" / "berta" / "003-labels.png").unlink()

    lines, error = imported(tmp_path / "cases")

    study, version = Study.objects.get(), Annotation.objects.get()
    assert error is not None
    assert lines[1:] == [
        "rejected  slice 003-labels.png is missing or no picture, need a grey PNG",
        "1 imported, 0 duplicate, 1 rejected",
    ]
    assert (study.state, study.patient.patient_id) == (StudyState.APPROVED, "anna")
    assert (version.active_count, version.inactive_count) == (2, 2)
    assert version.warnings[0].endswith(
        "from PNG slices, with the spacing told beside them; where the head lay is not known."
    )
    np.testing.assert_array_equal(mask_codec.decode(labels_of(version).content) > 0, plaques_of())


def test_an_import_carries_no_evidence_and_nobody_here_approved_it(tmp_path):
    imported(write_cases(tmp_path / "cases", "anna", classes=False))

    version = Annotation.objects.get()
    assert [lesion.evidence for lesion in version.lesions.all()] == [None] * 4
    assert (version.active_count, version.inactive_count, version.review.count()) == (0, 4, 0)
    assert version.warnings == ["Imported with its labels, which name no class: every plaque is shown as inactive."]


def test_the_network_is_not_asked_to_read_an_imported_study(tmp_path):
    imported(write_cases(tmp_path / "cases", "anna"))

    with pytest.raises(ConflictError, match="the study is approved"):
        inference.request(study_id=Study.objects.get().pk, actor=None)
    assert InferenceJob.objects.count() == 0


def test_two_visits_in_the_folder_of_a_patient_are_of_one_patient(tmp_path):
    imported(write_cases(tmp_path / "cases", "anna/first", "anna/second", "berta/first"))

    patients = Study.objects.order_by("patient__patient_id").values_list("patient__patient_id", flat=True)
    assert list(patients) == ["anna", "anna", "berta"]


def test_importing_again_changes_nothing(tmp_path):
    folder = write_cases(tmp_path / "cases", "anna")
    imported(folder)

    lines, error = imported(folder)

    assert error is None
    assert lines[-1] == "0 imported, 1 duplicate, 0 rejected"
    assert Annotation.objects.count() == 1


def test_labels_on_another_grid_are_rejected_with_their_study(tmp_path):
    folder = write_cases(tmp_path / "cases", "anna")
    labels = read_volume_nifti(folder / "anna" / "labels.nii.gz")
    write_volume_nifti(folder / "anna" / "labels.nii.gz", type(labels)(labels.voxels[1:], labels.affine))

    lines, error = imported(folder)

    assert error is not None
    assert lines == [
        "rejected  anna: the labels lie on another grid than the FLAIR",
        "0 imported, 0 duplicate, 1 rejected",
    ]
    assert Study.objects.count() == 0


def test_an_import_is_not_sent_to_a_node_by_request(tmp_path):
    imported(write_cases(tmp_path / "cases", "anna"))
    study = Study.objects.get()
    setup = NodeSetup(name="Archive", kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=9)
    node = create_node(setup=setup, site_id="", actor=make_user(Role.ADMIN, site=study.site))
    reader = make_user(Role.NEUROLOGIST, site=study.site)

    with pytest.raises(ConflictError, match="imported with its labels"):
        outbox.request(annotation_id=study.current_annotation_id, node_id=node.pk, actor=reader)
