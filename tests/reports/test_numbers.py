"""One approved version, and every number of it in PDF, CSV, FHIR, SR and API: the same to the last digit."""

import csv
import json
import re
from base64 import b64decode
from datetime import date
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.audit.services import verify_chain
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.dicom_sr import tracking_uid
from plaqueview.imaging.regions import Region
from tests.annotations.scenes import transactions_at_masks
from tests.enhancement.visits import enhanced
from tests.enhancement.visits import visit as with_t1s
from tests.longitudinal.visits import LASTING, OLD, brightened_in, read_with, registered, visits
from tests.reports.pages import reader_of, text_of
from tests.reports.scenes import Office, make_office
from tests.reports.test_documents import api_of, numbers_in_report

pytestmark = pytest.mark.django_db

Resource = dict[str, Any]  # Any: JSON
CLASSES = ("active", "inactive")
TAKEN_UP = (0.0, 8.0, 4.0)  # the middle of the active lesion
BESIDE = ((-10.0, 0.0, -8.0), 2.5)  # where no lesion is


@pytest.fixture
def office() -> Office:
    """With a prior that is registered and T1s that were compared, so that changes and uptakes are numbers too."""
    office = make_office()
    study = office.desk.study
    prior = visits(2, site=study.site)[1]
    prior.patient, prior.study_date = study.patient, date(2020, 1, 1)
    prior.save()
    read_with(prior, OLD, LASTING)
    registered(study, prior, brightening=brightened_in(BESIDE))
    enhanced(with_t1s(study), (TAKEN_UP, 2.5))
    return office


@pytest.fixture
def version(office) -> Annotation:
    version = office.confirmed()
    office.approve(version)
    return Annotation.objects.get(pk=version.pk)


def resources_in(content: bytes, kind: str) -> list[Resource]:
    entries = json.loads(content)["entry"]
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == kind]


def components_of(observation: Resource) -> dict[str, Any]:
    """By code, a number, a text, or the code of a concept."""
    found = {}
    for component in observation["component"]:
        name = component["code"]["coding"][0]["code"]
        absent = component.get("dataAbsentReason", {}).get("text")
        quantity, concept = component.get("valueQuantity"), component.get("valueCodeableConcept")
        coded = concept and concept["coding"][0]["display"].lower()
        found[name] = quantity["value"] if quantity else component.get("valueString", coded or absent)
    return found


def observations_in(content: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Components of the two classes, of the lesions by number, and of the changes."""
    observations = resources_in(content, "Observation")
    by_code = {name: [one for one in observations if one["code"]["coding"][0]["code"] == name] for name in CODES}
    (changes,) = by_code["changes"]
    return (
        [components_of(one) for one in by_code["246206008"]],
        [components_of(one) | {"uid": one["identifier"][0]["value"]} for one in by_code["52988006"]],
        components_of(changes),
    )


CODES = ("246206008", "52988006", "changes")
VOLUME, LONG_AXIS, COUNT = "118565006", "103339001", "246206008"


def test_the_lesions_have_the_same_numbers_everywhere(office, version):
    _, lesions = api_of(office, version)
    reported, _ = numbers_in_report(office.get(version, "sr.dcm").content)
    rows = list(csv.DictReader(StringIO(office.get(version, "lesions.csv").content.decode(), newline="")))
    _, observed, _ = observations_in(office.get(version, "fhir").content)
    printed = printed_lesions(office.get(version, "report.pdf").content)

    assert len(lesions) == 3
    for one, sr, row, fhir, pages in zip(lesions, reported, rows, observed, printed, strict=True):
        kind, volume_ml, axis_mm = one["lesion_class"], one["volume_ml"], one["longest_axis_mm"]
        plane_mm = one["in_plane_axis_mm"]
        assert sr == (tracking_uid(one["id"]), kind, volume_ml, axis_mm, plane_mm)
        assert fhir["uid"] == f"urn:oid:{tracking_uid(one['id'])}"
        assert (row["tracking_uid"], row["lesion_class"]) == (tracking_uid(one["id"]), kind)
        assert (row["volume_ml"], row["longest_axis_mm"]) == (repr(volume_ml), repr(axis_mm))
        assert (fhir["lesion_class"], fhir[VOLUME], fhir[LONG_AXIS]) == (kind, volume_ml, axis_mm)
        assert (fhir["voxel_count"], row["voxel_count"]) == (one["voxel_count"], str(one["voxel_count"]))
        assert fhir["slice_indices"] == row["slice_indices"] == " ".join(map(str, one["slice_indices"]))
        assert fhir["mean_probability"] == float(row["mean_probability"]) == one["mean_probability"]
        assert fhir["class_basis"] == row["class_basis"]
        assert (fhir["region"], row["region"], one["region"]) == ("not determined yet", *["not_determined"] * 2)
        assert (row["in_plane_axis_mm"], fhir["in_plane_axis"]) == (repr(plane_mm), plane_mm)
        assert row["size"] == ("large" if plane_mm >= 10 else "medium" if plane_mm >= 5 else "small")
        assert pages == (
            str(one["number"]),
            f"{row['class_basis']} not determined yet",
            f"{volume_ml:.3f}",
            f"{axis_mm:.1f}",
            f"{plane_mm:.1f}",
            f"{one['mean_probability']:.2f}",
        )


def test_the_classes_have_the_same_numbers_everywhere(office, version):
    detail, _ = api_of(office, version)
    _, totals = numbers_in_report(office.get(version, "sr.dcm").content)
    classes, _, _ = observations_in(office.get(version, "fhir").content)
    text = text_of(office.get(version, "report.pdf").content)

    counts, volumes_ml = detail["lesion_counts"], detail["lesion_volumes_ml"]
    assert totals == {kind: (counts[kind], volumes_ml[kind]) for kind in CLASSES}
    observed = {one["lesion_class"]: (one[COUNT], one[VOLUME]) for one in classes}
    assert observed == totals
    for kind in CLASSES:
        assert f"{kind.capitalize()} {counts[kind]} {volumes_ml[kind]:.3f} " in text
    total_ml = volumes_ml["active"] + volumes_ml["inactive"]
    for size, by_class in detail["counts_by_size"].items():
        assert {one["lesion_class"]: one[f"{size}_lesions"] for one in classes} == by_class
        active, inactive = by_class["active"], by_class["inactive"]
        assert f"{size} {active} {inactive} {active + inactive} " in text
    assert f"Sizes: {detail['size_rule']}." in text
    assert f"All {sum(counts.values())} {total_ml:.3f} Counted: {detail['counting_rule']}." in text


def test_the_changes_have_the_same_numbers_everywhere(office, version):
    prior = office.desk.study.registrations.get().prior_id
    changes = office.client.get(f"/api/v1/studies/{office.desk.study.pk}/changes?prior={prior}").json()
    _, _, observed = observations_in(office.get(version, "fhir").content)
    text = text_of(office.get(version, "report.pdf").content)

    brightened = changes["brightening"]["without_growth"]
    counted = {f"{kind}_lesions": count for kind, count in changes["counts"].items()}
    assert (observed, brightened) == (counted | {"brightened_places": brightened}, 1)
    assert "Brighter than at the prior without growing: 1 (slice 2, no lesion)." in text
    assert f"Brighter: {changes['brightening']['rule']}." in text.replace("- ", "-")
    assert ", ".join(f"{count} {kind}" for kind, count in changes["counts"].items()) in text
    assert f"Compared: {changes['rule']}." in text
    for one in changes["changes"]:
        numbers = [
            *(one["lesions"] and [*one["lesions"], f"{one['volume_ml']:.3f}"]),
            *(one["prior_lesions"] and [*one["prior_lesions"], f"{one['prior_volume_ml']:.3f}"]),
        ]
        assert " ".join(map(str, [one["change"], *numbers])) in text


def test_the_uptakes_have_the_same_lesions_everywhere(office, version):
    study = office.desk.study
    known = office.client.get(f"/api/v1/studies/{study.pk}/enhancement?annotation={version.pk}").json()
    rows = list(csv.DictReader(StringIO(office.get(version, "lesions.csv").content.decode(), newline="")))
    observed = resources_in(office.get(version, "fhir").content, "Observation")[-1]
    text = text_of(office.get(version, "report.pdf").content)
    address = f"/api/v1/patients/{study.patient_id}/timeline"
    of_visit = office.client.get(address).json()["visits"][-1]["uptakes"]
    course = list(csv.DictReader(StringIO(office.client.get(f"{address}.csv").content.decode(), newline="")))

    (lesion,) = known["lesions"]
    assert version.lesions.get(number=lesion).lesion_class == "active"
    assert {int(row["number"]): row["takes_up_contrast"] for row in rows} == {
        one.number: "suggested" if one.number == lesion else "no" for one in version.lesions.all()
    }
    assert components_of(observed) == {"enhancing_lesions": 1, "lesion_numbers": str(lesion)}
    assert observed["method"]["text"].startswith(known["rule"])
    slice_index = known["uptakes"][0]["anchor"][0]
    assert f"Brighter after contrast agent than before it: lesion {lesion} in slice {slice_index + 1}." in text
    assert f"Contrast agent: {known['rule']}." in text.replace("- ", "-")
    assert of_visit == {"lesions": [lesion], "rule": known["rule"]}
    assert (course[-1]["enhancing_count"], course[-1]["enhancement_rule"]) == ("1", known["rule"])
    assert rows[0]["enhancement_rule"] == known["rule"]


def test_the_timeline_has_the_same_numbers_as_the_studies(office, version):
    study = office.desk.study
    prior = study.registrations.get().prior
    detail, _ = api_of(office, version)
    changes = office.client.get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}").json()
    address = f"/api/v1/patients/{study.patient_id}/timeline"

    earlier, later = office.client.get(address).json()["visits"]
    rows = list(csv.DictReader(StringIO(office.client.get(f"{address}.csv").content.decode(), newline="")))

    assert (earlier["study"], earlier["study_date"], earlier["changes"]) == (str(prior.pk), "2020-01-01", None)
    assert (later["annotation"], later["state"]) == (str(version.pk), "approved")
    assert (later["lesion_counts"], later["lesion_volumes_ml"]) == (
        detail["lesion_counts"],
        detail["lesion_volumes_ml"],
    )
    assert later["changes"]["counts"] == changes["counts"]
    assert later["changes"]["rule"] == changes["rule"]
    assert (later["changes"]["brightened"], later["changes"]["brightening_rule"]) == (1, changes["brightening"]["rule"])
    assert (rows[1]["brightened_count"], rows[1]["brightening_rule"]) == ("1", changes["brightening"]["rule"])
    assert [row["study"] for row in rows] == [earlier["study"], later["study"]]
    for row, visit in zip(rows, (earlier, later), strict=True):
        assert {kind: int(row[f"{kind}_count"]) for kind in CLASSES} == visit["lesion_counts"]
        assert {kind: float(row[f"{kind}_volume_ml"]) for kind in CLASSES} == visit["lesion_volumes_ml"]
        assert row["counting_rule"] == visit["counting_rule"]
        assert row["notice"] == visit["notice"]
    assert {kind: int(rows[1][f"{kind}_count"]) for kind in changes["counts"]} == changes["counts"]
    assert [rows[0][f"{kind}_count"] for kind in changes["counts"]] == [""] * 5


def test_who_reads_the_timeline_is_on_record_for_each_version_and_for_what_it_is_compared_with(office, version):
    study = office.desk.study
    prior = study.registrations.get().prior

    for _ in range(2):  # which a page does by itself
        office.client.get(f"/api/v1/patients/{study.patient_id}/timeline")

    events = AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ, details__part="timeline")
    read = sorted((event.object_id, event.details["study"], event.actor_id) for event in events)
    of_prior = (str(prior.current_annotation_id), str(prior.pk), office.integrator.pk)
    assert read == sorted([of_prior, (str(version.pk), str(study.pk), office.integrator.pk)])
    assert verify_chain().problems == ()


def test_the_timeline_has_the_volumes_of_the_changes_and_of_the_regions(office, version):
    study = office.desk.study
    prior = study.registrations.get().prior
    changes = office.client.get(f"/api/v1/studies/{study.pk}/changes?prior={prior.pk}").json()
    Annotation.objects.filter(pk=version.pk).update(region_map_key="a map")
    Lesion.objects.filter(annotation=version, number__gt=1).update(region=Region.INFRATENTORIAL.value)
    address = f"/api/v1/patients/{study.patient_id}/timeline"

    earlier, later = office.client.get(address).json()["visits"]
    row = list(csv.DictReader(StringIO(office.client.get(f"{address}.csv").content.decode(), newline="")))[1]

    for name, volume in (("volumes_ml", "volume_ml"), ("prior_volumes_ml", "prior_volume_ml")):
        for kind, total in later["changes"][name].items():
            assert total == sum(one[volume] for one in changes["changes"] if one["change"] == kind)
            assert float(row[f"{kind}_{volume}"]) == total
    volumes_ml = [lesion.volume_ml for lesion in version.lesions.order_by("number")]
    found = {one["region"]: (one["count"], one["volume_ml"]) for one in later["regions"]}
    assert (earlier["regions"], found["periventricular"]) == ([], (0, 0.0))
    assert found["infratentorial"] == (2, pytest.approx(sum(volumes_ml[1:])))
    assert found["not_determined"] == (1, volumes_ml[0])
    assert (row["infratentorial_count"], float(row["infratentorial_volume_ml"])) == ("2", found["infratentorial"][1])


def test_the_newest_visit_is_shown_at_its_key_slices_with_its_lesions(office, version):
    office.desk.study.registrations.all().delete()
    address = f"/api/v1/patients/{office.desk.study.patient_id}/timeline/slices"

    body = office.client.get(address).json()

    shown = [one["slice_index"] for one in body["slices"]]
    touched = {index for lesion in version.lesions.all() for index in lesion.slice_indices}
    assert shown == sorted(shown)
    assert set(shown) <= touched
    assert body["notice"] == RESEARCH_NOTICE
    for one in body["slices"]:
        (picture,) = one["pictures"]
        assert (picture["annotation"], one["aspect"]) == (str(version.pk), 1.0)
        drawn = np.asarray(Image.open(BytesIO(b64decode(picture["png"].partition("base64,")[2]))))
        assert (drawn[..., 0] != drawn[..., 2]).any()  # a lesion's outline is coloured, the slice is grey


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_visits_are_compared_and_drawn(office, version, monkeypatch):
    study = office.desk.study
    address = f"/api/v1/patients/{study.patient_id}/timeline"
    seen = transactions_at_masks(monkeypatch)

    compared = [office.client.get(f"{address}{form}").status_code for form in ("", ".csv")]
    read_to_compare = seen.copy()
    study.registrations.all().delete()
    shown = office.client.get(f"{address}/slices").json()["slices"]

    # Two masks for the changes and one for the uptakes, twice; one for each slice that is drawn.
    assert (compared, read_to_compare) == ([200, 200], [False] * 6)
    assert seen == [False] * (6 + len(shown))


def test_a_prior_that_cannot_be_read_is_named_instead_of_left_out(office, version):
    answer = office.client.get(f"/api/v1/patients/{office.desk.study.patient_id}/timeline/slices")

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("the slices cannot be drawn: ")


def test_the_csv_in_the_pdf_is_the_csv(office, version):
    (attached,) = reader_of(office.get(version, "report.pdf").content).attachments["lesions.csv"]

    assert attached == office.get(version, "lesions.csv").content


def printed_lesions(content: bytes) -> list[tuple[str, ...]]:
    """Number, basis and region, volume, both axes, probability of each row of the table of lesions."""
    row = re.compile(
        r"(\d+) ((?:Confirmed|Inactive|AI-predicted)[^\d]+?) (\d+\.\d{3}) (\d+\.\d) (\d+\.\d) [\d\u2013, ]+ (\d\.\d\d)"
    )
    table = text_of(content).partition("Mean probability ")[2]
    return [found.groups() for found in row.finditer(table)]
