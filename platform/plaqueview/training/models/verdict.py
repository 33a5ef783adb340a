"""What the gate said of a candidate, and who let it, or another, read new studies."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.annotations.models import FrozenRecord
from plaqueview.core.models import Record
from plaqueview.registry.models import ModelVersion
from plaqueview.training.models.snapshot import DatasetSnapshot


class GateVerdict(FrozenRecord, Record):
    """A candidate against the champion of that day, on the test side of a snapshot.

    `rules` is a list of rule, is_passed, found, needed, each as a sentence or a number; `figures` has both models'
    figures by test study.
    """

    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="verdicts")
    champion = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="+")
    is_passed = models.BooleanField()
    rules = models.JSONField()
    figures = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(candidate=models.F("champion")), name="verdict_is_on_two_models")
        ]


class PromotionKind(models.TextChoices):
    PROMOTION = "promotion", "the gate was passed"
    OVERRIDE = "override", "two administrators, against the gate"
    ROLLBACK = "rollback", "back to the model before"


class Promotion(Record):
    """A model that became the champion, or waits for a second administrator to; `replaced` is the one before.

    `done_at` is None while it waits.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=PromotionKind)
    comment = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seconded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=PromotionKind.values), name="promotion_kind_is_known"),
            models.UniqueConstraint(fields=["model"], condition=Q(done_at=None), name="promotion_waits_once"),
            models.CheckConstraint(
                condition=~Q(kind=PromotionKind.OVERRIDE, done_at__isnull=False)
                | (Q(seconded_by__isnull=False) & ~Q(seconded_by=models.F("by"))),
                name="promotion_override_by_two",
            ),
        ]
