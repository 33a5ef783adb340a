"""Which model reads new studies: through the gate and a signature, against it by two, and back in one step."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError, ReauthenticationError
from plaqueview.registry import journal
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.training.models import Promotion, PromotionKind
from plaqueview.training.verdicts import is_current, verdict_on


class GateNotPassedError(ConflictError):
    """The candidate has no passed verdict against today's champion."""

    code = "gate_not_passed"


class SecondAdministratorError(ConflictError):
    """Who asked for an override cannot second it."""

    code = "second_administrator_needed"


@transaction.atomic
def promote(*, model_id: UUID, comment: str, is_override: bool, is_reauthenticated: bool, actor: User) -> Promotion:
    """The candidate reads new studies from now on; old results keep their stamp.

    With an override of a failed gate it waits until a second administrator asks for the same.

    Raises: DeniedError; NotFoundError; ConflictError when the model is no candidate; InvalidError without a comment;
    GateNotPassedError; ReauthenticationError; SecondAdministratorError.
    """
    require(actor, Action.MODEL_MANAGE)
    model = _locked(model_id)
    if model.stage not in {Stage.CANDIDATE, Stage.SHADOW}:
        raise ConflictError(f"the model is {model.stage}; only a candidate, also one that reads along, can be promoted")
    if not comment.strip():
        raise InvalidError("say why the model is promoted", fields={"comment": "say why the model is promoted"})
    has_passed = _has_passed(model)
    if not has_passed and not is_override:
        raise GateNotPassedError(_why_not(model))
    if not is_reauthenticated:
        raise ReauthenticationError("give your password again; only who has just done so can promote a model")
    if has_passed:
        return _done(Promotion(model=model, kind=PromotionKind.PROMOTION, comment=comment, by=actor))
    return _override(model, comment, actor)


@transaction.atomic
def roll_back(*, model_id: UUID, comment: str, actor: User) -> Promotion:
    """The model that the champion replaced reads new studies again.

    Raises: DeniedError; NotFoundError; ConflictError when the model is not the champion, or replaced none.
    """
    require(actor, Action.MODEL_MANAGE)
    model = _locked(model_id)
    if model.stage != Stage.CHAMPION:
        raise ConflictError(f"the model is {model.stage}; only the champion can be rolled back")
    made = Promotion.objects.filter(model=model, done_at__isnull=False).exclude(kind=PromotionKind.ROLLBACK)
    last = made.order_by("-done_at").select_related("replaced").first()
    if last is None or last.replaced is None:
        raise ConflictError("this champion replaced no model, so there is none to go back to")
    return _done(Promotion(model=last.replaced, kind=PromotionKind.ROLLBACK, comment=comment, by=actor))


def _override(model: ModelVersion, comment: str, actor: User) -> Promotion:
    waiting = Promotion.objects.select_for_update().filter(model=model, done_at=None).first()
    if waiting is None:
        asked = Promotion.objects.create(model=model, kind=PromotionKind.OVERRIDE, comment=comment, by=actor)
        _record(EventKind.MODEL_OVERRIDE_ASKED, asked, actor)
        journal.publish_model(model)
        return asked
    if waiting.by_id == actor.pk:
        raise SecondAdministratorError("you have asked for this override; another administrator has to second it")
    waiting.seconded_by, waiting.comment = actor, f"{waiting.comment}\n{comment}"
    return _done(waiting)


def _done(promotion: Promotion) -> Promotion:
    promotion.replaced = registry.make_champion(promotion.model)
    promotion.done_at = timezone.now()
    promotion.save()
    is_rollback = promotion.kind == PromotionKind.ROLLBACK
    kind = EventKind.MODEL_ROLLED_BACK if is_rollback else EventKind.MODEL_PROMOTED
    _record(kind, promotion, promotion.seconded_by or promotion.by)
    for model in filter(None, (promotion.model, promotion.replaced)):
        journal.publish_model(model)
    return promotion


def _record(kind: EventKind, promotion: Promotion, actor: User) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="model",
        object_id=promotion.model_id,
        details={
            "kind": promotion.kind,
            "comment": promotion.comment,
            "asked_by": str(promotion.by_id),
            "replaced": str(promotion.replaced_id or ""),
        },
    )


def _has_passed(model: ModelVersion) -> bool:
    verdict = verdict_on(model.pk)
    return verdict is not None and verdict.is_passed and is_current(verdict)


def _why_not(model: ModelVersion) -> str:
    verdict = verdict_on(model.pk)
    if verdict is None:
        return "the gate has not judged this model"
    if not is_current(verdict):
        return f"the gate judged it against {verdict.champion.version}, which is no longer the champion"
    failed = [
        f"{rule['rule']}: {rule['found']}, need {rule['needed']}" for rule in verdict.rules if not rule["is_passed"]
    ]
    return "the gate was not passed; " + "; ".join(failed)


def _locked(model_id: UUID) -> ModelVersion:
    model = ModelVersion.objects.select_for_update().filter(pk=model_id).first()
    if model is None:
        raise NotFoundError("no such model")
    return model
