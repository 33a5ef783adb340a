"""What an administrator asks of schedules: one more, a change, its end, a look."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import time
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from plaqueview.accounts.models import Site, User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.queue import DEFAULT_QUEUE
from plaqueview.training.cron import CronError, parse_cron
from plaqueview.training.models import Firing, Schedule
from plaqueview.training.recipe import Recipe
from plaqueview.training.rules import InclusionRules
from plaqueview.training.snapshots import sites_of_actor

FIRE_TASK: Final = "training.fire"


@dataclass(frozen=True)
class Plan:
    """When to learn, from what and how; `window` is from when until when a run may learn, None at any time."""

    name: str
    cron: str
    minimum_new_studies: int
    window: tuple[time, time] | None
    rules: InclusionRules
    recipe: Recipe
    is_active: bool = True


@transaction.atomic
def create_schedule(*, plan: Plan, site_ids: Collection[UUID], actor: User) -> Schedule:
    """The clock fires the schedule from now on, on behalf of the actor; at all of their sites where none is named.

    Raises: DeniedError; InvalidError when a site is none of the actor's, or the plan cannot be.
    """
    require(actor, Action.TRAINING_MANAGE)
    sites = sites_of_actor(site_ids, actor)
    schedule = Schedule(author=actor)
    task = PeriodicTask(
        name=f"training schedule {schedule.pk}",
        task=FIRE_TASK,
        args=json.dumps([str(schedule.pk)]),
        queue=DEFAULT_QUEUE,
    )
    _set(schedule, task, plan)
    schedule.sites.set(sites)
    _record(EventKind.SCHEDULE_CREATED, schedule, actor)
    return schedule


@transaction.atomic
def change_schedule(*, schedule_id: UUID, plan: Plan, actor: User) -> Schedule:
    """The schedule is as planned, and is on behalf of who changed it; what it has begun goes on.

    Raises: DeniedError, NotFoundError; InvalidError when the plan cannot be.
    """
    require(actor, Action.TRAINING_MANAGE)
    visible_schedule(schedule_id, actor)
    schedule = Schedule.objects.select_for_update(of=("self",)).select_related("task").get(pk=schedule_id)
    schedule.author = actor
    _set(schedule, schedule.task, plan)
    _record(EventKind.SCHEDULE_CHANGED, schedule, actor)
    return schedule


@transaction.atomic
def remove_schedule(*, schedule_id: UUID, actor: User) -> None:
    """The schedule is gone with the lines of its firings; snapshots and runs stay.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.TRAINING_MANAGE)
    schedule = visible_schedule(schedule_id, actor)
    _record(EventKind.SCHEDULE_REMOVED, schedule, actor)
    schedule.delete()
    schedule.task.delete()


def read_schedules(*, actor: User) -> QuerySet[Schedule]:
    """The schedules that the actor may see, by name; that they were read is on record once in a while.

    Raises: DeniedError.
    """
    require(actor, Action.TRAINING_READ)
    audit.record_once(EventKind.SCHEDULE_READ, actor=actor, object_type="schedule", object_id="", site_id=None)
    return Schedule.objects.visible_to(actor).select_related("author").prefetch_related("sites").order_by("name")


def read_schedule(*, schedule_id: UUID, actor: User) -> Schedule:
    """Raises: DeniedError, NotFoundError."""
    require(actor, Action.TRAINING_READ)
    schedule = visible_schedule(schedule_id, actor)
    audit.record_once(EventKind.SCHEDULE_READ, actor=actor, object_type="schedule", object_id=schedule.pk, site_id=None)
    return schedule


def read_firings(*, schedule_id: UUID, actor: User) -> QuerySet[Firing]:
    """What the schedule did each time that it was due, newest first.

    Raises: DeniedError, NotFoundError.
    """
    return Firing.objects.filter(schedule=read_schedule(schedule_id=schedule_id, actor=actor)).order_by("-due_at")


def visible_schedule(schedule_id: UUID, actor: User) -> Schedule:
    """Raises: NotFoundError when there is none that the actor may see."""
    found = Schedule.objects.visible_to(actor).select_related("author", "task").filter(pk=schedule_id).first()
    if found is None:
        raise NotFoundError("no such schedule, or none that you may see")
    return found


def plan_of(schedule: Schedule) -> Plan:
    """What was asked for."""
    window = (schedule.window_from, schedule.window_until)
    return Plan(
        name=schedule.name,
        cron=schedule.cron,
        minimum_new_studies=schedule.minimum_new_studies,
        window=None if window[0] is None or window[1] is None else (window[0], window[1]),
        rules=InclusionRules.from_json(schedule.rules),
        recipe=Recipe.from_json(schedule.recipe),
        is_active=schedule.is_active,
    )


def _set(schedule: Schedule, task: PeriodicTask, plan: Plan) -> None:
    try:
        parse_cron(plan.cron)
    except CronError as error:
        raise InvalidError(str(error), fields={"cron": str(error)}) from error
    if plan.window is not None and plan.window[0] == plan.window[1]:
        why = "the window has no minute; leave it out for any time"
        raise InvalidError(why, fields={"window_until": why})
    task.crontab, task.enabled = _crontab(plan.cron), plan.is_active
    task.save()
    schedule.task = task
    schedule.name, schedule.cron, schedule.is_active = plan.name, plan.cron, plan.is_active
    schedule.minimum_new_studies = plan.minimum_new_studies
    schedule.window_from, schedule.window_until = plan.window or (None, None)
    schedule.rules, schedule.recipe = plan.rules.as_json(), plan.recipe.as_json()
    schedule.save()


def _crontab(text: str) -> CrontabSchedule:
    """The clock's own row of the expression, shared by all that are due at the same times."""
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    fields = dict(zip(names, text.split(" "), strict=True))
    return CrontabSchedule.objects.get_or_create(**fields, timezone=settings.TIME_ZONE)[0]


def _record(kind: EventKind, schedule: Schedule, actor: User) -> None:
    sites = list(schedule.sites.values_list("pk", flat=True))
    audit.record(
        kind,
        actor=actor,
        object_type="schedule",
        object_id=schedule.pk,
        site_id=sites[0] if len(sites) == 1 else None,
        details={
            "cron": schedule.cron,
            "is_active": schedule.is_active,
            "minimum_new_studies": schedule.minimum_new_studies,
        },
    )


def sites_of(schedule: Schedule) -> list[Site]:
    return list(schedule.sites.order_by("pk"))
