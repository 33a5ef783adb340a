"""Headers that were kept: the very bytes of those that are read, of what is here now and of nothing else."""

import hashlib
import shutil
import zlib
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from plaqueview.core.access import Role
from plaqueview.operations import erasure
from plaqueview.pacs import kept_headers
from plaqueview.pacs.kept_headers import keep_of_study
from plaqueview.studies import services as studies
from plaqueview.studies.models import Series, Study
from tests.accounts.people import make_user, token_client
from tests.pacs.wado import address, multi_frame
from tests.studies.dicom_files import T1, encoded, ljubljana, receive_bytes, receive_series, series

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:::pydicom")]

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.fixture(autouse=True)
def store(settings, tmp_path, monkeypatch):
    """Nothing lies in it but these studies, and nobody asked for one of them yet."""
    settings.STORAGE_DIR = tmp_path / "storage"
    monkeypatch.setattr(kept_headers, "_asked", kept_headers.Recent(most=10))


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def odd() -> Dataset:
    """Large values at the top and within, a number that JSON has not, and texts that look like what is put in later."""
    dataset = series(1, ImageComments='"BulkDataURI":"/studies/1" \\"BulkDataURI\\":\\"\n', PatientName="Žagar^\tAna")[
        0
    ]
    dataset.SpecificCharacterSet = "ISO_IR 192"
    item = Dataset()
    item.add_new(0x00283006, "OW", b"\1\2" * 2000)
    dataset.ModalityLUTSequence = [Dataset(), item]
    dataset.add_new(0x00291010, "OB", b"\1" * 5000)
    dataset.add_new(0x00291011, "UN", b"\1" * 5000)
    dataset[Tag(0x00281053)] = RawDataElement(Tag(0x00281053), "DS", 4, b"NaN ", 0, False, True)
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "UN", b"12")
    return dataset


def sent(name: str) -> list[tuple[Dataset, bytes]]:
    """The instances of a study, and their files."""
    if name in {"native", "slices"}:
        datasets = series(4 if name == "native" else 60)
        syntaxes = NATIVE if name == "native" else [ExplicitVRLittleEndian] * 60
        return [(one, encoded(one, syntax=syntax)) for one, syntax in zip(datasets, syntaxes, strict=True)]
    if name == "compressed":
        dataset = series(1)[0]
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        return [(dataset, encoded(dataset, syntax=JPEGLSLossless))]
    if name == "several series":
        datasets = series(3)
        datasets += series(2, study_uid=datasets[0].StudyInstanceUID, **T1)
        return [(one, encoded(one)) for one in datasets]
    dataset = odd() if name == "odd" else multi_frame()[0]
    return [(dataset, encoded(dataset))]


def answers(viewer: Client, dataset: Dataset) -> list[bytes]:
    """The headers of the study, of the series and of the instance."""
    path = address(dataset)
    places = (path.partition("/series")[0], path.partition("/instances")[0], path)
    found = [viewer.get(f"{place}/metadata") for place in places]
    assert [one.status_code for one in found] == [200, 200, 200]
    return [one.content for one in found]


def keep() -> None:
    study = Study.objects.get()
    studies.settle(study.pk)
    keep_of_study(study.pk)


def kept_files() -> list[bytes]:
    root = Path(django_settings.STORAGE_DIR) / "headers"
    return [zlib.decompress(path.read_bytes()) for path in sorted(root.rglob("*")) if path.is_file()]


@pytest.mark.parametrize("name", ["native", "slices", "compressed", "several series", "odd", "multi-frame"])
def test_what_is_kept_is_to_the_byte_what_the_files_say(name, viewer):
    content = sent(name)
    receive_bytes(*(file for _, file in content))
    read = answers(viewer, content[-1][0])

    keep()
    shutil.rmtree(django_settings.STORAGE_DIR / "dicom")

    assert answers(viewer, content[-1][0]) == read
    assert len(kept_files()) == Series.objects.count()


def test_its_form_has_another_number_once_it_is_another():
    """Whoever changes what a header is turned into changes `FORM` as well, and then this sum."""
    sample = odd()
    sample.StudyInstanceUID, sample.SeriesInstanceUID, sample.SOPInstanceUID = "1.2.3", "1.2.3.4", "1.2.3.4.5"
    receive_bytes(encoded(sample))

    keep()

    (header,) = kept_files()[0].split(b"\n")[2:]
    assert (kept_headers.FORM, hashlib.sha256(header).hexdigest()[:16]) == (2, "21e7415e68be36c9")


def test_an_instance_that_comes_later_is_told_at_once_and_kept_then(viewer, django_capture_on_commit_callbacks):
    datasets = series(4)
    site = ljubljana()
    receive_series(datasets[:3], site=site)
    keep()
    (earlier,) = kept_files()
    receive_series(datasets[3:], site=site)

    at_once = answers(viewer, datasets[0])
    with django_capture_on_commit_callbacks(execute=True):
        keep()

    assert answers(viewer, datasets[0]) == at_once
    assert at_once[1].count(b'"00080018"') == 4
    assert len(kept_files()) == 1
    assert kept_files() != [earlier]


def test_with_an_instance_its_header_goes(viewer, django_capture_on_commit_callbacks):
    datasets = series(3)
    receive_series(datasets)
    keep()
    admin = make_user(Role.ADMIN, site=Study.objects.get().site)
    gone = datasets[1].SOPInstanceUID

    with django_capture_on_commit_callbacks(execute=True):
        uids = {"study_uid": datasets[1].StudyInstanceUID, "series_uid": datasets[1].SeriesInstanceUID}
        studies.remove(actor=admin, instance_uid=gone, **uids)

    assert kept_files() == []
    assert gone.encode() not in answers(viewer, datasets[0])[0]
    keep()
    assert gone.encode() not in b"".join(kept_files())


def test_of_an_erased_patient_no_header_stays(django_capture_on_commit_callbacks):
    receive_series(series(3, patient_id="P-Gone"))
    keep()
    before = kept_files()
    patient_id = Study.objects.get().patient_id

    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(patient_id=patient_id, reason="Retention", is_reauthenticated=True, actor=None)

    assert [b"P-Gone" in one for one in before] == [True]
    assert kept_files() == []


def test_nothing_is_kept_of_what_has_gone_meanwhile():
    receive_series(series(2))
    kept = Series.objects.get()
    keys = list(kept.instances.values_list("storage_key", flat=True))

    studies.keep_headers(series_id=Study.objects.get().pk, content=b"of no series", storage_keys=keys)
    studies.keep_headers(series_id=kept.pk, content=b"of one more", storage_keys=[*keys, "dicom/00/0"])

    assert not (django_settings.STORAGE_DIR / "headers").exists()
    assert Series.objects.get().headers_key == ""


@pytest.mark.parametrize("damage", ["lost", "torn", "of another form"])
def test_what_cannot_be_read_is_read_from_the_files_and_kept_anew(damage, viewer, sent_tasks, monkeypatch):
    datasets = series(3)
    receive_series(datasets)
    read = answers(viewer, datasets[0])
    keep()
    sent_tasks.clear()
    monkeypatch.setattr(kept_headers, "_asked", kept_headers.Recent(most=10))
    path = django_settings.STORAGE_DIR / Series.objects.get().headers_key
    if damage == "of another form":
        monkeypatch.setattr(kept_headers, "FORM", kept_headers.FORM + 1)
    else:
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content[:-20]) if damage == "torn" else None

    assert answers(viewer, datasets[0]) == read
    assert len(kept_headers._kept(Series.objects.get().headers_key)) == 0
    keep_of_study(Study.objects.get().pk)
    assert len(kept_headers._kept(Series.objects.get().headers_key)) == 3


def test_large_values_are_named_by_the_address_of_today(viewer, settings):
    dataset = series(1)[0]
    receive_series([dataset])
    keep()
    settings.ORIGIN = "https://elsewhere.example"

    (header,) = viewer.get(f"{address(dataset)}/metadata").json()

    assert header["7FE00010"]["BulkDataURI"] == f"https://elsewhere.example{address(dataset)}/bulkdata/7FE00010"


def test_they_are_made_once_a_study_is_settled_and_where_they_are_missing(
    viewer, sent_tasks, django_capture_on_commit_callbacks
):
    dataset = series(1)[0]
    receive_series([dataset])
    study = Study.objects.get()
    asked = ("pacs.keep_headers", (str(study.pk),), "default")

    keep_of_study(study.pk)
    while_receiving = kept_files()
    with django_capture_on_commit_callbacks(execute=True):
        studies.settle(study.pk)
    after_settling = sent_tasks.count(asked)
    with django_capture_on_commit_callbacks(execute=True):
        answers(viewer, dataset)
    where_missing = sent_tasks.count(asked)
    keep_of_study(study.pk)
    with django_capture_on_commit_callbacks(execute=True):
        answers(viewer, dataset)

    assert (while_receiving, len(kept_files())) == ([], 1)
    assert (after_settling, where_missing, sent_tasks.count(asked)) == (1, 2, 2)
