"""Whole files are answered before sessions and the framework, with the very answers of the ordinary way."""

import pytest
from pydicom.uid import ImplicitVRLittleEndian

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from tests.accounts.people import make_user
from tests.pacs.early.answers import as_installed, only_early, ordinary, session, with_chance_removed
from tests.pacs.wado import address
from tests.studies.dicom_files import encoded, receive_bytes, series

pytestmark = pytest.mark.django_db

DICOM = "application/dicom"
SEVERAL = f'multipart/related; type="{DICOM}"'
AS_SENT = f"{SEVERAL}; transfer-syntax=*"
WHOLE = [
    *((level, {"accept": accept}) for level in ("study", "series", "instance") for accept in (AS_SENT, SEVERAL, DICOM)),
    ("instance", {"accept": DICOM, "range": "bytes=200-"}),
    ("series", {}),
]


def at(level: str, path: str) -> str:
    """The address of the study, of the series, or of the instance itself, of which that of an instance is given."""
    return path.partition({"study": "/series", "series": "/instances", "instance": "?"}[level])[0]


@pytest.mark.parametrize(("level", "headers"), WHOLE)
def test_whole_files_are_those_of_the_ordinary_way(level, headers, path, token):
    early, late = (ask(at(level, path), token | headers) for ask in (only_early, ordinary))
    has = {"if-none-match": early["ETag"]}
    early_again, late_again = (ask(at(level, path), token | headers | has) for ask in (only_early, ordinary))

    assert early.status_code in {200, 206}
    assert with_chance_removed(early) == with_chance_removed(late)
    assert (early_again.status_code, early_again.getvalue()) == (304, b"")
    assert with_chance_removed(early_again) == with_chance_removed(late_again)


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_files_that_are_brought_into_another_syntax_are_the_same(level, caller):
    datasets = series(2)
    for dataset in datasets:
        receive_bytes(encoded(dataset, syntax=ImplicitVRLittleEndian))

    early, late = (ask(at(level, address(datasets[0])), caller | {"accept": SEVERAL}) for ask in (only_early, ordinary))

    assert (early.status_code, early.get("Content-Length")) == (200, None)
    assert with_chance_removed(early) == with_chance_removed(late)


def test_what_nginx_sends_is_named_alike(path, caller, settings):
    settings.NGINX_SENDS_FILES = True
    headers = caller | {"accept": f"{DICOM}; transfer-syntax=*"}

    early, late = (ask(path, headers) for ask in (only_early, ordinary))

    assert early["X-Accel-Redirect"].startswith("/stored/dicom/")
    assert with_chance_removed(early) == with_chance_removed(late)


def test_reading_a_study_early_is_one_event_of_the_reader(path, caller):
    for _ in range(2):
        assert only_early(at("study", path), caller).status_code == 200

    event = AuditEvent.objects.get(kind=EventKind.STUDY_READ)
    assert (event.actor_id, event.object_type) == (User.objects.get().pk, "study")


@pytest.mark.parametrize("level", ["study", "series", "instance"])
@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({"accept": "text/html"}, "get", 406),
        ({"authorization": "Bearer pv_unknown"}, "get", 401),
        ({"host": "elsewhere.example"}, "get", 400),
        ({}, "delete", 403),
    ],
)
def test_files_are_refused_alike(level, headers, method, status, path, caller):
    installed, late = (ask(at(level, path), caller | headers, method) for ask in (as_installed, ordinary))

    assert installed.status_code == status
    assert with_chance_removed(installed) == with_chance_removed(late)


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_files_of_another_site_are_not_found_alike(level, path):
    stranger = session(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))

    installed, late = (ask(at(level, path), stranger) for ask in (as_installed, ordinary))

    assert installed.status_code == 404
    assert with_chance_removed(installed) == with_chance_removed(late)
    assert not AuditEvent.objects.filter(kind__in=[EventKind.STUDY_READ, EventKind.SERIES_READ]).exists()
