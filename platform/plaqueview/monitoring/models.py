"""Models that read along unseen by readers and what they said; what studies look like, and what readers changed."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, FrozenRecord
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import Study


class ShadowPeriod(Record):
    """A time in which a model reads every new study beside the champion; `created` is when it began."""

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="shadow_periods")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(fields=["model"], condition=Q(ended_at=None), name="shadow_period_open_once"),
        ]


class ReadingState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled", "its model no longer reads along"


LIVE_STATES = [ReadingState.QUEUED, ReadingState.RUNNING]


class ShadowReadingQuerySet(models.QuerySet["ShadowReading"]):
    def visible_to(self, user: User) -> Self:
        """The readings of the studies that the user may see."""
        return self.filter(study__site__in=user.sites.all())

    def claimable(self, now: datetime) -> Self:
        """Queued, or with a worker whose lease has lapsed because it died."""
        return self.filter(Q(state=ReadingState.QUEUED) | lapsed_at(now, ReadingState.RUNNING))


class ShadowReading(Record):
    """What a model in shadow said of a study that the champion has read; no reader is ever shown it as a result.

    `champion_result` is the version beside which it was read. The figures are `imaging.comparison.Comparison` as JSON:
    `against_champion` once it has succeeded; once the study has an approved version, `final`, `against_final` and
    `champion_against_final` are what its readers made of both.
    """

    period = models.ForeignKey(ShadowPeriod, on_delete=models.PROTECT, related_name="readings")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    champion_result = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=ReadingState, default=ReadingState.QUEUED)
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    mask_key = models.CharField(max_length=200, blank=True)
    probability_key = models.CharField(max_length=200, blank=True)
    active_count = models.PositiveIntegerField(null=True)
    inactive_count = models.PositiveIntegerField(null=True)
    network_seconds = models.FloatField(null=True)
    against_champion = models.JSONField(null=True)
    final = models.ForeignKey(Annotation, on_delete=models.PROTECT, null=True, related_name="+")
    against_final = models.JSONField(null=True)
    champion_against_final = models.JSONField(null=True)

    objects = ShadowReadingQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="shadow_by_lease"),
            models.Index(fields=["period", "-created"], name="shadow_by_period"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["period", "champion_result"], name="shadow_reads_once"),
            models.CheckConstraint(condition=Q(state__in=ReadingState.values), name="shadow_state_is_known"),
            lease_while(ReadingState.RUNNING, name="shadow_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state=ReadingState.SUCCEEDED, against_champion__isnull=False)
                | (~Q(state=ReadingState.SUCCEEDED) & Q(against_champion__isnull=True)),
                name="shadow_succeeded_has_figures",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReadingState.FAILED) | ~Q(reason=""), name="shadow_failed_has_a_reason"
            ),
        ]


class StudyMeasures(FrozenRecord, Record):
    """What a study that the network has read looked like; `note` says why it could not be measured.

    The fields mean what `imaging.input_measures.InputMeasures` and `imaging.image_quality.ImageQuality` say. Lesions
    are those of `result`, AI-predicted.
    """

    result = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField()
    manufacturer = models.CharField(max_length=100, blank=True)
    scanner_model = models.CharField(max_length=100, blank=True)
    slice_mm = models.FloatField(null=True)
    pixel_mm = models.FloatField(null=True)
    brain_ml = models.FloatField(null=True)
    intensity_median = models.FloatField(null=True)
    intensity_contrast = models.FloatField(null=True)
    noise = models.FloatField(null=True)
    ghosting = models.FloatField(null=True)
    lesion_ml = models.FloatField()
    lesion_count = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["study", "read_at"], name="measures_by_study")]


class StudyTeaching(Record):
    """What labelling a study would teach the network that read it; `note` says why that is not known.

    `parts` are `imaging.teaching.Part` as JSON. `shadow_reading` is the one that the part of disagreement is about.
    """

    result = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    parts = models.JSONField(default=list)
    shadow_reading = models.ForeignKey(ShadowReading, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)


class StudyEdit(FrozenRecord, Record):
    """How much the readers of an approved version changed the network's answer that they began with.

    `comparison` is `imaging.comparison.Comparison` as JSON; null with `result` where they began with none.
    """

    final = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="+")
    result = models.ForeignKey(Annotation, on_delete=models.PROTECT, null=True, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    comparison = models.JSONField(null=True)
