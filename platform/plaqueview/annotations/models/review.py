"""Who moved a version from state to state, when, and with which words."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.annotations.models.annotation import Annotation, FrozenRecord
from plaqueview.core.models import Record


class Step(models.TextChoices):
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"


class ReviewStep(FrozenRecord, Record):
    """One step of a version; `created` is when."""

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="review")
    step = models.CharField(max_length=20, choices=Step)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ["annotation", "created"]
        indexes = [models.Index(fields=["step", "created"], name="review_step_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["annotation", "step"], name="review_step_once_per_annotation"),
            models.CheckConstraint(condition=Q(step__in=Step.values), name="review_step_is_known"),
        ]
