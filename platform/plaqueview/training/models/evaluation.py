"""Candidates that are tried on the frozen test side by themselves, without a verdict or with one of another day."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.registry.models import ModelVersion
from plaqueview.training.models.snapshot import DatasetSnapshot
from plaqueview.training.models.verdict import GateVerdict


class EvaluationState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded", "the gate has judged it"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, user: User) -> Self:
        """The evaluations on snapshots of which every site is the user's."""
        return self.exclude(snapshot__sites__in=Site.objects.exclude(pk__in=user.site_ids()))

    def claimable(self, now: datetime) -> Self:
        """Queued, or with a worker whose lease has lapsed because it died."""
        return self.filter(Q(state=EvaluationState.QUEUED) | lapsed_at(now, EvaluationState.RUNNING))


class Evaluation(Record):
    """One model and the champion, both on the test side of one snapshot; `warnings` are of studies left out."""

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=EvaluationState, default=EvaluationState.QUEUED)
    reason = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    verdict = models.OneToOneField(GateVerdict, on_delete=models.PROTECT, null=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(state__in=[EvaluationState.QUEUED, EvaluationState.RUNNING]),
                name="evaluation_one_live_per_model",
            ),
            models.CheckConstraint(condition=Q(state__in=EvaluationState.values), name="evaluation_state_is_known"),
            lease_while(EvaluationState.RUNNING, name="evaluation_lease_while_running"),
            models.CheckConstraint(
                condition=Q(state=EvaluationState.SUCCEEDED, verdict__isnull=False)
                | (~Q(state=EvaluationState.SUCCEEDED) & Q(verdict__isnull=True)),
                name="evaluation_succeeded_has_a_verdict",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[EvaluationState.FAILED, EvaluationState.CANCELLED]) | ~Q(reason=""),
                name="evaluation_failed_has_a_reason",
            ),
        ]
