"""The state of each fetch, held to by the database."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.pacs.models import RemoteNode
from plaqueview.studies.models import FileOutcome, Study


class FetchState(models.TextChoices):
    QUEUED = "queued", "waits for a worker"
    FETCHING = "fetching", "a worker fetches it"
    DONE = "done", "everything that came is kept or accounted for"
    FAILED = "failed", "is tried again"
    DEAD = "dead", "is not tried again"
    CANCELLED = "cancelled", "was stopped; what had come is kept"


WAITING = [FetchState.QUEUED, FetchState.FAILED]
OPEN = [*WAITING, FetchState.FETCHING]

# Outcomes of an instance that was not simply kept; the last is of one that the node has and does not send.
NOT_SENT = "not_sent"
REMARKABLE = [FileOutcome.DUPLICATE.value, FileOutcome.CONFLICT.value, FileOutcome.REJECTED.value, NOT_SENT]
MOST_REMARKS = 1000


class PriorSearch(Record):
    """A new study whose priors a node is asked for once; `answer` says what came of it, and ends it with `ended_at`."""

    node = models.ForeignKey(RemoteNode, on_delete=models.CASCADE, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    answer = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(ended_at__isnull=True), name="prior_search_by_turn")
        ]
        constraints = [models.UniqueConstraint(fields=["node", "study"], name="prior_search_once")]


class FetchQuerySet(models.QuerySet["Fetch"]):
    def visible_to(self, user: User) -> Self:
        """The fetches into the user's sites."""
        return self.filter(node__site__in=user.sites.all())

    def with_references(self) -> Self:
        """Each fetch with all that a row of it names."""
        return self.select_related("node__site", "requested_by", "study")

    def due(self, now: datetime) -> Self:
        """Waiting and due, or with a worker whose lease has lapsed because it died."""
        waiting = Q(state__in=WAITING, next_attempt_at__lte=now)
        return self.filter(waiting | self.lapsed_at(now), node__is_active=True)

    @staticmethod
    def lapsed_at(now: datetime) -> Q:
        return lapsed_at(now, FetchState.FETCHING)


class Fetch(Record):
    """One study of a node on its way here. What came of its last attempt is counted, instance by instance.

    `remarks` names each instance that was not simply kept, with its outcome and reason; the first thousand. While it is
    fetched it carries the lease of the worker: who does not hold `lease_token` writes nothing.
    """

    node = models.ForeignKey(RemoteNode, on_delete=models.PROTECT, related_name="fetches")
    study_instance_uid = models.CharField(max_length=64)
    study_date = models.DateField(null=True)
    study_description = models.CharField(max_length=256, blank=True)
    study = models.ForeignKey(Study, on_delete=models.SET_NULL, null=True, related_name="+")
    prior_of = models.ForeignKey(Study, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=20, choices=FetchState, default=FetchState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    expected_count = models.PositiveIntegerField(null=True)
    accepted_count = models.PositiveIntegerField(default=0)
    duplicate_count = models.PositiveIntegerField(default=0)
    conflict_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    remarks = models.JSONField(default=list)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = FetchQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="fetch_by_turn"),
            models.Index(fields=["study_instance_uid"], name="fetch_by_study_uid"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "study_instance_uid"], condition=Q(state__in=OPEN), name="fetch_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=FetchState.values), name="fetch_state_is_known"),
            lease_while(FetchState.FETCHING, name="fetch_lease_while_fetching"),
            models.CheckConstraint(
                condition=~Q(state__in=WAITING) | Q(next_attempt_at__isnull=False), name="fetch_waits_for_a_time"
            ),
        ]

    @property
    def received_count(self) -> int:
        return self.accepted_count + self.duplicate_count + self.conflict_count + self.rejected_count

    @property
    def progress(self) -> float:
        """0 to 1; 0 as long as the node has not said how many instances there are."""
        if self.state == FetchState.DONE:
            return 1.0
        return min(1.0, self.received_count / self.expected_count) if self.expected_count else 0.0
