"""The state of each registration, held to by the database."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from plaqueview.accounts.models import User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.studies.models import Series, Study


class RegistrationState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = [RegistrationState.QUEUED, RegistrationState.RUNNING]


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: User) -> Self:
        """The registrations of the studies that the user may see."""
        return self.filter(study__site__in=user.sites.all())

    def claimable(self, now: datetime) -> Self:
        """Queued, or running under a lease that has lapsed because its worker died."""
        return self.filter(Q(state=RegistrationState.QUEUED) | lapsed_at(now, RegistrationState.RUNNING))


class Registration(Record):
    """The rigid movement from a study's FLAIR to a prior's, once for each pair of volumes.

    `matrix` is row-major 4x4 and takes LPS mm of the study to LPS mm of the prior. The hashes are those of the two
    studies' FLAIRs when it was requested: a series to which instances were added since is another volume. A running
    one carries the lease of the worker that claimed it: who does not hold `lease_token` writes nothing.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="registrations")
    prior = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    fixed_series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    moving_series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    fixed_sha256 = models.CharField(max_length=64)
    moving_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=RegistrationState, default=RegistrationState.QUEUED)
    reason = models.TextField(blank=True)
    matrix = models.JSONField(null=True)
    similarity_before = models.FloatField(null=True)
    similarity = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
    brightening = models.JSONField(null=True, help_text="`longitudinal.brightening.Brightening`; null in older rows.")
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="registration_by_lease"),
            models.Index(fields=["study", "-created"], name="registration_by_study"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "prior", "fixed_series", "moving_series", "fixed_sha256", "moving_sha256"],
                name="registration_once_per_volumes",
            ),
            models.CheckConstraint(condition=Q(state__in=RegistrationState.values), name="registration_state_is_known"),
            models.CheckConstraint(condition=~Q(study=F("prior")), name="registration_of_two_studies"),
            lease_while(RegistrationState.RUNNING, name="registration_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state=RegistrationState.SUCCEEDED, matrix__isnull=False)
                | (~Q(state=RegistrationState.SUCCEEDED) & Q(matrix__isnull=True)),
                name="registration_succeeded_has_a_matrix",
            ),
            models.CheckConstraint(
                condition=~Q(state=RegistrationState.FAILED) | ~Q(reason=""), name="registration_failed_has_a_reason"
            ),
        ]
