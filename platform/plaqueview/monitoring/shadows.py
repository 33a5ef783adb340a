"""Which model reads along: begun and ended by an administrator, on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.monitoring.models import LIVE_STATES, ReadingState, ShadowPeriod, ShadowReading
from plaqueview.registry import journal
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion, Stage

ENDED = "The model no longer reads along."


@dataclass(frozen=True)
class Means:
    """Over `studies` readings; `class_agreement` over those that have a pair of lesions, None without any."""

    studies: int
    dice: float
    lesion_f1: float
    class_agreement: float | None


@dataclass(frozen=True)
class Standing:
    """How a model in shadow does, over the studies that the asking user may see; None where nothing is compared yet.

    `against_final` and `champion_against_final` are over the same studies.
    """

    period: ShadowPeriod
    counts: Mapping[str, int]
    against_champion: Means | None
    against_final: Means | None
    champion_against_final: Means | None


@transaction.atomic
def start_shadow(*, model_id: UUID, actor: User) -> ShadowPeriod:
    """The candidate reads every new study from now on, behind all others, and its answers are kept for comparison.

    Raises: DeniedError; NotFoundError; ConflictError when the model is no candidate, has no weights here, or another
    reads along.
    """
    require(actor, Action.MODEL_MANAGE)
    model = _locked(model_id)
    if model.stage != Stage.CANDIDATE:
        raise ConflictError(f"the model is {model.stage}; only a candidate can read along")
    if not model.onnx_key:
        raise ConflictError(
            "the files of this model come with another version of the software; nothing here can run it"
        )
    registry.enter_shadow(model)
    period = ShadowPeriod.objects.create(model=model, started_by=actor)
    _record(EventKind.MODEL_SHADOW_STARTED, period, actor)
    journal.publish_model(model)
    return period


@transaction.atomic
def end_shadow(*, model_id: UUID, actor: User) -> ShadowPeriod:
    """The model is a candidate again and reads nothing; what it said stays.

    Raises: DeniedError; NotFoundError; ConflictError when it does not read along.
    """
    require(actor, Action.MODEL_MANAGE)
    model = _locked(model_id)
    if model.stage != Stage.SHADOW:
        raise ConflictError(f"the model is {model.stage}; it does not read along")
    registry.leave_shadow(model)
    period = ShadowPeriod.objects.select_for_update(of=("self",)).get(model=model, ended_at=None)
    close_period(period, actor)
    journal.publish_model(model)
    return period


def close_period(period: ShadowPeriod, actor: User | None) -> None:
    """Nothing more is read in it; a worker that is at a study hears of it at its next step. None is the system."""
    period.ended_at, period.ended_by = timezone.now(), actor
    period.save()
    live = ShadowReading.objects.filter(period=period, state__in=LIVE_STATES)
    live.update(
        state=ReadingState.CANCELLED, reason=ENDED, lease_token=None, lease_expires_at=None, finished_at=timezone.now()
    )
    _record(EventKind.MODEL_SHADOW_ENDED, period, actor)


@transaction.atomic
def close_left_periods() -> None:
    """A model that was promoted meanwhile no longer reads along."""
    for period in ShadowPeriod.objects.filter(ended_at=None).exclude(model__stage=Stage.SHADOW):
        close_period(period, None)


def read_shadow(*, model_id: UUID, actor: User) -> Standing:
    """How the model does, or did the last time, in shadow.

    Raises: DeniedError; NotFoundError when there is no such model, or it never read along.
    """
    period = _period_of(model_id, actor)
    readings = ShadowReading.objects.visible_to(actor).filter(period=period)
    counts = dict(readings.order_by().values_list("state").annotate(count=Count("pk")))
    compared = readings.filter(against_final__isnull=False)
    return Standing(
        period=period,
        counts={state: counts.get(state, 0) for state in ReadingState.values},
        against_champion=_means(readings, "against_champion"),
        against_final=_means(compared, "against_final"),
        champion_against_final=_means(compared, "champion_against_final"),
    )


@transaction.atomic
def read_readings(*, model_id: UUID, actor: User) -> QuerySet[ShadowReading]:
    """What the model said in shadow, newest first, of the studies that the actor may see; the reading is on record.

    Raises: DeniedError; NotFoundError when there is no such model, or it never read along.
    """
    period = _period_of(model_id, actor)
    audit.record_once(EventKind.STUDY_READ, actor=actor, object_type="model", object_id=model_id, site_id=None)
    return ShadowReading.objects.visible_to(actor).filter(period=period).order_by("-created", "pk")


def _period_of(model_id: UUID, actor: User) -> ShadowPeriod:
    require(actor, Action.TRAINING_READ)
    periods = ShadowPeriod.objects.select_related("model", "started_by", "ended_by").filter(model=model_id)
    period = periods.order_by("-created").first()
    if period is None:
        raise NotFoundError("no such model, or one that never read along")
    return period


def _means(readings: QuerySet[ShadowReading], column: str) -> Means | None:
    figures: list[dict[str, Any]] = [  # Any: JSON
        one for one in readings.values_list(column, flat=True) if one is not None
    ]
    if not figures:
        return None
    agreements = [one["class_agreement"] for one in figures if one["class_agreement"] is not None]
    return Means(
        studies=len(figures),
        dice=sum(one["dice"] for one in figures) / len(figures),
        lesion_f1=sum(one["lesion_f1"] for one in figures) / len(figures),
        class_agreement=sum(agreements) / len(agreements) if agreements else None,
    )


def _locked(model_id: UUID) -> ModelVersion:
    model = ModelVersion.objects.select_for_update().filter(pk=model_id).first()
    if model is None:
        raise NotFoundError("no such model")
    return model


def _record(kind: EventKind, period: ShadowPeriod, actor: User | None) -> None:
    details = {"version": period.model.version, "period": str(period.pk)}
    audit.record(kind, actor=actor, object_type="model", object_id=period.model_id, details=details)
