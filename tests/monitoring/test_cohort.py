"""The approved studies of a department in numbers, and as a list that names nobody."""

import csv
import math
from datetime import datetime
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site, import_account
from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent
from plaqueview.core import kept_answers
from plaqueview.core.access import Role
from plaqueview.monitoring.cohort import _edges
from plaqueview.monitoring.models import StudyMeasures
from plaqueview.patients.models import Patient
from tests.accounts.people import make_user, token_client
from tests.reports.scenes import Office, make_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch) -> None:
    """However long this machine takes, nothing is kept."""
    monkeypatch.setattr(kept_answers, "LONG_S", math.inf)


@pytest.fixture
def office() -> Office:
    """One study of 2024, read by the network on a scanner that names itself."""
    made = make_office()
    result = made.prediction
    StudyMeasures.objects.create(
        result=result,
        study=result.study,
        read_at=result.created,
        manufacturer="Acme",
        scanner_model="One",
        lesion_ml=1.0,
        lesion_count=3,
    )
    return made


@pytest.fixture
def approved(office) -> Annotation:
    version = office.confirmed()
    office.approve(version)
    version.refresh_from_db()
    return version


@pytest.fixture
def admin(office) -> User:
    return make_user(Role.ADMIN, site=office.desk.study.site)


@pytest.fixture
def client(admin) -> Client:
    return token_client(admin)


def lines_of(client: Client, **query: str) -> list[dict[str, str]]:
    answer = client.get("/api/v1/cohort.csv", query)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(StringIO(answer.content.decode())))


def test_what_is_not_approved_does_not_count(office, client):
    before = timezone.now()
    found = client.get("/api/v1/cohort").json()

    assert before <= datetime.fromisoformat(found.pop("as_of")) <= timezone.now()
    assert found == {
        "studies": 0,
        "patients": 0,
        "imported": 0,
        "active_count": 0,
        "unconfirmed_active_count": 0,
        "rules": [],
        "spreads": [],
        "parts": [],
    }
    office.confirmed()  # submitted, and nobody's word yet
    assert client.get("/api/v1/cohort").json()["studies"] == 0


def test_an_approved_study_counts_with_its_rule_and_its_scanner(approved, client):
    found = client.get("/api/v1/cohort").json()

    assert (found["studies"], found["patients"], found["rules"]) == (1, 1, [approved.counting_rule])
    assert (found["active_count"], found["unconfirmed_active_count"]) == (approved.active_count, 0)
    spreads = {spread["name"]: (spread["studies"], spread["median"]) for spread in found["spreads"]}
    assert spreads["active_count"] == (1, approved.active_count)
    assert spreads["inactive_volume_ml"] == (1, approved.inactive_volume_ml)
    assert found["imported"] == 0
    (part,) = found["parts"]
    assert [part[key] for key in ("site", "manufacturer", "scanner_model", "studies")] == [
        "Ljubljana",
        "Acme",
        "One",
        1,
    ]
    assert [spread["name"] for spread in part["spreads"]] == list(spreads)


@pytest.mark.parametrize(
    ("query", "studies"),
    [
        ({"manufacturer": "Acme", "scanner_model": "One"}, 1),
        ({"scanner_model": "Two"}, 0),
        ({"since": "1900-01-01", "until": "2100-01-01"}, 1),
        ({"since": "2100-01-01"}, 0),
        ({"until": "1900-01-01"}, 0),
        ({"site": "00000000-0000-0000-0000-000000000000"}, 0),
    ],
)
def test_the_cohort_is_narrowed(approved, client, query, studies):
    assert client.get("/api/v1/cohort", query).json()["studies"] == studies
    assert len(lines_of(client, **query)) == studies


def test_the_figures_are_read_with_no_row_for_each_study(approved, client):
    def asked_for() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            client.get("/api/v1/cohort")
        return [one["sql"] for one in asked if Annotation._meta.db_table in one["sql"]]

    asked_for()
    reads = asked_for()

    # What is counted with its scanners, and the sentence of the one counting rule.
    assert [StudyMeasures._meta.db_table in sql for sql in reads] == [True, False]
    assert connection.vendor != "postgresql" or "JSON_AGG" in reads[0]


def test_what_took_long_to_count_is_told_as_of_then_to_whom_it_was_counted_for(
    approved, client, admin, empty_broker, monkeypatch
):
    monkeypatch.setattr(kept_answers, "LONG_S", 0.0)
    monkeypatch.setattr(kept_answers, "TIMES_AS_LONG", math.inf)
    other = token_client(make_user(Role.ADMIN, site=approved.study.site))
    first = client.get("/api/v1/cohort").json()
    StudyMeasures.objects.all().delete()

    assert client.get("/api/v1/cohort").json() == first
    assert other.get("/api/v1/cohort").json()["parts"][0]["manufacturer"] == ""
    assert client.get("/api/v1/cohort", {"manufacturer": ""}).json()["studies"] == 1
    admin.sites.clear()
    assert client.get("/api/v1/cohort").json()["studies"] == 0


def test_a_query_that_is_none_is_refused_by_its_field(client):
    answer = client.get("/api/v1/cohort", {"since": "soon"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "since")


def test_the_list_names_nobody(approved, client, admin):
    patient = Patient.objects.get()
    (line,) = lines_of(client)

    told = " ".join(line.values())
    study = approved.study
    for word in (patient.patient_id, *patient.name.split("^"), study.study_instance_uid, study.study_date.isoformat()):
        assert word not in told
    assert line["patient"].startswith("P-")
    assert (line["study"][:2], line["year"], line["sex"]) == ("S-", str(study.study_date.year), patient.sex)
    assert (line["active_count"], line["unconfirmed_active_count"]) == (str(approved.active_count), "0")
    assert line["counting_rule"] == approved.counting_rule
    event = AuditEvent.objects.filter(kind="document.exported").latest("sequence")
    assert (event.actor_id, event.details["document"], event.details["studies"]) == (admin.pk, "cohort.csv", 1)


def test_the_list_asks_for_its_versions_once(approved, client):
    with CaptureQueriesContext(connection) as asked:
        (line,) = lines_of(client)

    assert sum('FROM "annotations_annotation" ' in one["sql"] for one in asked.captured_queries) == 1
    assert line["site"] == approved.study.site.name


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (None, ""),
        ("1934-06-01", "89"),
        ("1934-05-31", "over 89"),
        ("1995-05-31", "29"),
        ("1995-06-01", "28"),
        ("1931-01-01", "over 89"),
        ("2100-01-01", ""),
    ],
)
def test_the_age_is_in_years_and_the_oldest_are_told_together(approved, client, born, age):
    Patient.objects.update(clear_birth_date=born)
    Annotation.objects.get(pk=approved.pk).study.__class__.objects.update(study_date="2024-05-31")

    assert lines_of(client)[0]["age"] == age


def test_another_site_counts_nothing_of_it(approved):
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Maribor")))

    assert stranger.get("/api/v1/cohort").json()["studies"] == 0
    assert lines_of(stranger) == []


def test_labels_that_came_from_elsewhere_are_told_apart(approved, client):
    Annotation.objects.filter(pk=approved.pk).update(author=import_account())

    assert client.get("/api/v1/cohort").json()["imported"] == 1
    assert lines_of(client)[0]["is_imported"] == "1"


@pytest.mark.parametrize(
    ("values", "is_count", "edges"),
    [
        ([0], True, [0, 1]),
        ([0, 3], True, [0, 1, 2, 3, 4]),
        ([30], True, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33]),
        ([0.0], False, [at / 12 for at in range(13)]),
    ],
)
def test_bins_begin_at_none_and_hold_the_largest(values, is_count, edges):
    assert _edges(values, is_count=is_count) == pytest.approx(edges)
