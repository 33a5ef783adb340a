"""When a network learns by itself, and what became of each time that it was due."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from plaqueview.accounts.models import Site, User
from plaqueview.core.models import Record
from plaqueview.training.models.run import TrainingRun
from plaqueview.training.models.snapshot import DatasetSnapshot


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, user: User) -> Self:
        """The schedules of which every site is the user's."""
        return self.exclude(sites__in=Site.objects.exclude(pk__in=user.site_ids()))


class Schedule(Record):
    """A time at which approved versions are frozen and learned from; `author` is on whose behalf.

    `cron` is in the department's time zone. A run begins inside the window only, where there is one, and learns until
    its end at most; one that ends before it begins goes over midnight. `rules` and `recipe` are
    `training.rules.InclusionRules` and `training.recipe.Recipe` as JSON. `task` is the row that the clock looks at.
    """

    name = models.CharField(max_length=100)
    sites = models.ManyToManyField(Site, related_name="schedules")
    cron = models.CharField(max_length=100)
    minimum_new_studies = models.PositiveIntegerField()
    window_from = models.TimeField(null=True)
    window_until = models.TimeField(null=True)
    rules = models.JSONField()
    recipe = models.JSONField()
    is_active = models.BooleanField(default=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    task = models.OneToOneField(PeriodicTask, on_delete=models.PROTECT, related_name="+")

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "created"]
        constraints = [
            models.CheckConstraint(
                condition=Q(window_from=None, window_until=None)
                | Q(window_from__isnull=False, window_until__isnull=False),
                name="schedule_window_has_both_ends",
            ),
        ]


class FiringState(models.TextChoices):
    FREEZING = "freezing", "its snapshot is being built"
    STARTED = "started", "its run waits or was made"
    SKIPPED = "skipped", "no run was made"


class Firing(Record):
    """One time at which a schedule was due, once however many clocks said so; `line` is what it did or why it did not.

    `new_studies` is how many were newly approved then.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="firings")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=FiringState, default=FiringState.FREEZING)
    line = models.CharField(max_length=1000, blank=True)
    new_studies = models.PositiveIntegerField(default=0)
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, null=True, related_name="+")
    run = models.OneToOneField(TrainingRun, on_delete=models.PROTECT, null=True, related_name="firing")

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="firing_once"),
            models.CheckConstraint(condition=Q(state__in=FiringState.values), name="firing_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=FiringState.STARTED) | Q(run__isnull=False), name="firing_started_has_a_run"
            ),
        ]
