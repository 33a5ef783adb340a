"""`manage.py import_studies`: a line per file, a summary, and an exit status that scripts can rely on."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from plaqueview.core.storage import stored_path
from plaqueview.studies.models import Instance, Study, StudyState
from tests.studies.dicom_files import encoded, series, zipped
from tests.studies.taken_uploads import nifti_bytes

pytestmark = pytest.mark.django_db


def imported(*paths, **options) -> tuple[list[str], CommandError | None]:
    """The lines on standard output, and the error that the command ended with."""
    output, error = StringIO(), None
    try:
        call_command("import_studies", *map(str, paths), stdout=output, **options)
    except CommandError as raised:
        error = raised
    return output.getvalue().splitlines(), error


def test_a_folder_a_zip_and_a_nifti_are_imported(tmp_path):
    datasets = series(10)
    folder = tmp_path / "study" / "Žiga"
    folder.mkdir(parents=True)
    for index, dataset in enumerate(datasets[:7]):
        (folder / f"IM{index}").write_bytes(encoded(dataset))
    archive = tmp_path / "rest.zip"
    archive.write_bytes(zipped({f"a/IM{index}": encoded(one) for index, one in enumerate(datasets[7:])}))
    nifti = tmp_path / "case_flair.nii"
    nifti.write_bytes(nifti_bytes())

    lines, error = imported(tmp_path / "study", archive, nifti)

    assert error is None
    assert lines == [
        f"accepted  {archive}: a/IM0",
        f"accepted  {archive}: a/IM1",
        f"accepted  {archive}: a/IM2",
        *(f"accepted  {folder / f'IM{index}'}" for index in range(7)),
        f"accepted  {nifti}",
        "11 files: 11 accepted, 0 duplicate, 0 conflict, 0 rejected; 2 studies",
    ]
    assert set(Study.objects.values_list("state", flat=True)) == {StudyState.QUEUED}


def test_the_users_files_stay_as_they_are(tmp_path):
    path = tmp_path / "IM0"
    content = encoded(series(1)[0])
    path.write_bytes(content)

    imported(path)
    path.write_bytes(b"overwritten later")

    assert stored_path(Instance.objects.get().storage_key).read_bytes() == content


def test_anything_rejected_ends_with_status_1(tmp_path):
    (tmp_path / "IM0").write_bytes(encoded(series(1)[0]))
    (tmp_path / "LICENSE").write_text("All rights reserved")

    lines, error = imported(tmp_path)

    assert error.returncode == 1
    assert lines[-2:] == [
        f"rejected  {tmp_path / 'LICENSE'}: not DICOM: no DICM prefix at byte 128, need a Part 10 file",
        "2 files: 1 accepted, 0 duplicate, 0 conflict, 1 rejected; 1 studies",
    ]


def test_importing_again_is_no_error(tmp_path):
    (tmp_path / "IM0").write_bytes(encoded(series(1)[0]))
    imported(tmp_path)

    lines, error = imported(tmp_path)

    assert error is None
    assert lines[-1] == "1 files: 0 accepted, 1 duplicate, 0 conflict, 0 rejected; 1 studies"


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path):
    lines, error = imported(tmp_path / "nothing")

    assert (lines, error.returncode) == ([], 2)
    assert str(error) == f"{tmp_path / 'nothing'} does not exist"


def test_the_site_can_be_named(tmp_path):
    (tmp_path / "IM0").write_bytes(encoded(series(1)[0]))

    imported(tmp_path, site="Maribor")

    assert Study.objects.get().site.name == "Maribor"
