"""Two readers who mark one study without seeing each other's marks, and who decides between them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.core.access import Action
from plaqueview.core.models import Record
from plaqueview.studies.models import Study


class DoubleReadingState(models.TextChoices):
    READING = "reading", "the readers see nothing of each other"
    ADJUDICATION = "adjudication", "both have submitted, the adjudicator decides"
    DONE = "done", "the adjudicator's version is approved"


class DoubleReadingQuerySet(models.QuerySet["DoubleReading"]):
    def visible_to(self, user: User) -> Self:
        """Those of the user's sites that they manage or take part in."""
        of_sites = self.filter(study__site__in=user.sites.all())
        if Action.READING_MANAGE in user.actions:
            return of_sites
        own = BlindedReading.objects.filter(reader=user).values("double_reading")
        return of_sites.filter(Q(adjudicator=user) | Q(pk__in=own))

    def blinded(self) -> Self:
        return self.filter(state=DoubleReadingState.READING)

    def ongoing(self) -> Self:
        """At most one a study."""
        return self.exclude(state=DoubleReadingState.DONE)


class DoubleReading(Record):
    """`agreement` is what `imaging.agreement` says of the two versions; None until both are there."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="double_readings")
    adjudicator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=DoubleReadingState, default=DoubleReadingState.READING)
    agreement = models.JSONField(null=True)

    objects = DoubleReadingQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=~Q(state=DoubleReadingState.DONE), name="double_reading_once_per_study"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DoubleReadingState.values), name="double_reading_state_is_known"
            ),
        ]


class BlindedReadingQuerySet(models.QuerySet["BlindedReading"]):
    def hidden_from(self, user: User) -> Self:
        """Those of others that nobody else may see anything of yet."""
        return self.filter(double_reading__state=DoubleReadingState.READING).exclude(reader=user)


class BlindedReading(Record):
    """One of the two readers, and the version that they have submitted."""

    double_reading = models.ForeignKey(DoubleReading, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    annotation = models.OneToOneField(
        "annotations.Annotation", on_delete=models.PROTECT, null=True, related_name="blinded_reading"
    )

    objects = BlindedReadingQuerySet.as_manager()

    class Meta:
        ordering = ["double_reading", "created"]
        constraints = [
            models.UniqueConstraint(fields=["double_reading", "reader"], name="blinded_reading_once_per_reader")
        ]
