"""The FHIR bundle: who and what it speaks of, and that it never says more than the version does."""

import json

import pytest
from fhir.resources import bundle as r5
from fhir.resources.R4B.bundle import Bundle

from tests.reports.scenes import SERIES_UID, STUDY_UID, Office, make_office
from tests.reports.test_numbers import resources_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return make_office()


def test_it_is_valid_and_every_reference_is_to_a_resource_of_it(office):
    content = office.get(office.prediction, "fhir").content

    bundle = json.loads(content)
    Bundle.model_validate(bundle)
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    assert references_in(bundle) <= known
    assert len(known) == len(bundle["entry"]) == 9


def references_in(value) -> set[str]:
    if isinstance(value, list):
        return {found for one in value for found in references_in(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["reference"]} if "reference" in value else set()
    return own | {found for one in value.values() for found in references_in(one)}


def test_a_prediction_is_preliminary_and_says_that_the_network_alone_says_so(office):
    content = office.get(office.prediction, "fhir").content

    (report,), (device,) = resources_in(content, "DiagnosticReport"), resources_in(content, "Device")
    observations = resources_in(content, "Observation")
    assert {report["status"], *(one["status"] for one in observations)} == {"preliminary"}
    assert report["identifier"][0]["value"] == str(office.prediction.pk)
    assert report["conclusion"].endswith(
        "Seen by no reader. DRAFT: approved by nobody. Research use only, not a medical device."
    )
    assert device["identifier"][0]["value"] == office.prediction.model_sha256
    assert [one["name"] for one in device["deviceName"]] == ["phantom-reader", "PlaqueView"]
    assert [one["text"] for one in device["note"]] == [
        "Research use only, not a medical device.",
        "Trained on phantoms.",
    ]
    for one in observations:
        assert one["method"]["text"] == office.prediction.counting_rule
        assert "Research use only, not a medical device." in [note["text"] for note in one["note"]]
    labels = {one["component"][2]["valueCodeableConcept"]["text"] for one in observations[:2]}
    assert labels == {"AI-predicted active (FLAIR only)", "AI-predicted inactive (FLAIR only)"}


def test_an_approved_version_is_final_under_ids_of_its_own(office):
    version = office.confirmed()
    before = json.loads(office.get(version, "fhir").content)
    office.approve(version)
    after = office.get(version, "fhir").content

    (report,) = resources_in(after, "DiagnosticReport")
    assert report["status"] == "final"
    assert report["resultsInterpreter"] == [{"display": office.desk.reader.username}]
    ids = {entry["fullUrl"] for entry in json.loads(after)["entry"]}
    assert ids & {entry["fullUrl"] for entry in before["entry"]} == set()


def test_patient_and_study_are_those_of_the_series(office):
    content = office.get(office.prediction, "fhir").content

    (patient,), (study,) = resources_in(content, "Patient"), resources_in(content, "ImagingStudy")
    assert patient["identifier"] == [{"value": "P1"}]
    assert patient["name"] == [{"text": "Novak^Ana", "family": "Novak", "given": ["Ana"]}]
    assert (patient["birthDate"], patient["gender"]) == ("1980-01-31", "female")
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY_UID}"}
    assert (study["started"], study["series"][0]["uid"]) == ("2024-02-03", SERIES_UID)
    assert study["series"][0]["numberOfInstances"] == 6


def test_r5_is_valid_and_says_the_same_under_the_names_of_r5(office):
    r4 = json.loads(office.get(office.prediction, "fhir").content)
    answer = office.get(office.prediction, "fhir?release=R5")

    assert answer.headers["Content-Type"] == "application/fhir+json; fhirVersion=5.0"
    found = json.loads(answer.content)
    r5.Bundle.model_validate(found)
    was, now = resources_by_type(r4), resources_by_type(found)
    changed = {"Device", "ImagingStudy", "DiagnosticReport"}
    assert {kind: now[kind] for kind in now.keys() - changed} == {kind: was[kind] for kind in was.keys() - changed}
    (device,), (study,), (report,) = (now[kind] for kind in ("Device", "ImagingStudy", "DiagnosticReport"))
    assert [one["value"] for one in device["name"]] == ["phantom-reader", "PlaqueView"]
    assert study["series"][0]["modality"]["coding"][0]["code"] == "MR"
    assert report["study"] == was["DiagnosticReport"][0]["imagingStudy"]
    assert references_in(found) == references_in(r4)
    assert office.get(office.prediction, "fhir?release=R3").status_code == 400


def resources_by_type(bundle) -> dict[str, list]:
    found: dict[str, list] = {}
    for entry in bundle["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found
