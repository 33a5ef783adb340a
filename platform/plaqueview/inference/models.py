"""The state of each inference, held to by the database."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.annotations.models import Annotation
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Series, Study


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobStage(models.TextChoices):
    """What the worker is at; a job that has ended keeps the stage at which it did."""

    QUEUED = "queued"
    LOADING = "loading"
    PREPROCESSING = "preprocessing"
    NETWORK = "network"
    LESIONS = "lesions"
    SAVING = "saving"


LIVE_STATES = [JobState.QUEUED, JobState.RUNNING]


class JobQuerySet(models.QuerySet["InferenceJob"]):
    def visible_to(self, user: User) -> Self:
        """The jobs of the studies that the user may see; who sees every site is not asked for each study's."""
        if not Site.objects.exclude(pk__in=user.site_ids()).exists():
            return self.all()
        return self.filter(study__site__in=user.sites.all())

    def live(self) -> Self:
        """Queued or running: at most one per study."""
        return self.filter(state__in=LIVE_STATES)

    def with_references(self) -> Self:
        """Each job with all that a summary of it names."""
        return self.select_related("study", "requested_by", "model")

    def locked(self) -> Self:
        """Nobody else changes the jobs until the transaction ends; lock the study first, so that no ring can form."""
        return self.select_for_update(of=("self",)).with_references()

    def claimable(self, now: datetime) -> Self:
        """Queued, or running under a lease that has lapsed because its worker died."""
        return self.filter(Q(state=JobState.QUEUED) | lapsed_at(now, JobState.RUNNING))


class InferenceJob(Record):
    """One inference over one series; `created` is when it was requested.

    A running job carries the lease of the worker that claimed it: who does not hold `lease_token` writes nothing.
    `attempts` counts the claims. A job in the background waits until no other does, and the study stays with its
    readers meanwhile: its state and its result are what they were until the new result is there. `flair_sha256` is
    the study's when the job was requested, so that a series to which instances were added since is read again.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="jobs")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="jobs")
    flair_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=JobState, default=JobState.QUEUED)
    stage = models.CharField(max_length=20, choices=JobStage, default=JobStage.QUEUED)
    progress = models.FloatField(default=0.0)
    reason = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    is_background = models.BooleanField(default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="jobs")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="jobs")
    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, null=True, related_name="job")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="job_by_lease"),
            models.Index(fields=["study", "-created"], name="job_by_study"),
            models.Index(fields=["-created"], include=["study"], name="job_by_time"),
            models.Index(fields=["state", "-created"], include=["study"], name="job_by_state"),
            models.Index(
                fields=["started_at"],
                include=["finished_at"],
                condition=Q(state=JobState.SUCCEEDED),
                name="job_duration",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(state__in=LIVE_STATES), name="job_one_live_per_study"
            ),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_is_known"),
            models.CheckConstraint(condition=Q(stage__in=JobStage.values), name="job_stage_is_known"),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="job_progress_is_a_share"),
            lease_while(JobState.RUNNING, name="job_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_STATES, finished_at__isnull=True)
                | (~Q(state__in=LIVE_STATES) & Q(finished_at__isnull=False)),
                name="job_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=JobState.SUCCEEDED, annotation__isnull=False, model__isnull=False)
                | (~Q(state=JobState.SUCCEEDED) & Q(annotation__isnull=True)),
                name="job_succeeded_has_a_result",
            ),
            models.CheckConstraint(condition=~Q(state=JobState.FAILED) | ~Q(reason=""), name="job_failed_has_a_reason"),
        ]


class RerunQuerySet(models.QuerySet["Rerun"]):
    def visible_to(self, user: User) -> Self:
        """The re-runs at sites that are all the user's."""
        return self.exclude(sites__in=Site.objects.exclude(pk__in=user.site_ids()))


class Rerun(Record):
    """Studies that are read again by the champion, `model`, behind every other study.

    `selection` is `inference.reruns.Selection` as JSON, `left_out` the number of studies by why they were not taken.
    """

    sites = models.ManyToManyField(Site, related_name="reruns")
    selection = models.JSONField()
    left_out = models.JSONField(default=dict)
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True)

    objects = RerunQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]


class RerunStudy(models.Model):
    """One study of a re-run: it waits for its job, has it, or `note` says why it gets none."""

    rerun = models.ForeignKey(Rerun, on_delete=models.CASCADE, related_name="studies")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(InferenceJob, on_delete=models.PROTECT, null=True, related_name="reruns")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["rerun", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rerun", "study"], name="rerun_study_once"),
            models.CheckConstraint(condition=Q(job=None) | Q(note=""), name="rerun_study_has_a_job_or_a_note"),
        ]
