"""Studies, series and patients over REST: what is shown, to whom, at what price."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from plaqueview.studies.models import Study, StudyState
from plaqueview.studies.services import (
    AnnotationSummary,
    JobSummary,
    ModelReference,
    RegionSummary,
    load_volume,
    record_job,
    record_result,
    set_state,
    settle,
)
from tests.accounts.people import make_user, token_client
from tests.studies.dicom_files import T1, receive_series, series

pytestmark = pytest.mark.django_db

MODEL = ModelReference(id=uuid4(), name="deeplab", version="1", sha256="ab" * 32)
RULE = "26-connected components of at least 14.1 mm³"


def reader(site: str = "Ljubljana") -> Client:
    return token_client(make_user(Role.NEUROLOGIST, site=create_site(name=site)))


def settled(**attributes) -> Study:
    receive_series(series(10, **attributes))
    study = Study.objects.latest("created")
    settle(study.pk)
    study.refresh_from_db()
    return study


def with_result(study: Study, *, active: int, inactive: int) -> None:
    record_result(
        study_id=study.pk,
        annotation=AnnotationSummary(
            id=uuid4(),
            series_id=study.flair_series_id,
            version=1,
            state="predicted",
            author=None,
            model=MODEL,
            created=datetime(2024, 2, 3, tzinfo=UTC),
            lesion_counts={"active": active, "inactive": inactive},
            lesion_volumes_ml={"active": 0.5, "inactive": 1.25},
            counting_rule=RULE,
            claim="AI-predicted, FLAIR only",
            unconfirmed_active_count=active,
            regions=RegionSummary("pending", "", {}, "", ""),
        ),
    )


def test_a_row_of_the_worklist_shows_patient_result_and_job():
    study = settled()
    with_result(study, active=2, inactive=5)
    job = JobSummary(
        id=uuid4(),
        series_id=study.flair_series_id,
        state="running",
        progress=0.25,
        stage="network",
        reason="",
        attempts=1,
        requested_at=datetime(2024, 2, 3, tzinfo=UTC),
        started_at=None,
        finished_at=None,
        requested_by=None,
        model=None,
        annotation_id=None,
    )
    record_job(study_id=study.pk, job=job)

    body = reader().get("/api/v1/studies").json()

    assert (body["count"], body["next"], body["previous"]) == (1, None, None)
    (row,) = body["results"]
    assert row["patient"] == {
        "id": str(study.patient_id),
        "name": "Novak^Ana",
        "patient_id": "P1",
        "birth_date": "1980-01-31",
        "sex": "F",
    }
    assert (row["state"], row["study_date"], row["instance_count"]) == ("queued", "2024-02-03", 10)
    assert (row["lesion_counts"], row["counting_rule"]) == ({"active": 2, "inactive": 5}, RULE)
    assert row["lesion_volumes_ml"] == {"active": 0.5, "inactive": 1.25}
    assert (row["job"]["state"], row["job"]["progress"], row["job"]["stage"]) == ("running", 0.25, "network")
    assert (row["annotation"]["version"], row["annotation"]["model"]) == (1, MODEL.as_json())
    assert "series" not in row


def test_a_study_page_shows_series_choice_and_priors():
    old = settled(StudyDate="20200101")
    study = settled(StudyDate="20240203")
    receive_series(series(20, study_uid=study.study_instance_uid, **T1))
    settle(study.pk)

    body = reader().get(f"/api/v1/studies/{study.pk}").json()

    assert body["priors"] == [{"id": str(old.pk), "study_date": "2020-01-01"}]
    assert [one["series_description"] for one in body["series"]] == ["t2 flair tra", "t1 mprage"]
    flair = body["series"][0]
    assert body["flair_series"] == flair["id"]
    assert (flair["scanning_sequence"], flair["inversion_time_ms"], flair["spacing_mm"]) == (
        ["SE", "IR"],
        2500.0,
        [5.0, 0.8, 0.5],
    )
    assert flair["completeness"] == {"is_complete": True, "problems": []}
    choice = body["series_choice"]
    assert choice["overridden_by"] is None
    assert [one["series"] for one in choice["candidates"]][0:1] == [flair["id"]]
    assert [one["is_excluded"] for one in choice["candidates"]] == [False, True]
    assert body["post_contrast_series"] is None
    assert body["t1_pair"] == {"before": None, "after": None, "reason": "none of 2 series is a T1 after contrast agent"}


def test_a_study_page_names_the_t1_after_contrast_agent():
    study = settled()
    receive_series(series(20, study_uid=study.study_instance_uid, **{**T1, "ContrastBolusAgent": "Gadovist"}))
    settle(study.pk)

    named = reader().get(f"/api/v1/studies/{study.pk}").json()["post_contrast_series"]

    assert named["series"] == str(study.series.get(series_description="t1 mprage").pk)
    assert "contrast agent given: Gadovist" in named["reason"]


def test_the_slices_are_those_of_the_volume():
    study = settled()

    body = reader().get(f"/api/v1/series/{study.flair_series_id}/slices").json()

    stacked = load_volume(study.flair_series_id)
    assert [one["sop_instance_uid"] for one in body["slices"]] == list(stacked.sop_instance_uids)
    assert [one["index"] for one in body["slices"]] == list(range(10))
    assert body["slices"][3]["position_mm"] == [-10.0, -20.0, 15.0]
    assert body["slices"][3]["frame"] == 1
    assert body["affine"] == stacked.volume.affine.ravel().tolist()
    assert body["shape"] == [10, 16, 16]
    assert body["problems"] == []


def test_the_window_of_the_header_is_given_and_else_one_of_the_pixels():
    named = settled(WindowCenter=600, WindowWidth=[1200, 10])
    silent = settled()
    client = reader()

    assert client.get(f"/api/v1/series/{named.flair_series_id}/slices").json()["window"] == {
        "center": 600.0,
        "width": 1200.0,
    }
    assert client.get(f"/api/v1/series/{silent.flair_series_id}/slices").json()["window"] == {
        "center": 105.0,
        "width": 1.0,
    }


def test_the_slices_of_a_broken_series_are_shown_by_number_with_the_reason():
    datasets = series(10)
    receive_series(datasets[:4] + datasets[5:])
    study = Study.objects.get()
    settle(study.pk)

    body = reader().get(f"/api/v1/series/{study.series.get().pk}/slices").json()

    assert [one["instance_number"] for one in body["slices"]] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert (body["affine"], body["shape"]) == (None, None)
    assert body["problems"] == ["1 slice missing between instance 4 and instance 6: step 10 mm, expected 5 mm"]


def test_a_reader_chooses_another_series():
    study = settled()
    receive_series(series(20, study_uid=study.study_instance_uid, **T1))
    other = study.series.get(series_description="t1 mprage")

    answer = reader().patch(
        f"/api/v1/studies/{study.pk}", {"flair_series": str(other.pk)}, content_type="application/json"
    )

    assert answer.status_code == 200
    body = answer.json()
    assert body["flair_series"] == str(other.pk)
    assert body["series_choice"]["overridden_by"].startswith("neurologist")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=novak", {"A", "B"}),
        ("search=NOVÁK ana", {"A", "B"}),
        ("search=A-99", {"B"}),
        ("search=kontrola", {"C"}),
        ("search=P3", {"C"}),
        ("search=nobody", set()),
        ("search=%25", set()),
        ("state=ready", {"A"}),
        ("state=ready&state=queued", {"A", "B", "C"}),
        ("received_after=2100-01-01T00:00:00Z", set()),
    ],
)
def test_filters(query, found):
    studies = {
        "A": settled(),
        "B": settled(AccessionNumber="A-99"),
        "C": settled(patient_id="P3", PatientName="Kos^Miha", StudyDescription="Kontrola po letu"),
    }
    set_state(studies["A"].pk, StudyState.READY)

    body = reader().get(f"/api/v1/studies?{query}").json()

    assert {row["id"] for row in body["results"]} == {str(studies[name].pk) for name in found}


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("patient_name", "CAB"),
        ("-patient_name", "BAC"),
        ("study_date", "BCA"),
        ("-study_date", "ACB"),
        ("-active_count", "BAC"),
        ("-received_at", "CBA"),
        ("nonsense", "CBA"),
    ],
)
def test_orderings(ordering, expected):
    studies = {
        "A": settled(PatientName="Kos^Ana", StudyDate="20240101"),
        "B": settled(patient_id="2", PatientName="Zajc^Ana", StudyDate="20200101"),
        "C": settled(patient_id="3", PatientName="Bor^Ana", StudyDate="20220101"),
    }
    for name, active in (("A", 3), ("B", 7), ("C", 0)):
        with_result(studies[name], active=active, inactive=0)

    body = reader().get(f"/api/v1/studies?ordering={ordering}").json()

    names = {str(study.pk): name for name, study in studies.items()}
    assert "".join(names[row["id"]] for row in body["results"]) == expected


def test_every_row_is_on_exactly_one_page():
    for number in range(7):
        receive_series(series(1, patient_id=f"P{number}"))
    client = reader()

    pages = [client.get(f"/api/v1/studies?ordering=patient_name&page_size=3&page={page}").json() for page in (1, 2, 3)]

    ids = [row["id"] for page in pages for row in page["results"]]
    assert (len(ids), len(set(ids)), [len(page["results"]) for page in pages]) == (7, 7, [3, 3, 1])


def test_a_patient_shows_the_counts_of_the_newest_result():
    old, new = settled(StudyDate="20200101"), settled(StudyDate="20230101")
    settled(StudyDate="20240101")
    with_result(old, active=1, inactive=1)
    with_result(new, active=4, inactive=6)
    client = reader()

    (row,) = client.get("/api/v1/patients?search=novak").json()["results"]
    detail = client.get(f"/api/v1/patients/{row['id']}").json()

    assert (row["study_count"], row["latest_study"]["study_date"]) == (3, "2024-01-01")
    assert (row["lesion_counts"], row["counting_rule"]) == ({"active": 4, "inactive": 6}, RULE)
    assert row["site"]["name"] == "Ljubljana"
    assert [study["study_date"] for study in detail["studies"]] == ["2024-01-01", "2023-01-01", "2020-01-01"]


def test_the_summary_counts_by_state():
    set_state(settled().pk, StudyState.READY)
    settled(patient_id="P2")

    assert reader().get("/api/v1/summary").json() == {
        "studies_by_state": {"queued": 1, "ready": 1},
        "studies": 2,
        "patients": 2,
    }


# --- who sees what ----------------------------------------------------------------------------------------------------


def routes(study: Study) -> dict[str, Action]:
    return {
        f"/api/v1/studies/{study.pk}": Action.STUDY_READ,
        f"/api/v1/series/{study.flair_series_id}": Action.STUDY_READ,
        f"/api/v1/series/{study.flair_series_id}/slices": Action.STUDY_READ,
        f"/api/v1/patients/{study.patient_id}": Action.PATIENT_READ,
    }


def test_another_site_finds_nothing():
    study = settled()
    client = reader(site="Maribor")

    assert [client.get(route).status_code for route in routes(study)] == [404] * 4
    assert client.get("/api/v1/studies").json()["count"] == 0
    assert client.get("/api/v1/patients").json()["count"] == 0
    assert client.get("/api/v1/summary").json() == {"studies_by_state": {}, "studies": 0, "patients": 0}
    patch = client.patch(
        f"/api/v1/studies/{study.pk}", {"flair_series": str(study.flair_series_id)}, content_type="application/json"
    )
    assert patch.status_code == 404
    arrival = [EventKind.STUDY_RECEIVED, EventKind.STUDY_SETTLED]
    assert not AuditEvent.objects.filter(object_id=str(study.pk)).exclude(kind__in=arrival).exists()


def test_without_a_sign_in_nothing_is_shown():
    study = settled()

    for route in [*routes(study), "/api/v1/studies", "/api/v1/patients", "/api/v1/summary"]:
        answer = Client().get(route)
        assert (answer.status_code, answer["content-type"]) == (401, "application/problem+json")


def test_a_token_without_the_action_is_denied():
    study = settled()
    user = make_user(Role.NEUROLOGIST)

    for route, action in routes(study).items():
        others = ACTIONS_OF_ROLE[Role.NEUROLOGIST] - {action}
        assert token_client(user, *others).get(route).status_code == 403
        assert token_client(user, action).get(route).status_code == 200


def test_each_reading_leaves_one_event():
    study = settled()
    client = reader()
    for _ in range(3):
        for route in [*routes(study), "/api/v1/studies", "/api/v1/patients"]:
            client.get(route)

    events = AuditEvent.objects.filter(kind__in=[EventKind.STUDY_READ, EventKind.SERIES_READ, EventKind.PATIENT_READ])

    assert sorted((event.kind, event.object_type) for event in events) == [
        ("patient.read", "patient"),
        ("patient.read", "patients"),
        ("series.read", "series"),
        ("study.read", "study"),
        ("study.read", "worklist"),
    ]


def test_a_page_costs_the_same_queries_whatever_is_on_it(django_assert_num_queries):
    client = reader()
    settled()
    client.get("/api/v1/studies")
    client.get("/api/v1/patients")
    for number in range(5):
        with_result(settled(patient_id=f"P{number}"), active=1, inactive=2)

    again = 1 if connection.vendor == "postgresql" else 0  # sites, whose pages are merged
    with django_assert_num_queries(5 + again):  # token, sites, count, ids of the page, its rows
        assert len(client.get("/api/v1/studies").json()["results"]) == 6
    with django_assert_num_queries(6 + again):  # token, sites, count, ids of the page, its rows, their studies
        assert len(client.get("/api/v1/patients").json()["results"]) == 5
