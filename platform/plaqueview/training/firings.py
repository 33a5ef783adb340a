"""What a schedule does when it is due: once, however many clocks say so, with a line of what it did or why it did not.

A firing freezes a snapshot, and when that is ready asks for the run; both ends are rows, so that a worker who dies in
between costs nothing. `training.tend` takes the second step.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import Site
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action
from plaqueview.training.building import newest_approved
from plaqueview.training.cron import last_due, parse_cron
from plaqueview.training.models import (
    LIVE_STATES,
    DatasetSnapshot,
    Firing,
    FiringState,
    RunState,
    Schedule,
    SnapshotState,
    SnapshotStudy,
    TrainingRun,
)
from plaqueview.training.preflight import inspect
from plaqueview.training.recipe import Recipe
from plaqueview.training.runs import start_run
from plaqueview.training.schedules import Plan, plan_of, sites_of
from plaqueview.training.snapshots import start_snapshot

# The clock that sends a message may be this much ahead of the one of the worker that reads it.
SKEW: Final = timedelta(seconds=30)
LONGEST_LINE: Final = 1000

# Snapshots that teach nothing, and how a line begins that says why.
HAS_NOTHING: Final = {
    SnapshotState.FAILED: "The snapshot failed",
    SnapshotState.WITHDRAWN: "The snapshot was withdrawn",
}


@transaction.atomic
def fire(schedule_id: UUID) -> Firing | None:
    """The schedule has fired for the minute at which it was last due; again, or when it is paused, nothing happens."""
    schedules = Schedule.objects.select_for_update(of=("self",)).select_related("author")
    schedule = schedules.filter(pk=schedule_id, is_active=True).first()
    if schedule is None:
        return None
    now = timezone.now()
    due_at = last_due(parse_cron(schedule.cron), now + SKEW)
    if due_at is None:
        return None
    firing, is_first = Firing.objects.get_or_create(schedule=schedule, due_at=due_at)
    if not is_first:
        return None
    _begin(firing, plan_of(schedule), now)
    return firing


def tend_firings() -> None:
    """Firings whose snapshot has ended go on."""
    ended = [SnapshotState.READY, *HAS_NOTHING]
    waiting = Firing.objects.filter(state=FiringState.FREEZING, snapshot__state__in=ended)
    for firing_id in list(waiting.values_list("pk", flat=True)):
        _go_on(firing_id)


def new_studies_of(sites: Collection[Site]) -> int:
    """How many approved versions of the sites the last run's snapshot has not looked at."""
    runs = TrainingRun.objects.exclude(state__in=[RunState.FAILED, RunState.CANCELLED])
    for site in sites:
        runs = runs.filter(snapshot__sites=site)
    last = runs.order_by("-created").first()
    approved = newest_approved([site.pk for site in sites])
    if last is None:
        return approved.count()
    return approved.exclude(pk__in=SnapshotStudy.objects.filter(snapshot=last.snapshot_id).values("annotation")).count()


def minutes_left(window: tuple[time, time] | None, now: datetime) -> int | None:
    """Whole minutes until the window closes, 0 outside of it; None where there is no window."""
    if window is None:
        return None
    clock, (opens, closes) = timezone.localtime(now), window
    is_over_midnight = closes < opens
    is_after, is_before = clock.time() >= opens, clock.time() < closes
    if not (is_after or is_before if is_over_midnight else is_after and is_before):
        return 0
    day = clock.date() + timedelta(days=1 if is_over_midnight and is_after else 0)
    end = datetime.combine(day, closes, tzinfo=timezone.get_default_timezone())
    return int((end - now).total_seconds() // 60)


def _begin(firing: Firing, plan: Plan, now: datetime) -> None:
    schedule, sites = firing.schedule, sites_of(firing.schedule)
    firing.new_studies = new_studies_of(sites)
    if why_not := _why_not(schedule, plan, sites, firing.new_studies, now):
        _end(firing, FiringState.SKIPPED, why_not)
        return
    firing.snapshot = start_snapshot(rules=plan.rules, sites=sites, actor=None)
    firing.line = f"{firing.new_studies} studies newly approved; they are being frozen."
    firing.save()


def _why_not(schedule: Schedule, plan: Plan, sites: Collection[Site], new_studies: int, now: datetime) -> str:
    author = schedule.author
    may_train = author.is_active and Action.TRAINING_MANAGE in author.actions
    if not may_train or not {site.pk for site in sites} <= set(author.site_ids()):
        return f"{author.get_username()}, on whose behalf it is, may no longer train on these sites."
    if minutes_left(plan.window, now) == 0:
        return _outside(plan, now)
    before = schedule.firings.filter(run__state__in=LIVE_STATES) | schedule.firings.filter(
        state=FiringState.FREEZING, snapshot__isnull=False
    )
    if before.exists():
        return "What it began before is not over yet."
    if new_studies < plan.minimum_new_studies:
        return f"{new_studies} studies newly approved since the last run's snapshot, need {plan.minimum_new_studies}."
    return ""


def _outside(plan: Plan, now: datetime) -> str:
    opens, closes = plan.window or (time(), time())
    return f"It was {timezone.localtime(now):%H:%M}, outside of the window from {opens:%H:%M} until {closes:%H:%M}."


@transaction.atomic
def _go_on(firing_id: UUID) -> None:
    firing = Firing.objects.select_for_update(of=("self",)).select_related("schedule", "snapshot").get(pk=firing_id)
    if firing.state != FiringState.FREEZING or firing.snapshot is None:
        return
    if begins := HAS_NOTHING.get(SnapshotState(firing.snapshot.state)):
        _end(firing, FiringState.SKIPPED, f"{begins}: {firing.snapshot.reason}")
        return
    plan, now = plan_of(firing.schedule), timezone.now()
    left = minutes_left(plan.window, now)
    if left == 0:
        _end(firing, FiringState.SKIPPED, _outside(plan, now))
        return
    longest = plan.recipe.max_minutes if left is None else min(plan.recipe.max_minutes, left)
    _start(firing, firing.snapshot, replace(plan.recipe, max_minutes=longest))


def _start(firing: Firing, snapshot: DatasetSnapshot, recipe: Recipe) -> None:
    found = inspect(snapshot, recipe)
    if not found.can_run:
        _end(firing, FiringState.SKIPPED, "The run cannot succeed: " + "; ".join(found.problems))
        return
    firing.run = start_run(snapshot, recipe, found, actor=None)
    line = f"{firing.new_studies} studies newly approved; a run of at most {recipe.max_minutes} minutes was queued."
    _end(firing, FiringState.STARTED, line)


def _end(firing: Firing, state: FiringState, line: str) -> None:
    firing.state, firing.line = state, line[:LONGEST_LINE]
    firing.save()
    audit.record(
        EventKind.SCHEDULE_FIRED,
        actor=None,
        object_type="schedule",
        object_id=firing.schedule_id,
        details={"state": state.value, "run": str(firing.run_id or ""), "new_studies": firing.new_studies},
    )
