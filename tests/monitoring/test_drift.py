"""The clock measures what was read and what was approved; administrators see its course by scanner and month."""

import json
from datetime import timedelta
from typing import TypeVar

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.renderers import JSONRenderer

from plaqueview.annotations.models import Annotation
from plaqueview.audit.following import last_sequence
from plaqueview.core.access import Role
from plaqueview.imaging.drift import Drift
from plaqueview.inference import services as inference
from plaqueview.monitoring import services
from plaqueview.monitoring.drift_api import CourseSerializer
from plaqueview.monitoring.drifting import Course, Month, quartiles_of
from plaqueview.monitoring.models import StudyEdit, StudyMeasures
from plaqueview.studies.models import Study
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import without_small_inactive
from tests.inference.heads import settled_head
from tests.inference.scenes import claimed, make_study, segmentation
from tests.reports.scenes import make_office
from tests.training.scenes import make_admin

pytestmark = pytest.mark.django_db

Row = TypeVar("Row", bound=Model)


def measures(result: Annotation, *, days_ago: int, slice_mm: float) -> StudyMeasures:
    return StudyMeasures(
        result=result,
        study=result.study,
        read_at=timezone.now() - timedelta(days=days_ago),
        manufacturer="Acme",
        scanner_model="One",
        slice_mm=slice_mm,
        lesion_ml=1.0,
        lesion_count=3,
    )


def results(study: Study, count: int) -> list[Annotation]:
    """Results of as many studies alike, without their work."""
    first = inference.complete(claimed(study), segmentation=segmentation())
    studies = Study.objects.bulk_create(
        copy_of(study, study_instance_uid=f"{study.study_instance_uid}.{number}") for number in range(1, count)
    )
    return [first, *Annotation.objects.bulk_create(copy_of(first, study=one) for one in studies)]


def copy_of(row: Row, **changes: object) -> Row:
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    copied = type(row)(**{field.attname: getattr(row, field.attname) for field in fields})
    for name, value in changes.items():
        setattr(copied, name, value)
    return copied


def test_a_study_that_was_read_is_measured_once_with_its_scanner():
    study = settled_head()
    found = inference.request(study_id=study.pk, actor=None)
    assert found.is_background is False
    whole = segmentation()
    inference.complete(claimed(study), segmentation=whole)

    services.tend()
    services.tend()

    row = StudyMeasures.objects.get()
    assert (row.study, row.lesion_count) == (study, 3)
    # The phantom's masks are on another grid than the head's, and the row says so.
    assert (row.slice_mm, "on (8, 96, 96)" in row.note) == (None, True)


def test_the_quality_of_what_was_read_is_kept_with_the_series_and_shown_as_its_protocol():
    office = make_office(MRAcquisitionType="2D")
    series = office.prediction.series

    services.tend()

    series.refresh_from_db()
    # Every slice of the phantom shows one value, and its mask has no air beside it.
    assert (series.quality["noise"], series.quality["ghosting"]) == (0.0, None)
    assert StudyMeasures.objects.get().noise == 0.0
    body = office.client.get(f"/api/v1/studies/{series.study_id}/protocol").json()
    assert ("0.0%", "passed") in [(one["found"], one["verdict"]) for one in body["findings"] if one["check"] == "noise"]


def test_what_readers_changed_is_kept_once_the_version_is_approved(desk):
    submitted = desk.submitted(without_small_inactive())
    services.tend()
    assert StudyEdit.objects.count() == 0

    desk.post(f"annotations/{submitted.pk}/approve", {})
    services.tend()

    edit = StudyEdit.objects.get()
    assert (edit.final_id, edit.result) == (submitted.pk, desk.prediction)
    assert (edit.comparison["removed"], edit.comparison["added"], edit.comparison["class_changed"]) == (1, 0, 0)
    body = token_client(make_admin(desk.study.site)).get("/api/v1/monitoring").json()
    (scanner,) = body["scanners"]
    by_name = {course["name"]: course for course in scanner["courses"]}
    assert by_name["edited_lesions"]["months"] == [
        {"month": f"{timezone.localtime():%Y-%m}", "studies": 1, "lower": 1.0, "median": 1.0, "upper": 1.0}
    ]
    assert by_name["edit"]["months"][0]["median"] == pytest.approx(1.0 - edit.comparison["dice"])


def test_what_was_looked_for_in_vain_is_looked_for_again_once_a_version_is_made():
    study = make_study()
    services.tend()
    with CaptureQueriesContext(connection) as asked:
        services.tend()
    looked_through = {StudyMeasures._meta.db_table, StudyEdit._meta.db_table}
    assert not [one["sql"] for one in asked if any(table in one["sql"] for table in looked_through)]

    inference.complete(claimed(study), segmentation=segmentation())
    services.tend()

    assert StudyMeasures.objects.get().study == study


def test_what_was_looked_for_in_vain_is_looked_for_again_in_the_tables_of_a_backup():
    study = make_study()
    cache.set("monitoring:in_vain:measure_results", last_sequence() + 1000)
    inference.complete(claimed(study), segmentation=segmentation())

    services.tend()

    assert StudyMeasures.objects.get().study == study


def test_another_protocol_of_a_scanner_is_an_alert_to_its_site_alone():
    study = make_study()
    made = results(study, 50)
    rows = [measures(one, days_ago=60, slice_mm=3.0) for one in made[:30]]
    rows += [measures(one, days_ago=3, slice_mm=5.0) for one in made[30:]]
    StudyMeasures.objects.bulk_create(rows)
    again = Annotation.objects.bulk_create(copy_of(one, version=2) for one in made[:30])
    StudyMeasures.objects.bulk_create(measures(one, days_ago=1, slice_mm=3.0) for one in again)

    body = token_client(make_admin(study.site)).get("/api/v1/monitoring").json()

    (scanner,) = body["scanners"]
    assert (scanner["site"], scanner["manufacturer"], scanner["studies"]) == (study.site.name, "Acme", 50)
    alerts = [course for course in scanner["courses"] if course["is_alert"]]
    assert [(one["name"], one["distance"], one["reference_studies"], one["current_studies"]) for one in alerts] == [
        ("slice_mm", 1.0, 30, 20)
    ]
    assert [(one["reference_median"], one["current_median"]) for one in alerts] == [(3.0, 5.0)]
    assert "p < 0.001" in body["rule"]
    assert token_client(make_admin()).get("/api/v1/monitoring").json()["scanners"] == []
    reader = token_client(make_user(Role.NEUROLOGIST, site=study.site))
    assert reader.get("/api/v1/monitoring").status_code == 403


def test_edits_are_looked_up_by_the_studies_that_are_shown():
    """And not among all the versions of a department for those that are new."""
    study = make_study()
    first, old = results(study, 2)
    StudyMeasures.objects.bulk_create(
        [measures(first, days_ago=3, slice_mm=3.0), measures(old, days_ago=400, slice_mm=3.0)]
    )

    with CaptureQueriesContext(connection) as asked:
        token_client(make_admin(study.site)).get("/api/v1/monitoring")

    (sql,) = [one["sql"] for one in asked if StudyEdit._meta.db_table in one["sql"]]
    assert (study.pk.hex in sql.replace("-", ""), old.study_id.hex in sql.replace("-", "")) == (True, False)


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(0, 5).map(float), min_size=1, max_size=60))
def test_quartiles_are_those_of_numpy_to_the_last_bit(values):
    assert quartiles_of(values) == tuple(np.percentile(values, [25.0, 50.0, 75.0]))


@pytest.mark.parametrize("drift", [None, Drift(0.4, 1e-5)])
def test_a_course_looks_as_its_fields_say(drift):
    months = [Month("2026-01", 3, 1.0, 2.0, 3.5)]
    course = Course("noise", "Noise", months, 3, 0, 2.0, None, drift)

    by_hand = CourseSerializer(course).data
    by_fields = super(CourseSerializer, CourseSerializer()).to_representation(course)

    assert json.loads(JSONRenderer().render(by_hand)) == json.loads(JSONRenderer().render(by_fields))
    assert list(by_hand) == list(by_fields)
