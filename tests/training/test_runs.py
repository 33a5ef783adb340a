"""Runs: what they would meet, who may work on one, and how each ends in a named state."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from plaqueview.core import workers
from plaqueview.core.errors import ConflictError
from plaqueview.core.gpus import Gpu
from plaqueview.core.leases import ClaimLostError
from plaqueview.training import services
from plaqueview.training.groups import groups_of
from plaqueview.training.models import RunPoint, RunStage, RunState, Side, SnapshotStudy, TrainingRun
from plaqueview.training.recipe import Recipe
from tests.accounts.people import token_client
from tests.inference.scenes import make_model
from tests.training.scenes import make_admin, ready_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    """An administrator of a department that has a champion."""
    make_model()
    return make_admin()


@pytest.fixture
def run(admin) -> TrainingRun:
    return services.request_run(snapshot_id=ready_snapshot(admin).pk, recipe=Recipe(steps=10), actor=admin)


def claimed(run: TrainingRun) -> services.RunClaim:
    claim = services.claim_run(run_id=run.pk, worker="worker-1", device="cpu")
    assert claim is not None
    return claim


def point(step: int, *, loss: float = 0.5, dice: float | None = None) -> services.Point:
    return services.Point(step, loss, dice, timezone.now())


def learned_to(*points: services.Point) -> services.Standing:
    return services.Standing(RunStage.LEARNING, seconds=12.0, seconds_per_step=1.5, points=points)


def die(run: TrainingRun) -> None:
    """The worker is killed, and its lease lapses."""
    TrainingRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_preflight_tells_what_a_run_would_learn_from(admin):
    snapshot = ready_snapshot(admin)

    found = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(), actor=admin)

    assert (found.problems, found.can_run) == ((), True)
    assert {side: found.sides[side]["lesions"] for side in Side.values} == dict.fromkeys(Side.values, 4)
    assert (found.seconds_per_step, found.estimated_minutes) == (None, None)
    assert "no worker of the queue training is heard of" in found.warnings[-1]


def test_preflight_finds_one_image_on_two_sides(admin):
    snapshot = ready_snapshot(admin)
    SnapshotStudy.objects.filter(snapshot=snapshot).update(image_sha256="0" * 64)

    with pytest.raises(ConflictError, match="1 image on more than one side"):
        services.request_run(snapshot_id=snapshot.pk, recipe=Recipe(), actor=admin)

    assert TrainingRun.objects.count() == 0


def test_a_run_that_cannot_succeed_is_refused_with_every_reason(admin, settings):
    snapshot = ready_snapshot(admin)
    SnapshotStudy.objects.filter(snapshot=snapshot).update(patient="P-one")
    settings.DISK_RESERVE_BYTES = 2**60

    found = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(), actor=admin)

    assert [problem.split(";")[0] for problem in found.problems] == [
        "1 patient on more than one side",
        "the storage has 0 MB free, the run needs 406 MB",
    ]


def test_processes_that_share_a_batch_need_memory_each_and_an_even_share(admin, settings):
    snapshot = ready_snapshot(admin)
    alone = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(batch_size=8), actor=admin)
    settings.TRAINING_PROCESSES = 3

    shared = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(batch_size=8), actor=admin)

    assert (alone.processes, shared.processes, shared.can_run) == (1, 3, False)
    assert "a batch of 8 slices does not divide by the 3 processes that learn here" in shared.problems
    assert shared.memory_needed_bytes - alone.memory_needed_bytes == 2 * (1024**3 + 24 * 4 * 256 * 256)


def test_the_time_follows_from_a_measured_step(admin, run):
    services.renew_run(claimed(run), learned_to(point(1)))

    found = services.preflight(snapshot_id=run.snapshot_id, recipe=Recipe(steps=400, batch_size=16), actor=admin)

    assert (found.seconds_per_step, found.estimated_minutes) == (3.0, 20.0)


def heard_of_gpu_worker(*gpus: Gpu) -> None:
    started, seen = timezone.now(), timezone.now() + timedelta(hours=1)  # whatever the machine does meanwhile
    workers.tell(workers.Worker("training@gpu", ("training",), "cuda", started, seen, gpus))


def test_a_worker_that_is_to_compute_on_a_gpu_and_finds_none_rules_a_run_out(admin):
    snapshot = ready_snapshot(admin)
    heard_of_gpu_worker()

    found = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(), actor=admin)

    assert found.problems == (
        "worker training@gpu is told to compute on cuda and finds no GPU: nvidia-smi names none there",
    )


def test_memory_is_judged_where_the_run_will_be_and_not_in_the_web(admin):
    snapshot = ready_snapshot(admin)
    started, seen = timezone.now(), timezone.now() + timedelta(hours=1)
    for name, memory, disk in (("large", 64 * 2**30, 10**12), ("small", 2**30, 10**11)):
        worker = workers.Worker(f"training@{name}", ("training",), "cpu", started, seen, (), memory, disk)
        workers.tell(worker)

    found = services.preflight(snapshot_id=snapshot.pk, recipe=Recipe(), actor=admin)

    assert (found.memory_free_bytes, found.disk_free_bytes) == (2**30, 10**11)
    assert found.problems == (
        f"worker training@small has 1024 MB of memory free, the run needs {found.memory_needed_bytes // 2**20} MB",
    )


def test_memory_of_a_gpu_is_judged_by_what_a_run_took_of_one(admin, run):
    taken = services.Resources(1.0, 8, None, 10**9, 10**10, "2 x NVIDIA H200", 3 * 2**30, 4 * 2**30, 282 * 2**30)
    claim = services.claim_run(run_id=run.pk, worker="worker-1", device="cuda", processes=2)
    assert claim is not None
    services.renew_run(claim, replace(learned_to(point(1)), resources=taken))
    heard_of_gpu_worker(Gpu("NVIDIA H200", 141 * 2**30, 3 * 2**30))

    usual = services.preflight(snapshot_id=run.snapshot_id, recipe=Recipe(batch_size=8), actor=admin)
    double = services.preflight(snapshot_id=run.snapshot_id, recipe=Recipe(batch_size=16), actor=admin)

    assert (usual.gpu_memory_needed_bytes, usual.can_run) == (2 * 2**30, True)
    assert double.problems == ("NVIDIA H200 of worker training@gpu has 3072 MB free, the run needs 4096 MB",)


def test_one_worker_at_a_time_works_on_a_run(run):
    first = claimed(run)

    second = services.claim_run(run_id=run.pk, worker="worker-2", device="cpu")

    assert second is None
    services.renew_run(first, learned_to(point(1)))


def test_steps_are_kept_with_loss_and_validation(run, admin):
    claim = claimed(run)
    services.renew_run(claim, learned_to(point(1, loss=1.5), point(2, loss=1.25, dice=0.5)))

    rows = list(services.read_points(run_id=run.pk, after=1, actor=admin))

    run.refresh_from_db()
    assert [(row.step, row.loss, row.validation_dice) for row in rows] == [(2, 1.25, 0.5)]
    assert (run.step, run.loss, run.best_dice, run.best_step, run.seconds) == (2, 1.25, 0.5, 2, 12.0)


def test_of_a_long_run_some_steps_can_be_told_and_every_validation(run, admin):
    services.renew_run(claimed(run), learned_to(*(point(n, dice=0.5 if n == 5 else None) for n in range(1, 10))))
    client = token_client(admin)

    told = client.get(f"/api/v1/runs/{run.pk}/points", {"every": 4, "after": 3}).json()
    refused = client.get(f"/api/v1/runs/{run.pk}/points", {"every": 0})

    assert [row["step"] for row in told["results"]] == [4, 5, 8]
    assert (told["count"], refused.status_code) == (3, 400)


def test_a_step_taken_again_after_a_kill_is_the_same_point(run):
    services.renew_run(claimed(run), learned_to(point(1), point(2), point(3, loss=0.75)))
    die(run)
    services.tend()

    services.renew_run(claimed(run), learned_to(point(3, loss=0.25)))

    assert list(RunPoint.objects.values_list("step", "loss")) == [(1, 0.5), (2, 0.5), (3, 0.25)]


def test_a_worker_that_lost_its_claim_writes_nothing(run):
    late = claimed(run)
    die(run)
    services.tend()
    claimed(run)

    with pytest.raises(ClaimLostError):
        services.renew_run(late, learned_to(point(9)))

    assert RunPoint.objects.count() == 0


def test_a_run_that_gets_further_outlives_any_number_of_workers(run):
    for step in range(1, 7):
        services.renew_run(claimed(run), learned_to(point(step, dice=0.1)))
        die(run)
        services.tend()

    run.refresh_from_db()
    assert (run.state, run.step) == (RunState.QUEUED, 6)


def test_a_run_of_which_every_worker_dies_has_failed(run):
    for _ in range(3):
        claimed(run)
        die(run)
        services.tend()

    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.reason == "The worker died 3 times without getting further than step 0."


def test_a_worker_hears_of_a_cancelled_run_at_its_next_step(run, admin):
    claim = claimed(run)
    services.cancel_run(run_id=run.pk, actor=admin)

    with pytest.raises(services.RunCancelledError, match=f"cancelled by {admin.username}"):
        services.renew_run(claim, learned_to(point(1)))
    services.keep_best(run_id=run.pk, key="models/ab/abc")

    run.refresh_from_db()
    assert (run.state, run.best_key, run.lease_token) == (RunState.CANCELLED, "models/ab/abc", None)
    with pytest.raises(services.RunCancelledError):
        services.fail_run(claim, reason="too late")


def test_a_run_is_asked_for_and_followed_over_rest(admin, sent_tasks, django_capture_on_commit_callbacks):
    client, snapshot = token_client(admin), ready_snapshot(admin)
    body = {"snapshot": str(snapshot.pk), "recipe": {"steps": 8, "start": "champion"}, "max_minutes": 5}

    ahead = client.post("/api/v1/runs/preflight", body, content_type="application/json")
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post("/api/v1/runs", body, content_type="application/json")
    read = client.get(asked["Location"]).json()

    assert (ahead.status_code, ahead.json()["can_run"], asked.status_code) == (200, True, 202)
    assert ("training.train", (read["id"],), "training") in sent_tasks
    assert (read["state"], read["recipe"]["steps"], read["recipe"]["max_minutes"]) == ("queued", 8, 5)
    assert client.get(asked["Location"] + "/points").json()["results"] == []


def trial_of(*, candidate: float, champion: float) -> services.Trial:
    return services.Trial(
        patient="P-test",
        study="P-test/S-test",
        scanner="Vendor One",
        true_volume_ml=2.0,
        candidate=services.Figures(
            candidate, candidate, 1, 1.0, 0.1, peak_memory_bytes=400_000_000, processor_seconds=1.0
        ),
        champion=services.Figures(
            champion, champion, 1, 1.0, 0.1, peak_memory_bytes=400_000_000, processor_seconds=1.0
        ),
    )


def learned(run: TrainingRun, *, candidate: float, champion: float) -> services.Learned:
    """What a worker tells at the end; Dice of both models on the one test study."""
    trial = trial_of(candidate=candidate, champion=champion)
    return services.Learned(
        sha256="2" * 64,
        onnx_key="models/22/22",
        safetensors_key="models/33/33",
        safetensors_sha256="3" * 64,
        identity={
            "name": "phantom-reader",
            "version": "trained-1",
            "preprocessing_version": "1",
            "network": {"name": "phantom-reader"},
        },
        parity={"largest_probability_difference": 1e-5, "slices": 8},
        best=(0.75, 9),
        left_out=("P-1/S-1 is left out: no head",),
        champion_id=run.start_model_id,
        trials=(trial,),
    )


def test_a_run_ends_with_a_candidate_its_card_and_a_verdict(run):
    claim = claimed(run)
    services.renew_run(claim, learned_to(point(10, dice=0.75)))

    model = services.complete_run(claim, learned(run, candidate=0.7, champion=0.6))

    run.refresh_from_db()
    verdict = model.verdicts.get()
    assert (run.state, run.model, run.lease_token) == (RunState.SUCCEEDED, model, None)
    assert run.warnings[-1] == "P-1/S-1 is left out: no head"
    assert (model.stage, model.origin, model.onnx_key) == ("candidate", "trained", "models/22/22")
    assert model.facts["metrics"] == {
        "test_patients": 1,
        "dice": 0.7,
        "lesion_f1": 0.7,
        "champion_dice": 0.6,
        "champion_lesion_f1": 0.6,
        "groups": [one.as_json() for one in groups_of([trial_of(candidate=0.7, champion=0.6)]) if one.group == "all"],
    }
    assert "| all | any-plaque Dice | 1 | 0.700 | 0.600 |" in model.card
    assert "Of groups of fewer than 3 patients nothing is said." in model.card
    assert "Vendor One" not in model.card
    assert model.facts["snapshot"]["sha256"] == run.snapshot.sha256
    assert model.facts["trained_on"]["sizes"] == {"medium": 2, "large": 1}
    assert "| this model | 0.700 | 0.700 |" in model.card
    assert (verdict.champion_id, verdict.is_passed) == (run.start_model_id, False)
    assert [rule["rule"] for rule in verdict.rules if not rule["is_passed"]] == ["test patients"]


def test_a_result_is_written_once(run):
    late = claimed(run)
    die(run)
    services.tend()
    services.complete_run(claimed(run), learned(run, candidate=0.7, champion=0.6))

    with pytest.raises(ClaimLostError):
        services.complete_run(late, learned(run, candidate=0.9, champion=0.6))

    run.refresh_from_db()
    assert run.model.facts["metrics"]["dice"] == 0.7
