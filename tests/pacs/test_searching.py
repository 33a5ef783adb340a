"""QIDO-RS: what is matched, and how it is described."""

import pytest
from django.test import Client

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.studies.dicom_files import T1, receive_series, series

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def found(client: Client, path: str) -> set[str]:
    answer = client.get(f"/dicom-web/{path}")
    return {one["0020000D"]["Value"][0] for one in answer.json()} if answer.status_code == 200 else set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "AB"),
        ("PatientID=P1", "A"),
        ("00100020=P2", "B"),
        ("PatientName=novak^ana", "A"),
        ("PatientName=nov*", "A"),
        ("PatientName=*^?ojca", "B"),
        ("PatientName=nov", ""),
        ("StudyDate=20240203", "A"),
        ("StudyDate=20200101-20231231", "B"),
        ("StudyDate=20240101-", "A"),
        ("StudyDate=-20231231", "B"),
        ("StudyTime=101112", "A"),
        ("StudyTime=10", "A"),
        ("StudyTime=0911", "B"),
        ("StudyTime=1012", ""),
        ("StudyTime=091130-101112", "AB"),
        ("StudyTime=10-", "A"),
        ("StudyTime=-0911", "B"),
        ("StudyTime=", "AB"),
        ("StudyID=&ReferringPhysicianName=&PatientID=P1", "A"),
        ("PatientID= P1 ", "A"),
        ("ModalitiesInStudy=MR", "AB"),
        ("ModalitiesInStudy=CT", ""),
        ("AccessionNumber=A.17", ""),
        ("limit=1", "B"),
        ("limit=1&offset=1", "A"),
        ("includefield=all&fuzzymatching=true", "AB"),
        ("fuzzymatching=true&PatientName=ANA nov", "A"),
        ("fuzzymatching=true&PatientName=mójca*", "B"),
        ("fuzzymatching=true&PatientName=ovak", ""),
        ("fuzzymatching=false&PatientName=nov", ""),
    ],
)
def test_searching_for_studies(query, expected, viewer):
    studies = {
        "A": series(2),
        "B": series(2, patient_id="P2", PatientName="Kos^Mojca", StudyDate="20220101", StudyTime="091145.5"),
    }
    for datasets in studies.values():
        receive_series(datasets)

    assert found(viewer, f"studies?{query}") == {studies[name][0].StudyInstanceUID for name in expected}


@pytest.mark.parametrize(
    "query",
    [
        "Nonsense=1",
        "Nonsense=",
        "StudyDate=yesterday",
        "StudyTime=noon",
        "StudyTime=25",
        "limit=-1",
        "limit=x",
        "StudyID=1",
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(query, viewer):
    assert viewer.get(f"/dicom-web/studies?{query}").status_code == 422


@pytest.mark.parametrize(
    ("name", "matching", "others"),
    [
        ("Novak^Ana^^^", ["Novak^Ana", "NOVAK^ANA^", "Novak^A*"], ["Novak", "Novak^An", "Ana"]),
        ("Novak^Ana", ["Novak^Ana^^^", " Novak^Ana "], ["Novak^Ana^M"]),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["Yamada^Tarou", "山田^太郎", "やまだ*", "*太郎"], ["山田", "太郎*"]),
        ("Yamada^Tarou=山田^太郎", ["Yamada^Tarou=山田^太郎", "yamada^tarou=*"], ["Yamada^Tarou=山田"]),
    ],
)
def test_a_name_is_found_by_a_group_of_it_whatever_empty_components_it_ends_with(name, matching, others, viewer):
    """Source: PS3.5 6.2.1, of groups and of components that may be left out."""
    receive_series(series(1, PatientName=name, SpecificCharacterSet="ISO_IR 192"))

    told = {value: viewer.get("/dicom-web/studies", {"PatientName": value}).status_code for value in matching + others}

    assert told == {**dict.fromkeys(matching, 200), **dict.fromkeys(others, 204)}


@pytest.mark.parametrize("name", ["emptyvaluematching", "multiplevaluematching"])
def test_a_kind_of_matching_that_is_not_made_is_said_to_be_none(name, viewer):
    receive_series(series(1))

    asked = viewer.get("/dicom-web/studies", {name: "true"})
    unasked = viewer.get("/dicom-web/studies", {name: "false"})

    assert asked["Warning"] == f'299 plaqueview "the parameter {name} is not supported; only literal matching was made"'
    assert "Warning" not in unasked


def test_a_study_is_described(viewer):
    datasets = series(3, PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet="ISO_IR 192")
    receive_series(datasets)
    receive_series(series(2, study_uid=datasets[0].StudyInstanceUID, **T1))

    (study,) = viewer.get("/dicom-web/studies").json()

    assert study["00100010"]["Value"] == [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]
    assert (study["00080020"]["Value"], study["00080030"]["Value"]) == (["20240203"], ["101112"])
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([2], [5])
    assert study["00080061"]["Value"] == ["MR"]
    assert study["00081190"]["Value"] == [f"http://testserver/dicom-web/studies/{datasets[0].StudyInstanceUID}"]


@pytest.mark.parametrize("name", ["ModalitiesInStudy", "00080061"])
def test_modalities_of_the_study_are_matched_and_told_at_every_level(name, viewer):
    datasets = series(2)
    receive_series([*datasets, *series(1, study_uid=datasets[0].StudyInstanceUID, Modality="SR")])
    receive_series(series(1, patient_id="P2"))
    of_study = f"studies/{datasets[0].StudyInstanceUID}"
    of_series = f"{of_study}/series/{datasets[0].SeriesInstanceUID}"
    places = ["studies", "series", "instances", f"{of_study}/series", f"{of_study}/instances", f"{of_series}/instances"]

    told = [viewer.get(f"/dicom-web/{place}?{name}=S*").json() for place in places]

    assert [len(one) for one in told] == [1, 2, 3, 2, 3, 2]
    assert [one["0020000D"]["Value"] for each in told for one in each] == [[datasets[0].StudyInstanceUID]] * 13
    assert [one["00080061"] for each in told for one in each] == [{"vr": "CS", "Value": ["MR", "SR"]}] * 13
    assert [viewer.get(f"/dicom-web/{place}?{name}=CT").status_code for place in places] == [204] * 6
    assert [len(viewer.get(f"/dicom-web/{place}?{name}=").json()) for place in places] == [2, 3, 4, 2, 3, 2]


def test_more_results_than_asked_for_are_announced(viewer):
    receive_series(series(3))

    answer = viewer.get("/dicom-web/instances?limit=2")

    assert len(answer.json()) == 2
    assert answer["Warning"] == '299 plaqueview "there are more results; ask again with limit and offset"'
