"""What a worker leaves behind: a candidate with its verdict, written once, or a reason, or the best weights so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from plaqueview import __version__
from plaqueview.registry import journal as registry_journal
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion, Origin
from plaqueview.training.cards import card_of, caveat_of
from plaqueview.training.gate import Trial, by_patient
from plaqueview.training.groups import groups_of, told_to_everybody
from plaqueview.training.models import RunStage, RunState, TrainingRun
from plaqueview.training.run_leases import RunClaim, held_run
from plaqueview.training.runs import end_run
from plaqueview.training.trained_on import trained_on
from plaqueview.training.verdicts import keep_verdict


@dataclass(frozen=True)
class Learned:
    """What a worker made: where the files lie, what the weights say of themselves, and how they did.

    `identity` is name, version, preprocessing_version and network as JSON. `best` are the best validation's Dice and
    step; `left_out` are studies that could not be prepared, with the reason.
    """

    sha256: str
    onnx_key: str
    safetensors_key: str
    safetensors_sha256: str
    identity: Mapping[str, Any]  # Any: JSON
    parity: Mapping[str, Any]  # Any: JSON
    best: tuple[float, int]
    left_out: tuple[str, ...]
    champion_id: UUID
    trials: tuple[Trial, ...]


@transaction.atomic
def complete_run(claim: RunClaim, learned: Learned) -> ModelVersion:
    """The run has succeeded with a candidate, its card and the gate's verdict: all of it, or nothing.

    Raises: RunCancelledError, ClaimLostError.
    """
    run = held_run(claim)
    champion = ModelVersion.objects.get(pk=learned.champion_id)
    facts = _facts(run, learned, champion)
    title = f"{learned.identity['name']} {learned.identity['version']}"
    model = registry.register_new(
        registry.NewModel(
            name=learned.identity["name"],
            version=learned.identity["version"],
            sha256=learned.sha256,
            preprocessing_version=learned.identity["preprocessing_version"],
            card=card_of(title, facts, told_to_everybody(groups_of(learned.trials))),
            facts=facts,
            caveat=caveat_of(run.snapshot.counts),
            onnx_key=learned.onnx_key,
            safetensors_key=learned.safetensors_key,
        ),
        origin=Origin.TRAINED,
    )
    keep_verdict(model, champion, learned.trials, snapshot=run.snapshot)
    run.model, run.stage, run.best_key = model, RunStage.SAVING, learned.safetensors_key
    run.warnings = [*run.warnings, *learned.left_out]
    end_run(run, RunState.SUCCEEDED, reason="", actor=None)
    registry_journal.publish_model(model)
    return model


@transaction.atomic
def fail_run(claim: RunClaim, *, reason: str) -> None:
    """The run has failed, with the reason that a user reads.

    Raises: RunCancelledError, ClaimLostError.
    """
    end_run(held_run(claim), RunState.FAILED, reason=reason, actor=None)


@transaction.atomic
def keep_best(*, run_id: UUID, key: str) -> None:
    """A run that was cancelled keeps the weights of its best validation."""
    TrainingRun.objects.filter(pk=run_id, state=RunState.CANCELLED).update(best_key=key)


def _facts(run: TrainingRun, learned: Learned, champion: ModelVersion) -> dict[str, Any]:  # Any: JSON
    start = f"{run.start_model.name} {run.start_model.version}" if run.start_model else "an encoder of photographs"
    return {
        **learned.identity,
        "safetensors_sha256": learned.safetensors_sha256,
        "parity": dict(learned.parity),
        "run": str(run.pk),
        "snapshot": {"id": str(run.snapshot_id), "sha256": run.snapshot.sha256, "counts": run.snapshot.counts},
        "trained_on": trained_on(run).as_json(),
        "recipe": run.recipe,
        "start": start,
        "champion": f"{champion.name} {champion.version}",
        "code_version": __version__,
        "device": run.device,
        "processes": run.processes,
        "learned_seconds": round(run.seconds, 1),
        "best_dice": learned.best[0],
        "best_step": learned.best[1],
        "left_out": list(learned.left_out),
        "metrics": _metrics(learned.trials),
    }


def _metrics(trials: tuple[Trial, ...]) -> dict[str, Any]:  # Any: JSON
    """Means over the test patients."""
    dice = list(by_patient(trials, lambda one: one.dice).values())
    lesion_f1 = list(by_patient(trials, lambda one: one.lesion_f1).values())
    return {
        "test_patients": len(dice),
        "dice": sum(pair[0] for pair in dice) / len(dice),
        "lesion_f1": sum(pair[0] for pair in lesion_f1) / len(lesion_f1),
        "champion_dice": sum(pair[1] for pair in dice) / len(dice),
        "champion_lesion_f1": sum(pair[1] for pair in lesion_f1) / len(lesion_f1),
        "groups": [group.as_json() for group in told_to_everybody(groups_of(trials))],
    }
