"""Headers are answered before sessions and the framework, with the very answers of the ordinary way, kept or read."""

import pytest

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.pacs.kept_headers import keep_of_study
from plaqueview.studies import services
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.pacs.early.answers import as_installed, only_early, ordinary, session, with_chance_removed
from tests.pacs.early.test_files import at

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("level", ["study", "series", "instance"])]


def headers_at(level: str, path: str) -> str:
    return f"{at(level, path)}/metadata"


@pytest.mark.parametrize("is_kept", [True, False])
def test_headers_are_those_of_the_ordinary_way(level, is_kept, path, caller):
    study = Study.objects.get()
    services.settle(study.pk)
    if is_kept:
        keep_of_study(study.pk)
    address = headers_at(level, path)

    early, late = (ask(address, caller) for ask in (only_early, ordinary))
    has = {"if-none-match": early["ETag"]}
    early_again, late_again = (ask(address, caller | has) for ask in (only_early, ordinary))

    assert early.status_code == 200
    assert with_chance_removed(early) == with_chance_removed(late)
    assert (early_again.status_code, early_again.getvalue()) == (304, b"")
    assert with_chance_removed(early_again) == with_chance_removed(late_again)


def test_reading_headers_early_is_one_event_of_the_reader(level, path, caller):
    for _ in range(2):
        assert only_early(headers_at(level, path), caller).status_code == 200

    kind = EventKind.STUDY_READ if level == "study" else EventKind.SERIES_READ
    assert AuditEvent.objects.get(kind=kind).actor_id == User.objects.get().pk


@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({"authorization": "Bearer pv_unknown"}, "get", 401),
        ({"host": "elsewhere.example"}, "get", 400),
        ({}, "head", 200),
        ({}, "options", 200),
        ({}, "delete", 403),
    ],
)
def test_whatever_else_is_answered_alike(level, headers, method, status, path, caller):
    installed, late = (ask(headers_at(level, path), caller | headers, method) for ask in (as_installed, ordinary))

    assert installed.status_code == status
    assert with_chance_removed(installed) == with_chance_removed(late)


def test_headers_of_another_site_are_not_found_alike(level, path):
    stranger = session(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))

    installed, late = (ask(headers_at(level, path), stranger) for ask in (as_installed, ordinary))

    assert installed.status_code == 404
    assert with_chance_removed(installed) == with_chance_removed(late)
    assert not AuditEvent.objects.filter(kind__in=[EventKind.STUDY_READ, EventKind.SERIES_READ]).exists()
