"""Training runs: the state of each, held to by the database, and the steps that they took."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Value

from plaqueview.accounts.models import Site, User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.registry.models import ModelVersion
from plaqueview.training.models.snapshot import DatasetSnapshot


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunStage(models.TextChoices):
    """What the worker is at; a run that has ended keeps the stage at which it did."""

    QUEUED = "queued"
    LOADING = "loading"
    LEARNING = "learning"
    EXPORTING = "exporting"
    TESTING = "testing"
    SAVING = "saving"


LIVE_STATES = [RunState.QUEUED, RunState.RUNNING]


class RunQuerySet(models.QuerySet["TrainingRun"]):
    def visible_to(self, user: User) -> Self:
        """The runs on snapshots of which every site is the user's."""
        return self.exclude(snapshot__sites__in=Site.objects.exclude(pk__in=user.site_ids()))

    def with_references(self) -> Self:
        """Each run with all that a row of it names."""
        return self.select_related("snapshot", "requested_by", "start_model", "model")

    def claimable(self, now: datetime) -> Self:
        """Queued, or running under a lease that has lapsed because its worker died."""
        return self.filter(Q(state=RunState.QUEUED) | lapsed_at(now, RunState.RUNNING))


class TrainingRun(Record):
    """One network that learns from one snapshot; `created` is when it was requested.

    `recipe` is `training.recipe.Recipe` as JSON. `attempts` counts the workers that took it since it last stored its
    state, so that a run may outlive any number of restarts while it gets further. `seconds` is the time it has learned,
    over all of them. `resources` is what the worker's process took when it was last measured, as JSON of
    `training.watching.Resources`, empty before. `start_model` is where the weights began; None is from scratch.
    `processes` is how many learned it together when it was last taken, on one machine or several.
    `best_key` is the weights of the best validation, also of a run that was cancelled.
    """

    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="runs")
    recipe = models.JSONField()
    state = models.CharField(max_length=20, choices=RunState, default=RunState.QUEUED)
    stage = models.CharField(max_length=20, choices=RunStage, default=RunStage.QUEUED)
    reason = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    step = models.PositiveIntegerField(default=0)
    loss = models.FloatField(null=True)
    best_dice = models.FloatField(null=True)
    best_step = models.PositiveIntegerField(null=True)
    best_key = models.CharField(max_length=200, blank=True)
    seconds = models.FloatField(default=0.0)
    seconds_per_step = models.FloatField(null=True)
    resources = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    device = models.CharField(max_length=20, blank=True)
    processes = models.PositiveSmallIntegerField(default=1, db_default=1)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    start_model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    model = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, null=True, related_name="run")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="run_by_lease")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_is_known"),
            models.CheckConstraint(condition=Q(stage__in=RunStage.values), name="run_stage_is_known"),
            lease_while(RunState.RUNNING, name="run_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_STATES, finished_at__isnull=True)
                | (~Q(state__in=LIVE_STATES) & Q(finished_at__isnull=False)),
                name="run_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.SUCCEEDED, model__isnull=False)
                | (~Q(state=RunState.SUCCEEDED) & Q(model__isnull=True)),
                name="run_succeeded_has_a_model",
            ),
            models.CheckConstraint(condition=~Q(state=RunState.FAILED) | ~Q(reason=""), name="run_failed_has_a_reason"),
        ]


class RunPoint(models.Model):
    """One step of a run; a step that a killed worker's successor takes again is the same point."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="points")
    step = models.PositiveIntegerField()
    loss = models.FloatField()
    validation_dice = models.FloatField(null=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["run", "step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="run_point_once")]
