"""The state of each comparison of two T1s, held to by the database."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.studies.models import Series, Study


class EnhancementState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class EnhancementQuerySet(models.QuerySet["Enhancement"]):
    def visible_to(self, user: User) -> Self:
        """Those of the studies that the user may see."""
        return self.filter(study__site__in=user.sites.all())

    def claimable(self, now: datetime) -> Self:
        """Queued, or running under a lease that has lapsed because its worker died."""
        return self.filter(Q(state=EnhancementState.QUEUED) | lapsed_at(now, EnhancementState.RUNNING))


class Enhancement(Record):
    """What enhances on the grid of a study's FLAIR, once for each three volumes.

    `places` are kept whether a lesion is there or not, so that they stay right for every version of the lesions. The
    hashes are those of the series when it was requested: one to which instances were added since is another volume. A
    running one carries the lease of the worker that claimed it: who does not hold `lease_token` writes nothing.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enhancements")
    flair_series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    before_series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    after_series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    flair_sha256 = models.CharField(max_length=64)
    before_sha256 = models.CharField(max_length=64)
    after_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=EnhancementState, default=EnhancementState.QUEUED)
    reason = models.TextField(blank=True)
    places = models.JSONField(null=True, help_text="`enhancement.places.EnhancingPlaces`; null until it has succeeded.")
    similarity = models.FloatField(null=True, help_text="Correlation of the two registered T1s, -1 to 1.")
    seconds = models.FloatField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = EnhancementQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="enhancement_by_lease"),
            models.Index(fields=["study", "-created"], name="enhancement_by_study"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "study", "flair_series", "before_series", "after_series", "flair_sha256", "before_sha256",
                    "after_sha256",
                ],
                name="enhancement_once_per_volumes",
            ),
            models.CheckConstraint(condition=Q(state__in=EnhancementState.values), name="enhancement_state_is_known"),
            lease_while(EnhancementState.RUNNING, name="enhancement_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state=EnhancementState.SUCCEEDED, places__isnull=False)
                | (~Q(state=EnhancementState.SUCCEEDED) & Q(places__isnull=True)),
                name="enhancement_succeeded_has_places",
            ),
            models.CheckConstraint(
                condition=~Q(state=EnhancementState.FAILED) | ~Q(reason=""), name="enhancement_failed_has_a_reason"
            ),
        ]  # fmt: skip
