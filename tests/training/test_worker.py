"""A real training worker, a real broker, and SIGKILL in mid-run: the run goes on from its state, to one candidate."""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.gate_tasks import evaluate
from inference_worker.prediction import shipped_weights
from inference_worker.tasks import reader
from inference_worker.training_tasks import train
from plaqueview.accounts.services import create_site
from plaqueview.audit.services import verify_chain
from plaqueview.core.errors import ConflictError
from plaqueview.core.storage import store_bytes, stored_path
from plaqueview.imaging.nifti import read_volume_nifti, write_volume_nifti
from plaqueview.registry.models import ModelVersion, Origin, Stage
from plaqueview.registry.services import NewModel, register_new, register_shipped
from plaqueview.training import services
from plaqueview.training.importing import import_case
from plaqueview.training.labelled_files import find_cases
from plaqueview.training.models import EvaluationState, GateVerdict, RunPoint, RunState, TrainingRun
from plaqueview.training.recipe import Recipe
from tests.inference.processes import kill, said, wait_until, worker
from tests.training.scenes import built_snapshot, import_cases, make_admin, write_cases

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.training]

# A message soon seen again, so that a death is noticed while a test waits.
QUICK = {"PLAQUEVIEW_VISIBILITY_TIMEOUT_S": "3", "PLAQUEVIEW_TRAINING_THREADS": "1"}
# Of who will be killed; other leases outlast a machine that leaves a worker without its turn.
SHORT_LEASE = {"PLAQUEVIEW_TRAINING_LEASE_S": "3"}
TWO_PROCESSES = {"PLAQUEVIEW_TRAINING_PROCESSES": "2"}
RUN_TIMEOUT_S = 1200.0
STEPS = 5


def training_worker(log: Path, **changes: str):
    """It takes its time: torch is large."""
    told = QUICK | changes
    return worker("training", log=log, include="inference_worker.training_tasks", start_s=RUN_TIMEOUT_S, **told)


def learners_of(run: TrainingRun) -> list[str]:
    """The processes that learn the run, by their command lines."""
    found = subprocess.run(["pgrep", "-f", f"learning_process.*{run.pk}"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def wait_for(run: TrainingRun, what: str, condition, log: Path) -> None:
    def is_there() -> bool:
        run.refresh_from_db()
        return condition(run)

    wait_until(is_there, what=what, log=log, timeout_s=RUN_TIMEOUT_S)


def test_a_run_of_two_processes_whose_worker_is_killed_goes_on_to_one_candidate(tmp_path):
    """With one process: what two have learned is what one would have, and the state says no number."""
    log = tmp_path / "workers.log"
    shipped = register_shipped(reader().shipped)
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    admin = make_admin()
    recipe = Recipe(steps=STEPS, batch_size=2, validate_every=1)
    run = services.request_run(snapshot_id=built_snapshot(admin).pk, recipe=recipe, actor=admin)

    with training_worker(log, **SHORT_LEASE, **TWO_PROCESSES) as first:
        wait_for(run, "two steps", lambda run: run.step >= 2, log)
        os.kill(first.pid, signal.SIGKILL)  # none of its processes is told
        wait_until(lambda: not learners_of(run), what="the processes to end with their worker", log=log)
        kill(first)
    run.refresh_from_db()
    assert (run.state, run.model, run.processes) == (RunState.RUNNING, None, 2)
    with training_worker(log):
        wait_for(run, "the run to succeed", lambda run: run.state == RunState.SUCCEEDED, log)

    model = ModelVersion.objects.exclude(pk=shipped.pk).get()
    verdict = GateVerdict.objects.get()
    assert "goes on at step" in said(log)
    assert list(RunPoint.objects.values_list("step", flat=True)) == list(range(1, STEPS + 1))
    assert {sample.step for sample in run.samples.all()} == {STEPS}
    assert run.resources["memory_peak_bytes"] > 0
    assert (run.processes, model.facts["processes"]) == (1, 1)
    assert [line.text for line in run.lines.all()][-2:] == ["saving begins", "succeeded"]
    assert len([line for line in run.lines.all() if line.text.startswith("taken by ")]) == 2
    assert next(rule["is_passed"] for rule in verdict.rules if rule["rule"] == "memory")
    assert (run.model, model.stage, model.facts["recipe"]["steps"]) == (model, Stage.CANDIDATE, STEPS)
    assert (verdict.candidate, verdict.champion, len(verdict.figures)) == (model, shipped, 1)
    assert stored_path(model.onnx_key).name == model.sha256
    assert not (stored_path("runs") / str(run.pk)).exists()
    assert verify_chain().problems == ()


def test_a_snapshot_whose_labels_are_of_other_images_is_stopped_by_the_gate(tmp_path, settings):
    """Shuffled labels: whatever is learned from them, the champion finds nothing where they say that plaques are."""
    settings.GATE_MINIMUM_PATIENTS, settings.TRAINING_LEASE_S = 1, 600
    register_shipped(reader().shipped)
    cases = find_cases(write_cases(tmp_path / "cases", "anna", "berta", "cilka"))
    for case in cases:
        labels = read_volume_nifti(case.labels)
        write_volume_nifti(case.labels, labels.with_voxels(np.roll(labels.voxels, 20, axis=1)))
        import_case(case, site=create_site(name="Ljubljana"))
    admin = make_admin()
    recipe = Recipe(steps=1, batch_size=2, validate_every=1)
    run = services.request_run(snapshot_id=built_snapshot(admin).pk, recipe=recipe, actor=admin)

    train.apply(args=[str(run.pk)], throw=True)

    run.refresh_from_db()
    verdict = services.read_verdict(model_id=run.model_id, actor=admin)
    assert (run.state, run.model.stage, verdict.is_passed) == (RunState.SUCCEEDED, Stage.CANDIDATE, False)
    assert {rule["rule"] for rule in verdict.rules if not rule["is_passed"]} >= {"labels fit the images", "lowest Dice"}
    with pytest.raises(ConflictError, match="labels fit the images: the champion has"):
        services.promote(model_id=run.model_id, comment="Go.", is_override=False, is_reauthenticated=True, actor=admin)


def test_a_model_that_came_by_file_is_tried_beside_the_champion_on_our_own_test_side(tmp_path, settings):
    """The champion's own weights under another name: the gate finds no difference."""
    settings.GATE_MINIMUM_PATIENTS = 1
    shipped = register_shipped(reader().shipped)
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    admin = make_admin()
    snapshot = built_snapshot(admin)
    weights = store_bytes([shipped_weights().read_bytes()], kind="models").key
    imported = register_new(
        NewModel(shipped.name, "elsewhere-1", "e" * 64, shipped.preprocessing_version, "# A card", {}, "", weights, ""),
        origin=Origin.IMPORTED,
    )
    evaluation = services.request_evaluation(model_id=imported.pk, actor=admin)

    evaluate.apply(args=[str(evaluation.pk)], throw=True)

    evaluation.refresh_from_db()
    verdict = services.read_verdict(model_id=imported.pk, actor=admin)
    (figures,) = verdict.figures
    assert (evaluation.state, evaluation.verdict, verdict.snapshot) == (EvaluationState.SUCCEEDED, verdict, snapshot)
    assert figures["candidate"]["dice"] == figures["champion"]["dice"]
    assert figures["candidate"]["active_count"] == figures["champion"]["active_count"]
    assert not (stored_path("runs") / str(evaluation.pk)).exists()
