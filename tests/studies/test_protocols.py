"""The protocol of a study over REST: what its files say, against a prior's files."""

import pytest

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.imaging.image_quality import ImageQuality
from plaqueview.studies import summaries
from plaqueview.studies.models import Study
from plaqueview.studies.protocols import keep_quality
from plaqueview.studies.settling import settle
from tests.accounts.people import make_user, token_client
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db

SCANNER = {"Manufacturer": "Acme", "ManufacturerModelName": "One", "MagneticFieldStrength": 1.5}


def study(site, **attributes) -> Study:
    (study_id,) = {one.study_id for one in receive_series(series(10, **{**SCANNER, **attributes}), site=site)}
    settle(study_id)
    return Study.objects.get(pk=study_id)


def verdicts(findings) -> dict[str, str]:
    return {one["check"]: one["verdict"] for one in findings}


def test_a_study_is_held_to_the_recommendation_and_to_its_newest_prior():
    site = create_site(name="Ljubljana")
    prior = study(site, StudyDate="20230203", EchoTime=90.0, SliceThickness=5.0)
    current = study(site, MRAcquisitionType="2D", SliceThickness=4.0)
    keep_quality(series_id=current.flair_series_id, quality=ImageQuality(0.021, None, 0.1))
    client = token_client(make_user(Role.NEUROLOGIST, site=site))

    body = client.get(f"/api/v1/studies/{current.pk}/protocol").json()

    assert verdicts(body["findings"]) == {
        "flair": "passed", "field_strength": "passed", "acquisition": "passed", "slice_thickness": "warning",
        "slice_gap": "warning", "in_plane": "passed", "coverage": "passed", "noise": "passed", "ghosting": "not_known",
    }  # fmt: skip
    gap = next(one for one in body["findings"] if one["check"] == "slice_gap")
    assert (gap["found"], gap["recommended"]) == ("1 mm", "no gap")
    assert "Lancet Neurol 2021" in gap["recommended_by"]
    assert body["prior"] == {"id": str(prior.pk), "study_date": "2023-02-03"}
    differing = {
        one["check"]: (one["found"], one["prior"])
        for one in body["comparison"]["differences"]
        if one["verdict"] == "warning"
    }
    assert differing == {"echo_time": ("120 ms", "90 ms"), "slice_thickness": ("4 mm", "5 mm")}
    assert body["comparison"]["caution"] == "Numbers of different protocols are not comparable."


def test_who_looks_at_a_study_hears_when_its_flair_was_measured(monkeypatch):
    current = study(create_site(name="Ljubljana"))
    events: list[dict] = []
    monkeypatch.setattr(summaries, "announce", lambda event, **places: events.append({**event, **places}))

    keep_quality(series_id=current.flair_series_id, quality=ImageQuality(0.021, None, 0.1))

    (event,) = events
    assert (event["type"], event["study"]) == ("study.changed", str(current.pk))
    assert f"study.{current.pk}" in event["topics"]


def test_without_a_prior_nothing_is_compared_and_a_later_study_is_none():
    site = create_site(name="Ljubljana")
    first = study(site, StudyDate="20230203")
    later = study(site)
    client = token_client(make_user(Role.NEUROLOGIST, site=site))

    body = client.get(f"/api/v1/studies/{first.pk}/protocol").json()

    assert (body["prior"], body["comparison"]) == (None, None)
    assert verdicts(body["findings"])["noise"] == "not_known"
    assert client.get(f"/api/v1/studies/{first.pk}/protocol?prior={later.pk}").status_code == 404
