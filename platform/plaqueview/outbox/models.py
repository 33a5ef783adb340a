"""The state of each transfer, held to by the database, and the very objects that were sent."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.pacs.models import Commitment, RemoteNode, SentDocument


class TransferState(models.TextChoices):
    QUEUED = "queued", "waits for a worker"
    SENDING = "sending", "a worker sends it"
    COMMITTING = "committing", "the peer has it, and was asked to commit itself to keep it"
    SENT = "sent", "the peer has it"
    FAILED = "failed", "is tried again"
    DEAD = "dead", "is not tried again"


# Nothing more happens before `next_attempt_at`, unless a peer answers.
WAITING = [TransferState.QUEUED, TransferState.FAILED]


class TransferQuerySet(models.QuerySet["Transfer"]):
    def visible_to(self, user: User) -> Self:
        """The transfers of the studies that the user may see."""
        return self.filter(annotation__study__site__in=user.sites.all())

    def with_references(self) -> Self:
        """Each transfer with all that a row of it names."""
        return self.select_related("annotation__study", "node", "requested_by")

    def due(self, now: datetime) -> Self:
        """Waiting and due, or with a worker whose lease has lapsed because it died."""
        waiting = Q(state__in=WAITING, next_attempt_at__lte=now)
        return self.filter(waiting | self.lapsed_at(now), node__is_active=True)

    @staticmethod
    def lapsed_at(now: datetime) -> Q:
        return lapsed_at(now, TransferState.SENDING)


class Transfer(Record):
    """One approved version on its way to one node: asked for again, it is the same transfer.

    `attempts` counts the claims since it was asked for last. `answer` is what the peer said last, in our words.
    `approved_at` is when the version was approved, which is how far the node's rule has come. While it is sent it
    carries the lease of the worker: who does not hold `lease_token` writes nothing. While its peer is asked to commit
    itself (`commitment`), `next_attempt_at` is when the answer is given up.
    """

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="transfers")
    node = models.ForeignKey(RemoteNode, on_delete=models.PROTECT, related_name="transfers")
    documents = models.JSONField(help_text="Kinds, as the node was set up when the transfer was asked for.")
    state = models.CharField(max_length=20, choices=TransferState, default=TransferState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    sop_instance_uids = models.JSONField(default=list)
    approved_at = models.DateTimeField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    commitment = models.ForeignKey(Commitment, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="transfer_by_turn"),
            models.Index(fields=["node", "approved_at"], name="transfer_by_approval"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["annotation", "node"], name="transfer_once_per_version_and_node"),
            models.CheckConstraint(condition=Q(state__in=TransferState.values), name="transfer_state_is_known"),
            lease_while(TransferState.SENDING, name="transfer_lease_while_sending"),
            models.CheckConstraint(
                condition=~Q(state__in=[*WAITING, TransferState.COMMITTING]) | Q(next_attempt_at__isnull=False),
                name="transfer_waits_for_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=TransferState.SENT) | Q(sent_at__isnull=False), name="transfer_sent_has_a_time"
            ),
        ]


class KeptInstance(Record):
    """One DICOM object of an approved version, as it was made for the first transfer: every other sends these bytes."""

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="kept_instances")
    kind = models.CharField(max_length=20, choices=SentDocument)
    position = models.PositiveIntegerField()
    sop_class_uid = models.CharField(max_length=64)
    sop_instance_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=200)

    class Meta:
        ordering = ["annotation", "kind", "position"]
        constraints = [
            models.UniqueConstraint(fields=["annotation", "kind", "position"], name="kept_instance_once"),
        ]
