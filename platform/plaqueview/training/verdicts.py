"""What the gate has said of a model: kept for good, and the newest one counts."""

from collections.abc import Sequence
from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.training.gate import Trial, judge
from plaqueview.training.models import DatasetSnapshot, GateVerdict


def keep_verdict(
    model: ModelVersion, champion: ModelVersion, trials: Sequence[Trial], *, snapshot: DatasetSnapshot
) -> GateVerdict:
    """The gate has judged the model by the trials on the snapshot's test side."""
    rules = judge(trials)
    return GateVerdict.objects.create(
        candidate=model,
        champion=champion,
        snapshot=snapshot,
        is_passed=all(rule.is_passed for rule in rules),
        rules=[rule.as_json() for rule in rules],
        figures=[trial.as_json() for trial in trials],
    )


def verdict_on(model_id: UUID) -> GateVerdict | None:
    """The newest one; None of a model that the gate has not judged."""
    verdicts = GateVerdict.objects.select_related("candidate", "champion", "snapshot")
    return verdicts.filter(candidate=model_id).order_by("-created").first()


def is_current(verdict: GateVerdict) -> bool:
    """Whether the verdict is against today's champion."""
    return verdict.champion.stage == Stage.CHAMPION


def read_verdict(*, model_id: UUID, actor: User) -> GateVerdict:
    """What the gate said of the model.

    Raises: DeniedError; NotFoundError when there is no such model, or the gate has not judged it.
    """
    require(actor, Action.MODEL_READ)
    verdict = verdict_on(model_id)
    if verdict is None:
        raise NotFoundError("no such model, or none that the gate has judged")
    return verdict


def may_see_figures(verdict: GateVerdict, actor: User) -> bool:
    """Whether the test patients are of the actor's sites: one row is of one patient, and a group may be."""
    return DatasetSnapshot.objects.visible_to(actor).filter(pk=verdict.snapshot_id).exists()
