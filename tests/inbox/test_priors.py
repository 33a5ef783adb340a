"""Priors that come by themselves: a node's rule, what a real archive says, and what is fetched of it."""

from datetime import date, timedelta
from random import Random

import pytest
from django.utils import timezone

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.errors import UnavailableError
from plaqueview.inbox import services
from plaqueview.inbox.models import Fetch, FetchState, PriorSearch
from plaqueview.inbox.priors import PriorRule, wanted_priors
from plaqueview.launcher.broker import free_port
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.nodes import change_node
from plaqueview.pacs.remote_studies import RemoteStudy
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Series, Study
from plaqueview.studies.reading import priors_of
from plaqueview.studies.settling import settle
from tests.inbox.archive import open_department, running_archive, work
from tests.pacs.peers import needs_orthanc
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db

NOW = {"StudyDate": "20240203", "patient_id": "P1"}


@pytest.fixture
def department():
    return open_department()


def arrived(department, **attributes) -> Study:
    """A new study, settled as it is once the sender is quiet."""
    received = receive_series(series(3, **{**NOW, **attributes}), site=department.site)
    study = Study.objects.get(pk=received[0].study_id)
    settle(study.pk)
    return study


@needs_orthanc
@pytest.mark.peers
def test_the_newest_priors_of_a_new_study_are_fetched_by_either_protocol(department, tmp_path):
    with running_archive(tmp_path) as archive:
        dates = ["20200203", "20230203", "20220203", "20240204"]
        uids = {day: archive.keep(series(3, StudyDate=day)) for day in dates}
        archive.keep(series(3, StudyDate="20231003", StudyDescription="MR knee"))
        archive.keep(series(3, StudyDate="20231103", Modality="CT"))
        archive.keep(series(3, StudyDate="20231203", patient_id="P11"))
        old = arrived(department, StudyDate="20210203")
        node = department.node(ae_title="ORTHANC", port=archive.port, prior_count=2, prior_years=3)
        web = department.node("Web", url=archive.root, prior_count=1)
        study = arrived(department)

        requested = [services.request_by_rule(), services.request_by_rule()]
        work(node)
        shown = department.client.get("/api/v1/fetches", {"prior_of": str(study.pk)}).json()["results"]
        later = services.request_by_rule()
        work(web)

    assert (requested, later) == ([2, 0], 0)
    assert [(one["study_date"], one["state"], one["node_name"]) for one in reversed(shown)] == [
        ("2023-02-03", "done", "Archive"), ("2022-02-03", "done", "Archive"),
    ]  # fmt: skip
    assert [prior.study_date for prior in priors_of(study)] == [date(2023, 2, 3), date(2022, 2, 3), date(2021, 2, 3)]
    assert Study.objects.filter(study_instance_uid=uids["20230203"], patient=study.patient).count() == 1
    searches = dict(PriorSearch.objects.values_list("node__name", "answer"))
    assert searches == {
        "Archive": "3 found, 2 wanted by the rule, 2 fetched", "Web": "4 found, 1 wanted by the rule, 0 fetched",
    }  # fmt: skip
    assert not PriorSearch.objects.filter(study=old).exists()
    assert set(Fetch.objects.values_list("requested_by", flat=True)) == {None}
    audited = AuditEvent.objects.filter(kind=EventKind.NODE_SEARCHED).values_list("details", flat=True)
    assert [one["priors_of"] for one in audited] == [str(study.pk)] * 2


def test_only_new_mr_studies_of_the_site_are_searched_for_and_none_twice(department):
    node = department.node(ae_title="ARCHIVE", port=9, prior_count=1)
    department.node("Not in use", ae_title="ARCHIVE", port=9, prior_count=1, is_active=False)
    study, prior = arrived(department), arrived(department, StudyDate="20230203")
    Fetch.objects.create(node=node, study_instance_uid=prior.study_instance_uid, prior_of=study, state=FetchState.DONE)
    Series.objects.filter(study=arrived(department)).update(modality="CT")
    receive_series(series(3), site=department.site)  # not whole yet

    assert (services.request_by_rule(), services.request_by_rule()) == (1, 0)
    assert PriorSearch.objects.get().study == study


def test_a_peer_that_is_away_is_asked_again_and_then_not_any_more(department, settings):
    settings.FETCH_MAX_ATTEMPTS = 2
    node = department.node(ae_title="ARCHIVE", port=free_port(), prior_count=1)
    arrived(department)
    services.request_by_rule()

    work(node)
    first = PriorSearch.objects.get()
    work(node)
    PriorSearch.objects.update(next_attempt_at=timezone.now())
    work(node)

    last = PriorSearch.objects.get()
    assert (first.attempts, first.ended_at) == (1, None)
    assert first.next_attempt_at > timezone.now()
    assert (last.attempts, last.ended_at is not None) == (2, True)
    assert last.answer.endswith("the connection was refused; nothing listens there")


@pytest.mark.parametrize("attributes", [{"patient_id": "P*"}, {"patient_id": ""}, {"StudyDate": ""}])
def test_a_study_that_cannot_be_searched_for_without_guessing_is_not(department, attributes):
    node = department.node(ae_title="ARCHIVE", port=9, prior_count=1)
    arrived(department, **attributes)
    services.request_by_rule()

    services.fetch_from_node(node_id=node.pk, random=Random(0))

    assert PriorSearch.objects.get().answer == "the study has no date, or no patient ID that can be searched for"


def found(uid: str, day: date | None, **changes) -> RemoteStudy:
    known = {"patient_id": "P1", "study_description": "MR Schädel", "modalities": ("MR",), **changes}
    return RemoteStudy(uid, patient_name="", study_date=day, accession_number="", instance_count=None, **known)


def test_each_answer_of_a_peer_is_held_to_the_rule(department):
    study = arrived(department)
    day = study.study_date
    year = timedelta(days=365)
    answers = [
        found("1", day - year, study_description=""),
        found("2", day - 2 * year, modalities=()),
        found("3", day - 2 * year, study_description="SCHAEDEL/HIRN"),
        found("4", day),
        found("5", day + year),
        found("6", None),
        found("7", day - year, patient_id="P1 "),
        found("8", day - year, study_description="MR Knie"),
        found("9", day - year, modalities=("CT", "SR")),
        found("10", day - 4 * year),
    ]

    kept = wanted_priors(PriorRule(9, 3, ("schadel", "hirn")), study, answers)

    assert [one.study_instance_uid for one in kept] == ["1", "3", "2"]


def test_the_same_id_of_another_issuer_or_birth_date_is_another_person(department):
    study = arrived(department, IssuerOfPatientID="Ljubljana", PatientBirthDate="19800131")
    day = study.study_date - timedelta(days=365)
    answers = [
        found("1", day, issuer_of_patient_id="Ljubljana", patient_birth_date=date(1980, 1, 31)),
        found("2", day, issuer_of_patient_id="Maribor"),
        found("3", day, patient_birth_date=date(1980, 1, 30)),
        found("4", day),
    ]

    kept = wanted_priors(PriorRule(9, 3, ()), study, answers)

    assert sorted(one.study_instance_uid for one in kept) == ["1", "4"]


def test_who_is_sealed_under_a_key_that_is_not_here_is_asked_for_later_and_stops_nobody(department, monkeypatch):
    node = department.node(ae_title="ARCHIVE", port=9, prior_count=1)
    arrived(department)
    services.request_by_rule()

    def sealed(_: Patient) -> None:
        raise UnavailableError("the key k1 of the patient's identifiers is not here")

    monkeypatch.setattr(Patient, "require_opened", sealed)
    services.fetch_from_node(node_id=node.pk, random=Random(0))

    search = PriorSearch.objects.get()
    assert (search.answer, search.ended_at) == ("the key k1 of the patient's identifiers is not here", None)
    assert search.next_attempt_at > timezone.now()


def test_the_rule_begins_when_it_is_made_and_ends_with_it(department):
    node = department.node(ae_title="ARCHIVE", port=9, prior_count=2)
    began = node.fetches_priors_since

    same, ended = (
        change_node(node_id=node.pk, changes={"prior_count": count}, actor=department.admin).fetches_priors_since
        for count in (5, 0)
    )

    assert (same, ended) == (began, None)
    assert began is not None
    assert RemoteNode.objects.get().prior_words.startswith("head, brain")
