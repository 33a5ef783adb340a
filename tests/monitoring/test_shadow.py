"""A candidate reads along: every new study, behind all others, unseen by readers, and compared with them."""

import pytest

from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.leases import ClaimLostError
from plaqueview.inference import services as inference
from plaqueview.monitoring import services
from plaqueview.monitoring.models import ReadingState, ShadowPeriod, ShadowReading
from plaqueview.monitoring.readings import READ_TASK
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.registry.services import make_champion
from plaqueview.studies.models import Study
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import without_small_inactive
from tests.inference.scenes import make_model, make_study
from tests.monitoring.scenes import make_candidate, other_segmentation, read_by_champion
from tests.training.scenes import make_admin

pytestmark = pytest.mark.django_db


def shadow_of(admin=None) -> ModelVersion:
    model = make_candidate()
    services.start_shadow(model_id=model.pk, actor=admin or make_admin())
    return model


def study_of_reading() -> Study:
    """A study that the champion has read, and a reading of it that waits."""
    study = make_study()
    read_by_champion(study)
    services.tend()
    return study


def claim() -> services.ReadingClaim:
    found = services.claim_reading(reading_id=ShadowReading.objects.get().pk, worker="worker-1")
    assert found is not None
    return found


def test_an_administrator_lets_a_candidate_read_along_and_ends_it():
    make_model()
    admin, model = make_admin(), make_candidate()
    client = token_client(admin)

    begun = client.post(f"/api/v1/models/{model.pk}/shadow")
    assert (begun.status_code, begun.json()["started_by"], begun.json()["ended_at"]) == (200, admin.username, None)
    model.refresh_from_db()
    assert model.stage == Stage.SHADOW

    ended = client.delete(f"/api/v1/models/{model.pk}/shadow")

    model.refresh_from_db()
    assert (ended.status_code, ended.json()["ended_by"], model.stage) == (200, admin.username, Stage.CANDIDATE)
    kinds = [EventKind.MODEL_SHADOW_STARTED, EventKind.MODEL_SHADOW_ENDED]
    events = AuditEvent.objects.filter(object_id=str(model.pk), kind__in=kinds).order_by("sequence")
    assert list(events.values_list("kind", "actor_id")) == [(kind, admin.pk) for kind in kinds]


def test_one_model_reads_along_at_a_time_and_only_a_candidate():
    make_model()
    admin = make_admin()
    shadow_of(admin)
    client = token_client(admin)

    second = client.post(f"/api/v1/models/{make_candidate('trained-2').pk}/shadow")
    champion = client.post(f"/api/v1/models/{ModelVersion.objects.get(stage=Stage.CHAMPION).pk}/shadow")

    assert (second.status_code, champion.status_code, ShadowPeriod.objects.count()) == (409, 409, 1)
    assert "trained-1 reads along already" in second.json()["detail"]


def test_what_the_champion_reads_from_then_on_waits_for_the_shadow_behind_all_others(
    sent_tasks, django_capture_on_commit_callbacks
):
    make_model()
    read_by_champion(make_study(uid="1.2.1"))
    shadow_of()

    with django_capture_on_commit_callbacks(execute=True):
        study = study_of_reading()
        services.tend()

    reading = ShadowReading.objects.get()
    assert (reading.study, reading.state) == (study, ReadingState.QUEUED)
    assert [task for task in sent_tasks if task[0] == READ_TASK] == [(READ_TASK, (str(reading.pk),), "inference")]


def test_its_answer_is_kept_and_compared_and_no_reader_sees_it():
    make_model()
    model = shadow_of()
    study = study_of_reading()
    before = Study.objects.values().get()

    services.complete_reading(claim(), other_segmentation())

    reading = ShadowReading.objects.get()
    assert (reading.state, reading.active_count, reading.inactive_count) == (ReadingState.SUCCEEDED, 2, 0)
    figures = reading.against_champion
    assert (figures["matched"], figures["class_changed"], figures["added"], figures["removed"]) == (2, 1, 0, 1)
    assert figures["class_agreement"] == 0.5
    assert Study.objects.values().get() == before
    assert not Annotation.objects.filter(model_id=model.pk).exists()
    client = token_client(make_user(Role.NEUROLOGIST, site=study.site))
    assert client.get(f"/api/v1/studies/{study.pk}/annotations").json()["count"] == 1
    assert client.get(f"/api/v1/models/{model.pk}/shadow/readings").status_code == 403


def test_a_reading_that_fails_fails_by_itself():
    make_model()
    shadow_of()
    study_of_reading()
    before = Study.objects.values().get()

    services.fail_reading(claim(), reason="The weights do not load.")

    reading = ShadowReading.objects.get()
    assert (reading.state, reading.reason) == (ReadingState.FAILED, "The weights do not load.")
    assert Study.objects.values().get() == before


def test_a_reading_gives_way_to_a_study_that_waits():
    make_model()
    shadow_of()
    study_of_reading()
    held = claim()
    inference.request(study_id=make_study(uid="1.2.9").pk, actor=None)

    with pytest.raises(ClaimLostError, match="gives way"):
        services.renew_reading(held)

    reading = ShadowReading.objects.get()
    assert (reading.state, reading.attempts) == (ReadingState.QUEUED, 0)


def test_after_the_end_nothing_more_is_read_or_written():
    make_model()
    admin = make_admin()
    model = shadow_of(admin)
    study_of_reading()
    held = claim()

    services.end_shadow(model_id=model.pk, actor=admin)
    read_by_champion(make_study(uid="1.2.9"))
    services.tend()

    with pytest.raises(ClaimLostError):
        services.complete_reading(held, other_segmentation())
    assert list(ShadowReading.objects.values_list("state", flat=True)) == [ReadingState.CANCELLED]


def test_a_shadow_that_was_promoted_no_longer_reads_along():
    make_model()
    model = shadow_of()

    make_champion(ModelVersion.objects.get(pk=model.pk))
    services.tend()

    period = ShadowPeriod.objects.get()
    assert (period.ended_at is None, period.ended_by) == (False, None)


def test_readers_judge_both_once_the_study_is_approved(desk):
    admin = make_admin(desk.study.site)
    model = make_candidate()
    period = services.start_shadow(model_id=model.pk, actor=admin)
    ShadowPeriod.objects.filter(pk=period.pk).update(created=desk.study.created)
    services.tend()
    services.complete_reading(claim(), other_segmentation())
    submitted = desk.submitted(without_small_inactive())
    services.tend()
    assert ShadowReading.objects.get().final is None

    assert desk.post(f"annotations/{submitted.pk}/approve", {}).status_code == 200
    services.tend()

    reading = ShadowReading.objects.get()
    assert reading.final_id == submitted.pk
    assert (reading.against_final["dice"], reading.against_final["class_agreement"]) == (1.0, 0.5)
    assert (reading.champion_against_final["class_agreement"], reading.champion_against_final["removed"]) == (1.0, 1)
    standing = token_client(admin).get(f"/api/v1/models/{model.pk}/shadow").json()
    assert standing["counts"] == {"queued": 0, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0}
    assert standing["against_final"] == {"studies": 1, "dice": 1.0, "lesion_f1": 1.0, "class_agreement": 0.5}
    rows = token_client(admin).get(f"/api/v1/models/{model.pk}/shadow/readings").json()
    assert (rows["count"], rows["results"][0]["study"]) == (1, str(desk.study.pk))
    elsewhere = token_client(make_admin()).get(f"/api/v1/models/{model.pk}/shadow").json()
    assert (elsewhere["counts"]["succeeded"], elsewhere["against_champion"]) == (0, None)


def test_an_administrator_cancels_a_reading_and_has_it_done_again(sent_tasks, django_capture_on_commit_callbacks):
    make_model()
    model = shadow_of()
    study = study_of_reading()
    held, admin = claim(), make_admin(study.site)
    client = token_client(admin)

    cancelled = client.post(f"/api/v1/shadow-readings/{held.reading_id}/cancel").json()

    assert (cancelled["state"], cancelled["reason"]) == (
        "cancelled",
        f"The reading was cancelled by {admin.username}.",
    )
    with pytest.raises(ClaimLostError):
        services.complete_reading(held, other_segmentation())
    sent_tasks.clear()
    with django_capture_on_commit_callbacks(execute=True):
        again = client.post(f"/api/v1/shadow-readings/{held.reading_id}/retry").json()
    assert (again["state"], again["reason"]) == ("queued", "")
    assert sent_tasks == [(READ_TASK, (str(held.reading_id),), "inference")]
    services.end_shadow(model_id=model.pk, actor=admin)
    refused = client.post(f"/api/v1/shadow-readings/{held.reading_id}/retry")
    assert (refused.status_code, "no longer reads along" in refused.json()["detail"]) == (409, True)
    elsewhere = token_client(make_admin()).post(f"/api/v1/shadow-readings/{held.reading_id}/cancel")
    assert elsewhere.status_code == 404
