"""What came by mistake goes, with its bytes; what anything was made of stays, and the refusal says why."""

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.inference import services as inference
from plaqueview.patients.models import Patient
from plaqueview.studies import services as studies
from plaqueview.studies.models import Instance, Series, Study, StudyState
from tests.accounts.people import make_user, token_client
from tests.studies.dicom_files import T1, receive_series, series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    """Nothing lies in it but these studies."""
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def flair():
    return series(10)


@pytest.fixture
def admin(flair):
    """A client of an administrator, at a site with a FLAIR and a T1 series of one study."""
    receive_series([*flair, *series(2, study_uid=flair[0].StudyInstanceUID, **T1)])
    return token_client(make_user(Role.ADMIN, site=Study.objects.get().site))


def address_of(dataset, level: str = "study") -> str:
    parts = ["/dicom-web/studies", dataset.StudyInstanceUID]
    parts += ["series", dataset.SeriesInstanceUID] if level != "study" else []
    parts += ["instances", dataset.SOPInstanceUID] if level == "instance" else []
    return "/".join(parts)


def files() -> set[str]:
    return {path.name for path in (Path(django_settings.STORAGE_DIR) / "dicom").rglob("*") if path.is_file()}


def removals() -> list[dict]:
    return list(
        AuditEvent.objects.filter(kind=EventKind.STUDY_REMOVED).order_by("sequence").values_list("details", flat=True)
    )


def test_an_instance_a_series_and_the_study_go_one_after_the_other(admin, flair, django_capture_on_commit_callbacks):
    sizes = dict(Instance.objects.values_list("sop_instance_uid", "size_bytes"))
    studies.settle(Study.objects.get().pk)
    kept = Study.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        one = admin.delete(address_of(flair[0], "instance"))
    after_one = Study.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        rest = admin.delete(address_of(flair[0], "series"))
    after_series = Study.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        last = admin.delete(address_of(flair[0]))

    assert [one.status_code, rest.status_code, last.status_code] == [204, 204, 204]
    assert (kept.flair_series_id is not None, kept.instance_count) == (True, 12)
    assert (after_one.instance_count, after_one.series_count, after_one.state) == (11, 2, StudyState.RECEIVING)
    assert (after_series.instance_count, after_series.flair_series) == (2, None)
    assert [model.objects.count() for model in (Instance, Series, Study, Patient)] == [0, 0, 0, 0]
    assert files() == set()
    details = removals()
    assert [(one["instances"], one["series"], one["is_study_gone"]) for one in details] == [
        (1, 0, False),
        (9, 1, False),
        (2, 1, True),
    ]
    assert sum(one["size_bytes"] for one in details) == sum(sizes.values())
    assert admin.get(address_of(flair[0])).status_code == 404


def test_a_study_that_a_job_is_for_stays_whole(admin, flair):
    study = Study.objects.get()
    studies.settle(study.pk)
    inference.request(study_id=study.pk, actor=None)

    answers = [admin.delete(address_of(flair[0], level)) for level in ("study", "series", "instance")]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert answers[0].json()["detail"] == "the study stays as it is: inference jobs depend on it"
    assert Instance.objects.count() == len(files()) == 12
    assert removals() == []


def test_bytes_that_come_again_just_then_are_not_lost(admin, flair, django_capture_on_commit_callbacks):
    before = files()
    with django_capture_on_commit_callbacks(execute=True):
        admin.delete(address_of(flair[0]))
    aside = [path for path in (Path(django_settings.STORAGE_DIR) / "removed").rglob("*") if path.is_file()]
    # The other sender found its bytes in place before they were set aside, and committed its rows after that.
    receive_series(flair[:1])
    row = Instance.objects.get()
    (Path(django_settings.STORAGE_DIR) / row.storage_key).unlink()

    too_soon = studies.forget_removed()
    for path in aside:
        os.utime(path, (0, 0))
    gone = studies.forget_removed()

    assert (len(before), len(aside), too_soon, gone) == (12, 12, 0, 11)
    assert files() == {row.sha256}
    assert [path for path in (Path(django_settings.STORAGE_DIR) / "removed").rglob("*") if path.is_file()] == []


def test_what_is_not_there_is_not_removed(admin, flair):
    elsewhere = series(1)

    answers = [admin.delete(address_of(elsewhere[0])), admin.delete(f"{address_of(flair[0])}/series/1.2.3")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert Instance.objects.count() == 12
