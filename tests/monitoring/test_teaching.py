"""Unread studies are ordered by what labelling them would teach, for those who may retrain."""

import pytest

from plaqueview.annotations.models import Annotation
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Role
from plaqueview.monitoring import services, teaching
from plaqueview.monitoring.models import ShadowReading, StudyTeaching
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Study, StudyState
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import choose_flair, make_model, make_study
from tests.monitoring.scenes import make_candidate, other_segmentation, read_by_champion
from tests.training.scenes import make_admin

pytestmark = pytest.mark.django_db

TEACHES_MOST = "/api/v1/studies?reading=unread&teaching=known&ordering=-teaching_score"


@pytest.fixture
def result() -> Annotation:
    make_model()
    return read_by_champion(make_study())


def read_in_shadow() -> ShadowReading:
    """What the model in shadow waits for is read, and it sees other lesions."""
    claim = services.claim_reading(reading_id=ShadowReading.objects.get().pk, worker="worker-1")
    assert claim is not None
    services.complete_reading(claim, other_segmentation())
    return ShadowReading.objects.get()


def test_an_unread_study_says_what_it_would_teach_of_a_model_whose_training_is_known(result):
    trained_on = {"spacings_mm": {"slice_mm": [8.0], "pixel_mm": [1.0]}, "sizes": {"small": 20}}
    ModelVersion.objects.update(facts={"trained_on": trained_on})

    services.tend()

    study = Study.objects.get()
    by_name = {part["name"]: part for part in study.teaching_parts}
    assert list(by_name) == ["rarity", "uncertainty", "unlikeness"]
    assert by_name["unlikeness"]["text"] == "Slices 4 mm apart; the nearest that the model was trained on: 8 mm."
    assert by_name["rarity"]["value"] == 1.0
    assert study.teaching_score == 1.0


def test_the_score_has_the_disagreement_once_a_model_in_shadow_has_read_the_study():
    make_model()
    study = make_study()
    admin, candidate = make_admin(study.site), make_candidate()
    services.start_shadow(model_id=candidate.pk, actor=admin)
    read_by_champion(study)
    services.tend()
    study.refresh_from_db()
    (alone,) = study.teaching_parts
    score_alone = study.teaching_score

    reading = read_in_shadow()
    services.tend()
    services.tend()

    study.refresh_from_db()
    row = StudyTeaching.objects.get()
    assert (row.shadow_reading, row.parts) == (reading, study.teaching_parts)
    (other,) = [part for part in study.teaching_parts if part["name"] == "disagreement"]
    assert other["text"].startswith("Model trained-1 in shadow: Dice 0.")
    assert other["text"].endswith("0 lesions more, 1 less, 1 of another class.")
    assert score_alone == alone["value"]
    assert study.teaching_score == pytest.approx(1.0 - (1.0 - alone["value"]) * (1.0 - other["value"]))


def test_the_worklist_of_who_may_retrain_is_ordered_by_it_with_the_reasons(result):
    site = result.study.site
    other = read_by_champion(make_study(site=site, uid="1.2.4"))
    read_by_champion(make_study(uid="1.2.5"))
    services.tend()
    Study.objects.filter(pk=other.study_id).update(teaching_score=0.25)

    body = token_client(make_admin(site)).get(TEACHES_MOST).json()

    assert [row["id"] for row in body["results"]] == [str(result.study_id), str(other.study_id)]
    assert [row["teaching"]["score"] for row in body["results"]] == [pytest.approx(0.98, abs=0.02), 0.25]
    (part,) = body["results"][0]["teaching"]["parts"]
    assert part["name"] == "uncertainty"
    assert part["text"].startswith("The network hesitates about ")
    assert "1 less the product" in body["results"][0]["teaching"]["rule"]


@pytest.mark.parametrize("query", ["ordering=-teaching_score", "teaching=known"])
def test_readers_neither_ask_for_it_nor_are_shown_it(result, query):
    services.tend()
    reader = token_client(make_user(Role.NEUROLOGIST, site=result.study.site))

    refused = reader.get(f"/api/v1/studies?{query}")
    shown = reader.get("/api/v1/studies").json()

    assert refused.status_code == 403
    assert "training.read" in refused.json()["detail"]
    assert [row["teaching"] for row in shown["results"]] == [None]


def test_a_study_says_it_of_the_result_that_it_shows_alone(result):
    services.tend()

    choose_flair(result.study, result.series, content="more of it was received")
    again = read_by_champion(result.study)
    study = Study.objects.get()
    assert (study.current_annotation_id, study.teaching_score, study.teaching_parts) == (again.pk, None, [])
    Study.objects.update(state=StudyState.IN_REVIEW)
    services.tend()
    assert StudyTeaching.objects.filter(result=again).count() == 0
    Study.objects.update(state=StudyState.READY)
    audit.record(EventKind.DRAFT_DISCARDED, actor=None)
    services.tend()

    study.refresh_from_db()
    assert study.teaching_parts == StudyTeaching.objects.get(result=again).parts


def test_a_result_whose_files_are_gone_says_so_and_is_not_tried_again(result):
    Annotation.objects.update(probability_key="masks/no/no")

    teaching.score_results()
    teaching.score_results()

    row = StudyTeaching.objects.get()
    assert (row.note, row.parts, Study.objects.get().teaching_score) == (teaching.GONE, [], None)
