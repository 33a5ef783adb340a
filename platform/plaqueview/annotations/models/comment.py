"""What readers say to each other about a study."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from plaqueview.accounts.models import User
from plaqueview.annotations.models.annotation import Annotation
from plaqueview.annotations.models.double_reading import BlindedReading
from plaqueview.core.models import Record
from plaqueview.studies.models import Study


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, user: User) -> Self:
        """The comments on the studies that the user may see, without those that others made while they read blinded."""
        hidden = BlindedReading.objects.hidden_from(user).filter(
            double_reading__study=OuterRef("study"), reader=OuterRef("author"), created__lte=OuterRef("created")
        )
        return self.filter(~Exists(hidden), study__site__in=user.sites.all())


class Comment(Record):
    """A remark on a study, on one version of it, or on a voxel (slice, row, column); its text never changes."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="comments")
    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, null=True, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    anchor = models.JSONField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["study", "created"]
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="comment_resolved_by_somebody",
            )
        ]
