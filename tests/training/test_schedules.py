"""Schedules: when they are due, once however many clocks say so, and what each firing did or why it did not."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.celery import celery_app
from plaqueview.core.access import Role
from plaqueview.core.errors import InvalidError
from plaqueview.operations.erasure import erase
from plaqueview.training import firings, services
from plaqueview.training.cron import CronError, last_due, next_due, parse_cron
from plaqueview.training.models import Firing, FiringState, RunState, Schedule, TrainingRun
from plaqueview.training.recipe import Recipe
from plaqueview.training.rules import InclusionRules
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import make_model, make_study
from tests.training.scenes import import_cases, make_admin, read_by_network

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def admin():
    """An administrator of a department that has a champion."""
    make_model()
    return make_admin()


@pytest.fixture
def at(monkeypatch):
    """Sets the clock of the machine that fires."""

    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(firings.timezone, "now", lambda: moment)

    set_clock(NOON)
    return set_clock


def schedule_for(admin, *, cron: str = "0 12 * * *", minimum: int = 0, window=None, is_active: bool = True) -> Schedule:
    recipe = Recipe(steps=10, max_minutes=240)
    plan = services.Plan("Nightly", cron, minimum, window, InclusionRules(), recipe, is_active)
    return services.create_schedule(plan=plan, site_ids=[], actor=admin)


def approve_studies(admin, *uids: str) -> None:
    for uid in uids:
        version = read_by_network(make_study(site=admin.sites.get(), uid=uid))
        Annotation.objects.filter(pk=version.pk).update(state=AnnotationState.APPROVED)


@pytest.mark.parametrize(
    ("cron", "before", "after"),
    [
        ("0 12 * * *", "2026-11-28T12:00", "2026-11-29T12:00"),
        ("*/20 * * * *", "2026-11-28T12:00", "2026-11-28T12:20"),
        ("30 2 * * 0", "2026-11-22T02:30", "2026-11-29T02:30"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
    ],
)
def test_a_cron_expression_has_a_last_and_a_next_minute(cron, before, after):
    found = parse_cron(cron)

    assert (last_due(found, NOON), next_due(found, NOON)) == (
        datetime.fromisoformat(f"{before}+00:00"),
        datetime.fromisoformat(f"{after}+00:00"),
    )


@pytest.mark.parametrize("cron", ["", "at night", "0 25 * * *", "0 0 31 2 *", "0 12 * *"])
def test_an_expression_that_is_never_due_is_refused(cron, admin):
    with pytest.raises(CronError):
        parse_cron(cron)
    with pytest.raises(InvalidError) as refusal:
        schedule_for(admin, cron=cron)

    assert list(refusal.value.fields) == ["cron"]
    assert (Schedule.objects.count(), PeriodicTask.objects.filter(task="training.fire").count()) == (0, 0)


@pytest.mark.django_db(transaction=True)  # a clock closes the connections that it finds
def test_two_clocks_that_both_call_make_it_fire_once(admin, sent_tasks):
    schedule = schedule_for(admin, cron="* * * * *", minimum=1)
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=5))

    for clock in (DatabaseScheduler(app=celery_app, lazy=True), DatabaseScheduler(app=celery_app, lazy=True)):
        clock.producer = None
        entry = clock.schedule[f"training schedule {schedule.pk}"]
        assert entry.is_due().is_due
        celery_app.send_task(entry.task, args=entry.args, queue=entry.options["queue"])
    calls = [call for call in sent_tasks if call[0] == "training.fire"]
    for _, arguments, _ in calls:
        services.fire(*arguments)

    assert calls == [("training.fire", (str(schedule.pk),), "default")] * 2
    firing = Firing.objects.get()
    assert (firing.state, firing.line) == (
        FiringState.SKIPPED,
        "0 studies newly approved since the last run's snapshot, need 1.",
    )


def test_a_clock_that_runs_ahead_does_not_lose_the_firing(admin, at):
    schedule = schedule_for(admin, minimum=1)
    at(NOON.replace(hour=11, minute=59, second=50))

    services.fire(schedule.pk)

    assert Firing.objects.get().due_at == NOON.replace(second=0)


def test_enough_newly_approved_studies_become_a_snapshot_and_a_run(admin, at, tmp_path):
    import_cases(tmp_path, "P1", "P2", "P3", site=admin.sites.get())
    schedule = schedule_for(admin, minimum=3, window=(time(11), time(13, 30)))

    firing = services.fire(schedule.pk)
    services.tend()
    assert Firing.objects.get().state == FiringState.FREEZING
    services.build_snapshot(firing.snapshot_id)
    services.tend()

    firing.refresh_from_db()
    run = TrainingRun.objects.get()
    assert (firing.state, firing.run, firing.new_studies) == (FiringState.STARTED, run, 3)
    assert firing.line == "3 studies newly approved; a run of at most 89 minutes was queued."
    assert (run.state, run.requested_by, run.recipe["max_minutes"]) == (RunState.QUEUED, None, 89)
    at(NOON + timedelta(days=1))
    assert services.fire(schedule.pk).line == "What it began before is not over yet."
    TrainingRun.objects.update(state=RunState.CANCELLED, finished_at=timezone.now())
    assert services.new_studies_of(admin.sites.all()) == 3
    TrainingRun.objects.update(state=RunState.QUEUED, finished_at=None)
    approve_studies(admin, "1.9")
    assert services.new_studies_of(admin.sites.all()) == 1
    assert AuditEvent.objects.filter(kind=EventKind.SCHEDULE_FIRED).count() == 2


def test_a_snapshot_that_fails_and_a_run_that_cannot_succeed_are_told(admin, at):
    approve_studies(admin, "1.1")
    firing = services.fire(schedule_for(admin).pk)

    services.build_snapshot(firing.snapshot_id)
    services.tend()

    firing.refresh_from_db()
    assert (firing.state, TrainingRun.objects.count()) == (FiringState.SKIPPED, 0)
    assert firing.line.startswith("The snapshot failed: ")


def test_a_snapshot_that_loses_a_patient_before_its_run_ends_the_firing_and_the_next_one_begins(admin, at, tmp_path):
    first, *_ = import_cases(tmp_path, "P1", "P2", "P3", site=admin.sites.get())
    schedule = schedule_for(admin)
    firing = services.fire(schedule.pk)
    services.build_snapshot(firing.snapshot_id)
    erase(patient_id=first.patient_id, reason="The patient asked for it.", is_reauthenticated=True, actor=None)

    services.tend()

    firing.refresh_from_db()
    assert (firing.state, firing.line) == (
        FiringState.SKIPPED,
        "The snapshot was withdrawn: a patient in it was erased",
    )
    at(NOON + timedelta(days=1))
    assert services.fire(schedule.pk).line == "2 studies newly approved; they are being frozen."


@pytest.mark.parametrize(
    ("window", "clock", "left"),
    [
        (None, time(12), None),
        ((time(20), time(6)), time(12), 0),
        ((time(20), time(6)), time(23), 420),
        ((time(20), time(6)), time(5, 59), 1),
        ((time(8), time(12)), time(12), 0),
        ((time(8), time(12)), time(8), 240),
    ],
)
def test_a_window_closes(window, clock, left):
    assert firings.minutes_left(window, datetime.combine(NOON.date(), clock, tzinfo=UTC)) == left


def test_what_keeps_it_from_training_is_told(admin, at):
    outside = services.fire(schedule_for(admin, window=(time(20), time(6))).pk)
    orphaned = schedule_for(admin)
    admin.role = Role.NEUROLOGIST
    admin.save()

    assert outside.line == "It was 12:00, outside of the window from 20:00 until 06:00."
    line = services.fire(orphaned.pk).line
    assert line == f"{admin.username}, on whose behalf it is, may no longer train on these sites."


def test_who_enters_a_schedule_is_told_in_which_time_zone_it_is_due(admin, settings):
    settings.TIME_ZONE = "Europe/Zurich"

    assert token_client(admin).get("/api/v1/me").json()["time_zone"] == "Europe/Zurich"


def test_it_is_made_paused_and_removed_over_rest(admin, at):
    client = token_client(admin)
    wanted = {"name": "Weekly", "cron": "0 2 * * 6", "window_from": "20:00", "window_until": "06:00"}

    made = client.post("/api/v1/schedules", wanted, content_type="application/json")
    address = f"/api/v1/schedules/{made.json()['id']}"
    half = client.post("/api/v1/schedules", {**wanted, "window_until": None}, content_type="application/json")
    paused = client.put(address, {**wanted, "is_active": False}, content_type="application/json")

    assert (made.status_code, made.json()["minimum_new_studies"], made.json()["recipe"]["steps"]) == (201, 10, 400)
    assert (half.status_code, half.json()["errors"][0]["field"]) == (422, "window_until")
    assert (paused.json()["is_active"], paused.json()["next_due_at"]) == (False, None)
    assert PeriodicTask.objects.get(task="training.fire").enabled is False
    assert services.fire(made.json()["id"]) is None
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))
    assert stranger.delete(address).status_code == 404
    assert client.get(f"{address}/firings").json()["count"] == 0
    assert (client.delete(address).status_code, client.get("/api/v1/schedules").json()["count"]) == (204, 0)
    assert not PeriodicTask.objects.filter(task="training.fire").exists()
