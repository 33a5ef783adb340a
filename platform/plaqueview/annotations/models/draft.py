"""What a reader works on, before it is a version."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.annotations.models.annotation import Annotation
from plaqueview.core.models import Record
from plaqueview.studies.models import Study


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> Self:
        """The drafts of the studies that the user may see, without those of other readers alone."""
        return self.filter(Q(reader=None) | Q(reader=user), study__site__in=user.sites.all())

    def open(self) -> Self:
        """Those that can still be changed: at most one a study, or one for each reader of a blinded study."""
        return self.filter(ended_at=None)


class Draft(Record):
    """A mask that a study's readers change together, or one reader alone where `reader` is set.

    The mask stands in the row, in the bytes of `imaging.mask_codec`: files in `core.storage` are shared by content and
    never deleted, and an autosave every few seconds would leave one behind each time. `measures` is what the mask and
    the statements add up to, as the API gives it. A draft that ended keeps its row, without mask, so that the next
    revision of its study is higher than every one before it; `id` is then that of the version, if it was submitted.
    `author` is who wrote last.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="drafts")
    base = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="drafts")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField()
    mask = models.BinaryField()
    statements = models.JSONField(default=list)
    measures = models.JSONField(default=dict)
    ended_at = models.DateTimeField(null=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["study", "-revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(reader=None, ended_at=None), name="draft_shared_once_per_study"
            ),
            models.UniqueConstraint(
                fields=["study", "reader"],
                condition=Q(reader__isnull=False, ended_at=None),
                name="draft_once_per_study_and_reader",
            ),
            models.CheckConstraint(condition=Q(revision__gte=1), name="draft_revision_from_one"),
        ]

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'
