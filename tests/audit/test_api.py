"""Administrators read who did what at their sites."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site
from plaqueview.audit import services
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.audit.services import record
from plaqueview.core.access import Role
from tests.accounts.people import browser, make_user, token_client

pytestmark = pytest.mark.django_db

AUDIT = "/api/v1/audit"
STUDY = uuid.UUID(int=7)


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN, username="head")


def listed(client, query: str = "") -> list[tuple[str, str, str]]:
    results = client.get(f"{AUDIT}{query}").json()["results"]
    return [(event["kind"], event["actor_name"], event["object_id"]) for event in results]


def read_study(user: User, object_id: object = STUDY) -> AuditEvent:
    site = user.sites.get()
    return record(EventKind.STUDY_READ, actor=user, object_type="study", object_id=f"{object_id}", site_id=site.pk)


def test_an_event_in_full(admin):
    ana = make_user(Role.NEUROLOGIST, username="ana")
    event = read_study(ana)

    assert browser(admin).get(AUDIT).json()["results"][0] == {
        "sequence": event.sequence,
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "kind": "study.read",
        "actor_id": str(ana.pk),
        "actor_name": "ana",
        "object_type": "study",
        "object_id": str(STUDY),
        "site_id": str(ana.sites.get().pk),
        "details": {},
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def test_the_newest_stands_first_in_pages(admin):
    ana = make_user(Role.NEUROLOGIST, username="ana")
    for number in range(5):
        read_study(ana, number)
    client = browser(admin)

    body = client.get(f"{AUDIT}?page_size=2&kind=study.read").json()

    assert [event["object_id"] for event in body["results"]] == ["4", "3"]
    assert body["count"] == 5
    assert listed(client, "?kind=study.read&ordering=sequence&page_size=1") == [("study.read", "ana", "0")]


def test_reading_the_events_is_an_event_too(admin):
    client = browser(admin)
    client.get(AUDIT)
    client.get(AUDIT)

    assert AuditEvent.objects.filter(kind="audit.read").values_list("actor_name", flat=True).get() == "head"


def test_filters_narrow_by_kind_actor_object_and_time(admin):
    ana, bor = make_user(Role.NEUROLOGIST, username="ana"), make_user(Role.NEUROLOGIST, username="bor")
    read_study(ana)
    read_study(bor)
    record(EventKind.PATIENT_READ, actor=ana, object_type="patient", object_id="1", site_id=ana.sites.get().pk)
    client = browser(admin)
    later = (timezone.now() + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")

    assert listed(client, f"?actor={ana.pk}&object_type=study") == [("study.read", "ana", str(STUDY))]
    assert listed(client, "?actor_name=bor") == [("study.read", "bor", str(STUDY))]
    assert listed(client, f"?object={STUDY}&ordering=sequence") == [
        ("study.read", "ana", str(STUDY)),
        ("study.read", "bor", str(STUDY)),
    ]
    assert listed(client, "?kind=patient.read&kind=token.created") == [("patient.read", "ana", "1")]
    assert listed(client, f"?since={later}") == []
    assert len(listed(client, f"?until={later}&kind=study.read")) == 2


@pytest.mark.parametrize("query", ["?kind=everything", "?actor=ana", "?since=yesterday"])
def test_a_filter_that_means_nothing_is_refused(admin, query):
    assert browser(admin).get(AUDIT + query).status_code == 400


def test_what_the_system_says_of_accounts_is_seen_where_they_are(admin):
    stranger = make_user(Role.NEUROLOGIST, site=create_site(name="Maribor"))
    colleague = make_user(Role.NEUROLOGIST)
    for about in (stranger.pk, colleague.pk, ""):  # nobody's name, or somebody's, was tried with a wrong password
        record(EventKind.SIGN_IN_FAILED, actor=None, object_type="user", object_id=about)

    seen = token_client(admin).get("/api/v1/audit?kind=account.sign_in_failed&kind=account.created").json()["results"]

    told = {(event["kind"], event["object_id"]) for event in seen}
    assert {id_ for _, id_ in told} == {str(admin.pk), str(colleague.pk), ""}
    assert ("account.sign_in_failed", str(colleague.pk)) in told


def test_another_sites_readings_and_sign_ins_are_not_seen(admin):
    stranger = make_user(Role.NEUROLOGIST, username="stranger", site=create_site(name="Maribor"))
    read_study(stranger)
    record(EventKind.SIGNED_IN, actor=stranger, object_type="user", object_id=stranger.pk)
    ana = make_user(Role.NEUROLOGIST, username="ana")
    record(EventKind.SIGNED_IN, actor=ana, object_type="user", object_id=ana.pk)

    names = {name for _, name, _ in listed(browser(admin))}

    assert names == {"ana", "system"}


@pytest.mark.parametrize("role", [Role.NEUROLOGIST, Role.INTEGRATOR])
def test_others_are_refused_and_leave_no_event(role):
    client = token_client(make_user(role))
    count = AuditEvent.objects.count()

    assert client.get(AUDIT).status_code == 403
    assert AuditEvent.objects.count() == count


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_events_here(admin, method):
    client = token_client(admin)
    count = AuditEvent.objects.count()

    assert getattr(client, method)(AUDIT, {}, content_type="application/json").status_code in {403, 405}
    assert AuditEvent.objects.count() == count


def test_a_page_costs_the_same_however_many_events_there_are(admin, django_assert_num_queries):
    client = browser(admin)
    client.get(AUDIT)
    for number in range(30):
        read_study(admin, number)

    # The user with sites and colleagues, the newest event, the one up to which was counted, those since, the page;
    # the session itself is in the cache.
    with django_assert_num_queries(7):
        client.get(f"{AUDIT}?page_size=10")


def test_what_was_counted_is_counted_once_and_only_that(admin):
    client = browser(admin)
    read_study(admin, 1)
    first = client.get(f"{AUDIT}?kind=study.read").json()["count"]

    for number in range(2, 5):
        read_study(admin, number)
    with CaptureQueriesContext(connection) as asked:
        later = client.get(f"{AUDIT}?kind=study.read").json()["count"]

    assert (first, later) == (1, 4)
    (count,) = [query["sql"] for query in asked.captured_queries if "COUNT(*)" in query["sql"]]
    assert '"sequence" > ' in count
    assert client.get(f"{AUDIT}?kind=study.received").json()["count"] == 0


def test_a_count_of_events_that_are_not_in_the_chain_does_not_count(admin, monkeypatch):
    read_study(admin, 1)
    of_other_tables = services.Anchor(1, "0" * 64), 7000
    monkeypatch.setattr(services.cache, "get", lambda *_words: of_other_tables)

    assert services.count_events(AuditEvent.objects.filter(kind=EventKind.STUDY_READ)) == 1
