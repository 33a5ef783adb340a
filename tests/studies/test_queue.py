"""The reading queue: who reads what, what comes next, and that no filter looks at every study."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connection
from django.test import Client
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.patients.models import Patient
from plaqueview.studies import tasks
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user, token_client

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    return create_site(name="Ljubljana")


@pytest.fixture
def ana(site) -> User:
    return make_user(Role.NEUROLOGIST, site=site, username="ana")


@pytest.fixture
def bor(site) -> User:
    return make_user(Role.NEUROLOGIST, site=site, username="bor")


@pytest.fixture
def admin(site) -> User:
    return make_user(Role.ADMIN, site=site, username="admin")


def study(
    site: Site, *, active: int = 1, volume_ml: float = 1.0, minutes: int = 0, patient: Patient | None = None, **fields
) -> Study:
    """A study that the network has read, unless told otherwise."""
    uid = f"2.25.{uuid4().int}"
    result = {
        "current_annotation_id": uuid4(),
        "active_count": active,
        "inactive_count": 2,
        "active_volume_ml": volume_ml / 4,
        "inactive_volume_ml": volume_ml * 3 / 4,
    }
    return Study.objects.create(
        site=site,
        patient=patient or Patient.objects.create(site=site, patient_id=uid[-20:]),
        study_instance_uid=uid,
        received_at=NOON + timedelta(minutes=minutes),
        **{"state": StudyState.READY, **result, **fields},
    )


def put(client: Client, study: Study, reader: str | None):
    return client.put(f"/api/v1/studies/{study.pk}/assignment", {"reader": reader}, content_type="application/json")


def found(client: Client, query: str) -> list[str]:
    return [row["id"] for row in client.get(f"/api/v1/studies?{query}").json()["results"]]


def next_id(client: Client, after: Study | None = None) -> str | None:
    answer = client.get("/api/v1/studies/next", {"after": str(after.pk)} if after else {})
    assert answer.status_code == (200 if answer.content else 204)
    return answer.json()["id"] if answer.content else None


# --- assignment -------------------------------------------------------------------------------------------------------


def test_a_reader_takes_a_study_and_releases_it(site, ana):
    one, client = study(site), token_client(ana)

    taken = put(client, one, "ana")
    shown = client.get(f"/api/v1/studies/{one.pk}").json()["assigned_to"]
    released = put(client, one, None)

    assert (taken.status_code, taken.json(), shown) == (200, {"reader": "ana"}, "ana")
    assert (released.status_code, released.json()) == (200, {"reader": None})
    events = AuditEvent.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED).order_by("sequence")
    assert [(event.actor_name, event.object_id, event.details) for event in events] == [
        ("ana", str(one.pk), {"from": "", "to": str(ana.pk)}),
        ("ana", str(one.pk), {"from": str(ana.pk), "to": ""}),
    ]


@pytest.mark.parametrize(
    "leaves",
    [
        lambda reader: User.objects.filter(pk=reader.pk).update(is_active=False),
        lambda reader: User.objects.filter(pk=reader.pk).update(role=Role.INTEGRATOR),
        lambda reader: reader.sites.set([create_site(name="Maribor")]),
    ],
    ids=["closed", "of another role", "of other sites"],
)
def test_what_waits_for_a_reader_who_can_read_it_no_more_is_nobodys_again(site, ana, bor, leaves):
    of_ana, read, of_bor = study(site, assigned_to=ana), study(site, assigned_to=ana), study(site, assigned_to=bor)
    Study.objects.filter(pk=read.pk).update(state=StudyState.APPROVED)
    leaves(ana)
    assert next_id(token_client(bor), after=of_bor) is None

    tasks.release_abandoned()

    assert next_id(token_client(bor), after=of_bor) == str(of_ana.pk)
    assert dict(Study.objects.values_list("pk", "assigned_to")) == {of_ana.pk: None, read.pk: ana.pk, of_bor.pk: bor.pk}
    events = AuditEvent.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED)
    assert [(event.actor_name, event.object_id, event.details) for event in events] == [
        ("system", str(of_ana.pk), {"from": str(ana.pk), "to": ""}),
    ]


def test_nothing_is_released_of_who_can_still_read(site, ana, admin):
    study(site, assigned_to=ana), study(site, assigned_to=admin), study(site)

    tasks.release_abandoned()

    assert not AuditEvent.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED).exists()
    assert Study.objects.exclude(assigned_to=None).count() == 2


def test_taking_it_twice_is_one_event(site, ana):
    one, client = study(site), token_client(ana)

    assert [put(client, one, "ana").status_code for _ in range(2)] == [200, 200]

    assert AuditEvent.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED).count() == 1


def test_a_reader_neither_gives_a_study_away_nor_takes_anothers(site, ana, bor):
    free, of_bor = study(site), study(site, assigned_to=bor)
    client = token_client(ana)

    answers = [put(client, free, "bor"), put(client, of_bor, "ana"), put(client, of_bor, None)]

    assert [answer.status_code for answer in answers] == [403, 409, 409]
    assert answers[1].json()["detail"] == "the study is assigned to bor, who can release it"
    assert set(Study.objects.values_list("assigned_to__username", flat=True)) == {None, "bor"}
    assert not AuditEvent.objects.filter(kind=EventKind.ASSIGNMENT_CHANGED).exists()


def test_an_administrator_gives_a_study_to_anybody_who_reads_at_its_site(site, ana, bor, admin):
    of_bor, client = study(site, assigned_to=bor), token_client(admin)
    make_user(Role.INTEGRATOR, site=site, username="bridge")
    make_user(Role.NEUROLOGIST, site=create_site(name="Maribor"), username="eva")

    assert put(client, of_bor, "ana").json() == {"reader": "ana"}
    for stranger in ("bridge", "eva", "nobody-known"):
        assert put(client, of_bor, stranger).status_code == 422, stranger
    assert found(client, "assigned=ana") == [str(of_bor.pk)]


# --- filters ----------------------------------------------------------------------------------------------------------


def test_the_worklist_is_filtered_by_who_is_to_read(site, ana, bor):
    free, of_ana, of_bor = study(site), study(site, assigned_to=ana), study(site, assigned_to=bor)
    client = token_client(ana)

    assert found(client, "assigned=nobody") == [str(free.pk)]
    assert found(client, "assigned=me") == found(client, "assigned=ana") == [str(of_ana.pk)]
    assert found(client, "assigned=bor") == [str(of_bor.pk)]
    assert found(client, "assigned=nobody-known") == []


def test_the_worklist_is_filtered_by_what_was_read(site, ana):
    unread = study(site)
    read = {str(study(site, state=state).pk) for state in (StudyState.IN_REVIEW, StudyState.APPROVED)}
    double = study(site, is_under_double_reading=True)
    for state in (StudyState.RECEIVING, StudyState.QUEUED, StudyState.FAILED):
        study(site, state=state)
    study(site, current_annotation_id=None)
    client = token_client(ana)

    assert found(client, "reading=unread") == [str(unread.pk)]
    assert set(found(client, "reading=read")) == read
    assert found(client, "reading=double") == [str(double.pk)]
    assert client.get("/api/v1/studies?reading=later").status_code == 400


def test_a_follow_up_is_due_a_year_after_the_patients_newest_study_that_was_read(site, ana, settings):
    year_ago = timezone.localdate() - relativedelta(months=12)
    approved = {"state": StudyState.APPROVED}
    patient = Patient.objects.create(site=site, patient_id="two visits")
    due = study(site, study_date=year_ago - timedelta(days=1), **approved)
    study(site, study_date=year_ago, **approved)
    study(site, study_date=date(2020, 1, 1))
    study(site, study_date=None, **approved)
    study(site, study_date=date(2018, 1, 1), patient=patient, **approved)
    last = study(site, study_date=date(2019, 1, 1), patient=patient, **approved)
    client = token_client(ana)

    assert set(found(client, "follow_up=due")) == {str(due.pk), str(last.pk)}
    settings.FOLLOW_UP_MONTHS = 13
    assert found(client, "follow_up=due") == [str(last.pk)]


# --- the next one -----------------------------------------------------------------------------------------------------


def test_the_next_study_is_ones_own_then_the_one_with_most_to_look_at_then_the_oldest(site, ana, bor):
    late = study(site, active=3, volume_ml=2.0, minutes=9)
    early = study(site, active=3, volume_ml=2.0, minutes=1)
    large = study(site, active=3, volume_ml=8.0, minutes=10)
    many = study(site, active=5)
    own = study(site, active=0, assigned_to=ana)
    study(site, active=9, assigned_to=bor)
    study(site, active=9, state=StudyState.APPROVED)
    study(site, active=9, is_under_double_reading=True)
    client = token_client(ana)

    order = [next_id(client)]
    while len(order) < 5:
        order.append(next_id(client, Study.objects.get(pk=order[-1])))

    assert order == [str(one.pk) for one in (own, many, large, early, late)]
    assert next_id(client, late) == str(own.pk)


def test_after_a_study_that_was_read_the_queue_starts_at_its_top(site, ana):
    top, left = study(site, active=5), study(site, active=1, state=StudyState.IN_REVIEW)

    assert next_id(token_client(ana), left) == str(top.pk)
    assert next_id(token_client(ana), top) is None


def test_another_sites_queue_is_its_own(site, ana):
    study(create_site(name="Maribor"))

    assert next_id(token_client(ana)) is None


def test_a_study_is_no_uuid(ana):
    assert token_client(ana).get("/api/v1/studies/next?after=7").status_code == 400


# --- the price --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the plan is read as SQLite tells it")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("assigned=me", "study_by_reader (site_id=? AND assigned_to_id=?)"),
        ("assigned=nobody", "study_by_reader (site_id=? AND assigned_to_id=?)"),
        ("reading=unread", "study_by_reading (site_id=? AND reading=?)"),
        ("reading=read", "study_by_reading (site_id=? AND reading=?)"),
        ("follow_up=due", "study_by_reading (site_id=? AND reading=?)"),
    ],
)
def test_a_filtered_page_is_a_walk_along_an_index(site, ana, query, index, django_assert_num_queries):
    client = token_client(ana)
    client.get("/api/v1/studies")
    study(site, assigned_to=ana, state=StudyState.APPROVED, study_date=date(2020, 1, 1))
    study(site)

    with django_assert_num_queries(5) as asked:  # token, sites, count, ids of the page, its rows
        client.get(f"/api/v1/studies?{query}")

    count, page = (plan_of(one["sql"]) for one in asked.captured_queries[2:4])
    assert index in page
    assert "TEMP B-TREE" not in page
    assert "SCAN" not in page + count


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the plan is read as SQLite tells it")
def test_the_next_study_is_the_first_of_an_index(site, ana, django_assert_num_queries):
    client = token_client(ana)
    client.get("/api/v1/studies/next")
    study(site)

    client.get("/api/v1/studies/next")  # the first reading of a study is an event, the second is not

    with django_assert_num_queries(4) as asked:  # token, sites, the reader's own, nobody's
        client.get("/api/v1/studies/next")

    for plan in [plan_of(one["sql"]) for one in asked.captured_queries[2:]]:
        assert "study_queue (site_id=? AND reading=? AND assigned_to_id=?)" in plan
        assert "TEMP B-TREE" not in plan


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(row[-1] for row in cursor.fetchall())
