"""A model that came by file is tried on our own test side, and then stands before the same gate."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.core.leases import ClaimLostError
from plaqueview.registry.models import ModelVersion, Origin
from plaqueview.registry.services import NewModel, make_champion, register_new
from plaqueview.training import services
from plaqueview.training.evaluations import EVALUATE_TASK
from plaqueview.training.models import DatasetSnapshot, Evaluation, EvaluationState, GateVerdict, SnapshotState
from plaqueview.training.verdicts import keep_verdict
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import make_model
from tests.training.scenes import make_admin, ready_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def imported(admin) -> ModelVersion:
    """A candidate of another department, and a snapshot of ours that is ready."""
    make_model()
    ready_snapshot(admin)
    new = NewModel(
        name="phantom-reader",
        version="elsewhere-1",
        sha256="e" * 64,
        preprocessing_version="five-steps-1",
        card="# A card",
        facts={},
        caveat="Trained elsewhere.",
        onnx_key="models/ee/ee",
        safetensors_key="models/ff/ff",
    )
    return register_new(new, origin=Origin.IMPORTED)


def claimed(evaluation: Evaluation) -> services.EvaluationClaim:
    claim = services.claim_evaluation(evaluation_id=evaluation.pk, worker="worker-1")
    assert claim is not None
    return claim


def trials(*, candidate: float, champion: float, patients: int = 5) -> list[services.Trial]:
    return [
        services.Trial(
            patient=f"P-{number}",
            study=f"P-{number}/S-1",
            scanner="Acme",
            true_volume_ml=3.0,
            candidate=services.Figures(
                candidate, candidate, 2, 1.0, 0.1, peak_memory_bytes=400_000_000, processor_seconds=1.0
            ),
            champion=services.Figures(
                champion, champion, 2, 1.0, 0.1, peak_memory_bytes=400_000_000, processor_seconds=1.0
            ),
        )
        for number in range(patients)
    ]


def test_an_administrator_has_an_imported_model_judged_and_the_gate_is_the_same(
    admin, imported, sent_tasks, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        asked = token_client(admin).post(f"/api/v1/models/{imported.pk}/evaluations")

    evaluation = Evaluation.objects.get()
    assert (asked.status_code, asked["Location"]) == (202, f"/api/v1/models/{imported.pk}/evaluations")
    assert (asked.json()["id"], asked.json()["state"]) == (str(evaluation.pk), "queued")
    assert (EVALUATE_TASK, (str(evaluation.pk),), "training") in sent_tasks

    claim = claimed(evaluation)
    order = services.order_of_evaluation(claim)
    assert (order.model, [one.side for one in order.studies]) == (imported, ["test"])
    champion = ModelVersion.objects.get(version="1.0")
    services.complete_evaluation(
        claim, trials(candidate=0.7, champion=0.6), champion_id=champion.pk, left_out=["P-9/S-1 is left out: no head"]
    )

    (shown,) = token_client(admin).get(f"/api/v1/models/{imported.pk}/evaluations").json()["results"]
    verdict = token_client(admin).get(f"/api/v1/models/{imported.pk}/gate").json()
    assert (shown["state"], shown["warnings"]) == ("succeeded", ["P-9/S-1 is left out: no head"])
    assert (verdict["is_passed"], verdict["is_current"], len(verdict["figures"])) == (True, True, 5)
    promotion = services.promote(
        model_id=imported.pk, comment="Better.", is_override=False, is_reauthenticated=True, actor=admin
    )
    assert promotion.kind == "promotion"
    kinds = [EventKind.MODEL_EVALUATION_REQUESTED, EventKind.MODEL_EVALUATED]
    assert list(AuditEvent.objects.filter(kind__in=kinds).order_by("sequence").values_list("kind", flat=True)) == kinds


def test_figures_of_test_patients_are_for_their_sites_and_the_rules_for_everybody(admin, imported):
    snapshot, champion = DatasetSnapshot.objects.get(), ModelVersion.objects.get(version="1.0")
    keep_verdict(imported, champion, trials(candidate=0.7, champion=0.6), snapshot=snapshot)
    colleague = make_user(Role.NEUROLOGIST, site=admin.sites.get())
    stranger = make_user(Role.INTEGRATOR, site=create_site(name="Maribor"))

    ours = token_client(colleague).get(f"/api/v1/models/{imported.pk}/gate").json()
    theirs = token_client(stranger).get(f"/api/v1/models/{imported.pk}/gate").json()

    assert [one["patient"] for one in ours["figures"]] == ["P-0", "P-1", "P-2", "P-3", "P-4"]
    assert ours["groups"][0] == {
        "group": "all",
        "figure": "any-plaque Dice",
        "patients": 5,
        "candidate": {"mean": 0.7, "low": 0.7, "high": 0.7},
        "champion": {"mean": 0.6, "low": 0.6, "high": 0.6},
    }
    assert (theirs["figures"], theirs["groups"]) == (None, None)
    assert theirs == ours | {"figures": None, "groups": None}


def test_who_asks_twice_gets_the_one_that_waits(admin, imported):
    first = services.request_evaluation(model_id=imported.pk, actor=admin)

    assert services.request_evaluation(model_id=imported.pk, actor=admin) == first


def test_a_cancelled_evaluation_judges_nothing_and_can_be_asked_for_anew(admin, imported):
    evaluation = services.request_evaluation(model_id=imported.pk, actor=admin)
    claim, champion = claimed(evaluation), ModelVersion.objects.get(version="1.0")
    address = f"/api/v1/evaluations/{evaluation.pk}/cancel"

    cancelled = token_client(admin).post(address)

    said = f"The evaluation was cancelled by {admin.get_username()}."
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["reason"]) == (200, "cancelled", said)
    with pytest.raises(ClaimLostError):
        services.renew_evaluation(claim)
    with pytest.raises(ClaimLostError):
        services.complete_evaluation(claim, trials(candidate=0.7, champion=0.6), champion_id=champion.pk, left_out=[])
    assert token_client(admin).post(address).json()["state"] == "cancelled"
    services.tend()
    (shown,) = token_client(admin).get("/api/v1/evaluations").json()["results"]
    assert (shown["state"], shown["model_name"]) == ("cancelled", "phantom-reader elsewhere-1")
    (event,) = AuditEvent.objects.filter(kind=EventKind.JOB_CANCELLED)
    assert (event.actor_id, event.details["evaluation"]) == (admin.pk, str(evaluation.pk))
    again = services.request_evaluation(model_id=imported.pk, actor=admin)
    assert (again.state, again == evaluation, GateVerdict.objects.count()) == ("queued", False, 0)


def test_an_evaluation_that_has_ended_cannot_be_cancelled(admin, imported):
    evaluation = services.request_evaluation(model_id=imported.pk, actor=admin)
    services.fail_evaluation(claimed(evaluation), reason="No head was found.")

    with pytest.raises(ConflictError, match="has failed; only one that waits or runs can be cancelled"):
        services.cancel_evaluation(evaluation_id=evaluation.pk, actor=admin)

    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.reason) == ("failed", "No head was found.")


def test_one_snapshot_and_champion_judge_a_model_once_and_another_champion_again(admin, imported):
    champion = ModelVersion.objects.get(version="1.0")
    claim = claimed(services.request_evaluation(model_id=imported.pk, actor=admin))
    services.complete_evaluation(claim, trials(candidate=0.5, champion=0.9), champion_id=champion.pk, left_out=[])
    with pytest.raises(ConflictError, match="has judged the model on the newest snapshot against today's champion"):
        services.request_evaluation(model_id=imported.pk, actor=admin)
    make_champion(make_model("2.0"))

    claim = claimed(services.request_evaluation(model_id=imported.pk, actor=admin))
    champion = ModelVersion.objects.get(version="2.0")
    services.complete_evaluation(claim, trials(candidate=0.8, champion=0.7), champion_id=champion.pk, left_out=[])

    newest = services.read_verdict(model_id=imported.pk, actor=admin)
    assert (newest.champion, newest.is_passed, GateVerdict.objects.count()) == (champion, True, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda model: ModelVersion.objects.filter(pk=model.pk).update(stage="retired"), "the model is retired"),
        (lambda model: ModelVersion.objects.filter(pk=model.pk).update(onnx_key=""), "another version of the software"),
        (lambda _: DatasetSnapshot.objects.update(state=SnapshotState.FAILED, reason="No."), "no snapshot is ready"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_reason(admin, imported, change, reason):
    change(imported)

    with pytest.raises(ConflictError, match=reason):
        services.request_evaluation(model_id=imported.pk, actor=admin)

    assert Evaluation.objects.count() == 0


def test_readers_neither_ask_nor_see(admin, imported):
    reader = token_client(make_user(Role.NEUROLOGIST, site=admin.sites.get()))

    assert reader.post(f"/api/v1/models/{imported.pk}/evaluations").status_code == 403
    assert reader.get(f"/api/v1/models/{imported.pk}/evaluations").status_code == 403
    assert reader.get("/api/v1/evaluations").status_code == 403
    assert Evaluation.objects.count() == 0


def test_a_dead_worker_s_evaluation_waits_again_and_the_dead_worker_writes_nothing(admin, imported, settings):
    claim = claimed(services.request_evaluation(model_id=imported.pk, actor=admin))
    Evaluation.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    services.tend()

    evaluation = Evaluation.objects.get()
    assert (evaluation.state, evaluation.lease_token) == (EvaluationState.QUEUED, None)
    with pytest.raises(ClaimLostError):
        services.fail_evaluation(claim, reason="Too late.")
    settings.JOB_MAX_ATTEMPTS = 2
    claimed(evaluation)
    Evaluation.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    services.tend()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.reason) == (
        EvaluationState.FAILED,
        "The worker died 2 times while it tried this model.",
    )
    assert services.claim_evaluation(evaluation_id=uuid4(), worker="worker-1") is None
