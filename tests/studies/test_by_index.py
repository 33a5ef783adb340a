"""Worklist, search and QIDO find what they show by an index, however many studies there are."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.patients.models import Patient
from plaqueview.patients.search import LONGEST_LINE_BYTES, search_line
from plaqueview.studies.models import Study
from plaqueview.studies.paging import IdsOfSites
from tests.accounts.people import make_user, token_client
from tests.studies.dicom_files import receive_series, series

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="the plans are PostgreSQL's"),
]

# What grows with the years.
LARGE = {
    "studies_study",
    "studies_series",
    "studies_instance",
    "patients_patient",
    "inference_inferencejob",
    "audit_auditevent",
}
LISTS = [
    "/api/v1/studies",
    "/api/v1/studies?page=2&page_size=1",
    "/api/v1/studies?ordering=patient_name",
    "/api/v1/studies?ordering=-study_date",
    "/api/v1/studies?ordering=state",
    "/api/v1/studies?ordering=-active_count",
    "/api/v1/studies?state=ready&state=failed",
    "/api/v1/studies?reading=unread&assigned=nobody",
    "/api/v1/studies?follow_up=due",
    "/api/v1/studies?search=novak+ana",
    "/api/v1/studies?search=mr",
    "/api/v1/studies/next",
    "/api/v1/patients?search=novak",
    "/api/v1/summary",
    "/api/v1/jobs",
    "/api/v1/jobs?state=failed",
    "/api/v1/audit?kind=study.received",
    "/api/v1/audit?object=17",
    "/api/v1/audit?actor_name=ana",
    "/api/v1/audit?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z",
    "/dicom-web/studies",
    "/dicom-web/studies?PatientName=Novak^Ana",
    "/dicom-web/studies?PatientName=Nov*",
    "/dicom-web/studies?PatientName=*ova?*",
    "/dicom-web/studies?PatientName=novak&fuzzymatching=true",
    "/dicom-web/studies?PatientID=P1",
    "/dicom-web/studies?PatientID=P*",
    "/dicom-web/studies?AccessionNumber=A-17",
    "/dicom-web/studies?StudyDate=20240203",
    "/dicom-web/studies?StudyDate=20240101-20241231",
    "/dicom-web/studies?ModalitiesInStudy=MR",
    "/dicom-web/studies?StudyInstanceUID=1.2.3",
    "/dicom-web/series?Modality=MR",
    "/dicom-web/series?ModalitiesInStudy=MR",
    "/dicom-web/series?PatientID=P1",
    "/dicom-web/series?SeriesInstanceUID=1.2.3",
    "/dicom-web/instances?PatientName=Nov*",
    "/dicom-web/instances?SOPInstanceUID=1.2.3",
    "/dicom-web/studies/1.2.3/series",
    "/dicom-web/studies/1.2.3/instances?ModalitiesInStudy=MR",
    "/dicom-web/studies/1.2.3/series/1.2.3.4/instances",
]


# By the list, the indexes without which it would read, or put in order, all of a large table's rows.
INDEXES = {
    "/api/v1/studies": {"study_search"},
    "/api/v1/studies?ordering=patient_name": {"study_by_patient_name"},
    "/api/v1/studies?ordering=-study_date": {"study_by_study_date"},
    "/api/v1/studies?ordering=-active_count": {"study_by_active_count"},
    "/api/v1/studies?follow_up=due": {"study_newest"},
    "/api/v1/studies?follow_up=due&search=novak": {"study_follow_up", "study_by_visit"},
    "/api/v1/studies?search=novak+ana": {"study_search", "study_words"},
    "/api/v1/studies/next": {"study_queue"},
    "/api/v1/patients?search=novak": {"patient_search"},
    "/api/v1/jobs?state=failed": {"job_by_state"},
    "/api/v1/audit?object=17": {"audit_by_object_id"},
    "/api/v1/audit?actor_name=ana": {"audit_by_actor_name"},
    "/api/v1/audit?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z": {"audit_by_time"},
    "/dicom-web/studies?PatientName=Nov*": {"study_search"},
    "/dicom-web/studies?PatientName=*ova?*": {"study_search"},
    "/dicom-web/studies?ModalitiesInStudy=MR": {"series_by_modality"},
    "/dicom-web/series?SeriesInstanceUID=1.2.3": {"series_by_uid"},
    "/dicom-web/instances?SOPInstanceUID=1.2.3": {"instance_once_per_site"},
}


@pytest.mark.parametrize("site_count", [1, 2])
def test_no_list_reads_a_whole_table(site_count):
    sites = [create_site(name=f"Hospital {number}") for number in range(site_count)]
    for patient_id in ("P1", "P2"):
        receive_series(series(2, patient_id=patient_id), site=sites[0])
    people = [token_client(with_sites(role, sites)) for role in (Role.ADMIN, Role.NEUROLOGIST)]

    for path in LISTS:
        with CaptureQueriesContext(connection) as asked:
            statuses = {client.get(path).status_code for client in people}

        assert statuses & {200, 204}, f"{path}: {statuses}"
        reads = [query["sql"] for query in asked.captured_queries if query["sql"].lstrip("(").startswith("SELECT")]
        assert {table for sql in reads for table in read_whole(sql)} == set(), path


def test_each_list_of_a_million_rows_has_its_index():
    with connection.cursor() as cursor:  # the planner counts what other tests left in the files of tables
        cursor.execute(f"TRUNCATE {', '.join(LARGE)} CASCADE")
    site = create_site(name="Ljubljana")
    for patient_id in ("P1", "P2"):
        receive_series(series(2, patient_id=patient_id), site=site)
    client = token_client(with_sites(Role.ADMIN, [site]))
    with connection.cursor() as cursor:  # as if there were so many, and none was changed lately
        cursor.execute("ANALYZE")
        cursor.execute(
            "UPDATE pg_class SET reltuples = 1e6, relallvisible = relpages WHERE relname = ANY(%s)", [list(LARGE)]
        )

    missing = {}
    for path, needed in INDEXES.items():
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        reads = [query["sql"] for query in asked.captured_queries if query["sql"].lstrip("(").startswith("SELECT")]
        missing[path] = needed - {node.get("Index Name") for sql in reads for node in nodes_of(plan_of(sql))}

    assert missing == {path: set() for path in INDEXES}


def test_the_database_knows_how_many_studies_are_old_before_it_looks_for_newer_ones():
    site = create_site(name="Ljubljana")
    patients = Patient.objects.bulk_create(Patient(site=site, patient_id=f"P{number}") for number in range(2000))
    Study.objects.bulk_create(
        Study(site=site, patient=patient, study_instance_uid=f"1.2.{at}", study_date=date(2020, 1, 1), state="approved")
        for at, patient in enumerate([*patients, *patients])
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as asked:
        token_client(with_sites(Role.ADMIN, [site])).get(
            "/api/v1/studies?follow_up=due&received_after=2020-01-01T00:00Z"
        )

    (count,) = [query["sql"] for query in asked.captured_queries if "COUNT" in query["sql"]]
    (expected,) = [node["Plan Rows"] for node in nodes_of(plan_of(count)) if node.get("Alias") == "studies_study"]
    assert expected == pytest.approx(4000, rel=0.05)


def test_what_is_due_is_counted_among_the_newest_as_it_is_found_among_all(settings):
    settings.FOLLOW_UP_MONTHS = 12
    random, sites = Random(0), [create_site(name=f"Hospital {number}") for number in range(2)]
    patients = Patient.objects.bulk_create(
        Patient(site=sites[number % 2], patient_id=f"P{number}") for number in range(120)
    )
    today, now = timezone.localdate(), timezone.now()
    dates = [None, today - timedelta(days=3000), today - timedelta(days=900), today - timedelta(days=30)]
    times = [now - timedelta(days=1), now]  # also equal ones, of studies of the same day
    chosen = [random.choice(patients) for _ in range(400)]
    Study.objects.bulk_create(
        Study(
            site=patient.site,
            patient=patient,
            study_instance_uid=f"1.2.{at}",
            study_date=random.choice(dates),
            received_at=random.choice(times),
            state=random.choice(["approved", "in_review", "ready"]),
        )
        for at, patient in enumerate(chosen)
    )
    path = "/api/v1/studies?follow_up=due&page_size=200"
    everything = f"{path}&received_after={(now - timedelta(days=2)).isoformat().replace('+', '%2B')}"

    for role, some in ((Role.ADMIN, sites), (Role.NEUROLOGIST, sites[:1])):
        client = token_client(with_sites(role, some))
        counted, found = client.get(path).json(), client.get(everything).json()

        assert counted["count"] == found["count"] == len(found["results"]) > 10
        assert counted["results"] == found["results"]
        owners = [one["patient"]["id"] for one in found["results"]]
        assert len(owners) == len(set(owners))


# Also where a filter names states: none of them comes twice, and none is put in order to find that out.
MERGED = [
    "/api/v1/studies",
    "/api/v1/studies?ordering=patient_name",
    "/api/v1/studies?ordering=-active_count",
    "/api/v1/studies?state=ready",
    "/api/v1/studies?search=mr",
    "/api/v1/patients",
]


def test_a_page_of_several_sites_is_merged_from_what_an_index_has_in_order():
    sites = [create_site(name=f"Hospital {number}") for number in range(2)]
    for site in sites:
        receive_series(series(2), site=site)
    Study.objects.update(state="ready", search_text="mr")
    client = token_client(with_sites(Role.ADMIN, sites))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")  # of a few rows it would be cheapest

    for path in MERGED:
        with CaptureQueriesContext(connection) as asked:
            client.get(path)

        plans = [plan_of(query["sql"]) for query in asked.captured_queries if "UNION ALL" in query["sql"]]
        nodes = [{node["Node Type"] for node in nodes_of(plan)} for plan in plans]
        assert [("Merge Append" in types, "Sort" in types) for types in nodes] == [(True, False)], path


@pytest.mark.parametrize("order", [["-received_at", "-id"], ["study_date", "id"], ["state", "-active_count", "id"]])
def test_merged_pages_are_those_of_all_sites_at_once(order):
    sites = [create_site(name=f"Hospital {number}") for number in range(3)]
    for number in range(7):
        receive_series(series(1, patient_id=f"P{number}"), site=sites[number % 3])
    rows = Study.objects.filter(site__in=sites[:2]).order_by(*order)
    expected = list(rows.values_list("pk", flat=True))

    ids = IdsOfSites(rows, [site.pk for site in sites[:2]])

    assert (ids.count(), len(expected)) == (5, 5)
    assert [ids[at : at + 2] for at in range(0, 5, 2)] == [expected[at : at + 2] for at in range(0, 5, 2)]
    assert ids[0:0] == []


def test_studies_and_jobs_are_counted_in_an_index_alone(settings):
    settings.METRICS_TOKEN = "only-for-tests-0123456789-metrics-token"

    with CaptureQueriesContext(connection) as asked:
        Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})

    counting = ('"state" AS "state", COUNT', '"started_at" >=')
    counts = [query["sql"] for query in asked.captured_queries if any(words in query["sql"] for words in counting)]
    assert len(counts) == 5
    nodes = [node for sql in counts for node in nodes_of(plan_of(sql)) if "Relation Name" in node]
    scans = [(node["Relation Name"], node["Node Type"]) for node in nodes]
    assert scans.count(("studies_study", "Index Only Scan")) == 1
    assert scans.count(("inference_inferencejob", "Index Only Scan")) == 2


def with_sites(role: Role, sites: list[Site]) -> User:
    user = make_user(role, site=sites[0], username=role.value)
    user.sites.set(sites)
    return user


def read_whole(sql: str) -> set[str]:
    """The large tables that PostgreSQL can only read from one end to the other to answer."""
    scans = [node for node in nodes_of(plan_of(sql)) if node["Node Type"] == "Seq Scan"]
    return {node["Relation Name"] for node in scans} & LARGE


def plan_of(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        plan: Any = cursor.fetchone()[0]
    return dict((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def test_an_index_holds_the_longest_row_there_may_be():
    """Of four bytes a character, in an order that no compression makes smaller."""
    random = Random(0)

    def longest(field: str) -> str:
        length = Study._meta.get_field(field).max_length or 0
        return "".join(chr(random.randrange(0x10000, 0x1F000)) for _ in range(length))

    site, line = create_site(name="Ljubljana"), search_line(longest("search_text"))
    patient = Patient.objects.create(site=site, name=longest("patient_name"), search_text=line[:500])

    study = Study.objects.create(
        site=site,
        patient=patient,
        patient_name=longest("patient_name"),
        accession_number=longest("accession_number"),
        study_date=date(2026, 1, 5),
        search_text=line,
    )

    assert len(study.search_text.encode()) > LONGEST_LINE_BYTES - 4
