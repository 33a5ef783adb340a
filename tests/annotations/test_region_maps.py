"""Regions come after the version, once, and follow it into what readers make of it."""

from uuid import uuid4

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from plaqueview.annotations import region_maps, services
from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.core import queue
from plaqueview.core.errors import InvalidError
from plaqueview.imaging.regions import LABEL_OF_REGION, Region, RegionRule
from plaqueview.inference import services as inference
from tests.annotations.scenes import NEW, statement, without_small_inactive
from tests.inference.scenes import SHAPE

pytestmark = pytest.mark.django_db

NOWHERE = {"inactive": 0, "active": 0}


def halves() -> np.ndarray:
    """The active lesion lies in rows 16 on, the two inactive ones before."""
    labels = np.full(SHAPE, LABEL_OF_REGION[Region.PERIVENTRICULAR], np.uint8)
    labels[:, 16:] = LABEL_OF_REGION[Region.INFRATENTORIAL]
    return labels


def told(annotation: Annotation) -> Annotation:
    services.record_regions(annotation_id=annotation.pk, labels=halves())
    annotation.refresh_from_db()
    return annotation


def regions_of(annotation: Annotation) -> list[str]:
    return list(annotation.lesions.order_by("number").values_list("region", flat=True))


def read(desk, address: str):
    return desk.client.get(f"/api/v1/{address}").json()


def test_a_prediction_waits_for_its_regions(desk):
    shown = read(desk, f"annotations/{desk.prediction.pk}")["regions"]

    assert shown == {
        "state": "pending",
        "note": "",
        "counts": {
            "periventricular": NOWHERE,
            "juxtacortical": NOWHERE,
            "infratentorial": NOWHERE,
            "deep_white_matter": NOWHERE,
            "not_determined": {"inactive": 2, "active": 1},
        },
        "rule": "",
        "dissemination": "",
    }
    wanted = services.read_wanted_map(desk.prediction.pk)
    assert wanted is not None
    assert (wanted.series_id, wanted.brain.shape) == (desk.prediction.series_id, SHAPE)


def test_a_map_gives_every_lesion_its_region_in_all_that_is_said_of_the_version(desk, announced):
    told(desk.prediction)

    rows = read(desk, f"annotations/{desk.prediction.pk}/lesions")["results"]
    shown = read(desk, f"annotations/{desk.prediction.pk}")["regions"]
    assert [(row["lesion_class"], row["region"]) for row in rows] == [
        ("active", "infratentorial"),
        ("inactive", "periventricular"),
        ("inactive", "periventricular"),
    ]
    assert (shown["state"], shown["rule"]) == ("determined", RegionRule().sentence)
    assert shown["counts"]["periventricular"] == {"inactive": 2, "active": 0}
    assert shown["counts"]["infratentorial"] == {"inactive": 0, "active": 1}
    assert shown["counts"]["not_determined"] == NOWHERE
    assert shown["dissemination"].startswith("Lesions in 2 of the 3 brain locations of McDonald 2017")
    assert read(desk, f"studies/{desk.study.pk}")["annotation"]["regions"] == shown
    assert {
        "type": "annotation.changed",
        "study": str(desk.study.pk),
        "annotation": str(desk.prediction.pk),
    }.items() <= (announced[-1].items())


def test_a_map_is_written_once(desk):
    told(desk.prediction)

    services.record_regions(annotation_id=desk.prediction.pk, labels=np.zeros(SHAPE, np.uint8))

    assert regions_of(desk.prediction) == ["infratentorial", "periventricular", "periventricular"]
    assert services.read_wanted_map(desk.prediction.pk) is None


def test_a_correction_has_the_regions_of_its_own_lesions(desk):
    told(desk.prediction)

    version = desk.submitted(without_small_inactive(), statements=[statement()])

    assert regions_of(version) == ["infratentorial", "periventricular"]
    assert version.region_map_key == Annotation.objects.get(pk=desk.prediction.pk).region_map_key
    assert version.region_counts["periventricular"] == {"inactive": 1, "active": 0}


def test_a_draft_tells_the_region_of_each_lesion(desk):
    told(desk.prediction)

    draft = desk.save(NEW, statements=[statement()]).json()

    assert [lesion["region"] for lesion in draft["lesions"]] == ["infratentorial", "periventricular", "periventricular"]


def test_a_version_that_was_submitted_before_the_map_came_has_it_too(desk):
    version = desk.submitted(without_small_inactive(), statements=[statement()])

    told(desk.prediction)

    version.refresh_from_db()
    assert regions_of(version) == ["infratentorial", "periventricular"]
    assert version.region_rule == RegionRule().sentence


def test_an_approved_version_does_not_change_any_more(desk):
    version = desk.submitted(without_small_inactive(), statements=[statement()])
    desk.post(f"annotations/{version.pk}/approve", {"comment": ""})

    told(desk.prediction)

    version.refresh_from_db()
    assert regions_of(version) == ["not_determined", "not_determined"]
    assert (version.region_map_key, version.region_note) == (
        "",
        "The version was approved before its regions were known.",
    )


def test_a_refusal_is_told_and_guesses_nothing(desk):
    services.record_no_regions(
        annotation_id=desk.prediction.pk, reason="the atlas covers the brain with a Dice of 0.50"
    )

    shown = read(desk, f"annotations/{desk.prediction.pk}")["regions"]
    assert (shown["state"], shown["dissemination"]) == ("not_determined", "")
    assert shown["note"] == "the atlas covers the brain with a Dice of 0.50"
    assert shown["counts"]["not_determined"] == {"inactive": 2, "active": 1}
    assert regions_of(desk.prediction) == ["not_determined"] * 3
    assert services.read_wanted_map(desk.prediction.pk) is None


def test_a_map_on_another_grid_is_refused(desk):
    with pytest.raises(InvalidError, match=r"the region map has the shape \(1, 2, 3\)"):
        services.record_regions(annotation_id=desk.prediction.pk, labels=np.zeros((1, 2, 3), np.uint8))

    assert Annotation.objects.get(pk=desk.prediction.pk).region_map_key == ""


def test_the_clock_asks_again_for_a_map_that_has_not_come(desk):
    before = services.take_overdue_maps()
    long_ago = timezone.now() - region_maps.ASKED_AGAIN_AFTER
    Annotation.objects.filter(pk=desk.prediction.pk).update(modified=long_ago)

    assert before == []
    assert services.take_overdue_maps() == [desk.prediction.pk]
    assert services.take_overdue_maps() == []


def test_a_result_asks_for_its_regions(desk, monkeypatch, django_capture_on_commit_callbacks):
    asked = []
    monkeypatch.setattr(queue, "_send", lambda name, arguments, *_where: asked.append((name, arguments)))
    Annotation.objects.filter(pk=desk.prediction.pk).update(modified=timezone.now() - region_maps.ASKED_AGAIN_AFTER)

    with django_capture_on_commit_callbacks(execute=True):
        inference.ask_for_regions_again()

    assert asked == [("inference.map_regions", (str(desk.prediction.pk),))]


def test_a_lesion_lies_in_a_known_region(desk):
    with pytest.raises(IntegrityError, match="lesion_region_is_known"), transaction.atomic():
        Lesion.objects.filter(annotation=desk.prediction).update(region="somewhere")


def test_a_version_that_is_not_there_is_not_wanted(db):
    assert services.read_wanted_map(uuid4()) is None
