"""Who is told, of what, and how each message stands."""

from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record


class WebhookEvent(models.TextChoices):
    """What a receiver can be told of."""

    STUDY_RECEIVED = "study.received", "no more of a study came for a moment"
    JOB_COMPLETED = "job.completed", "the network has read a study, or could not"
    ANNOTATION_APPROVED = "annotation.approved", "a reader approved a version"
    EXPORT_FAILED = "export.failed", "an approved version was given up on its way to a node"


# What an administrator sends to try a receiver out; every receiver takes it.
TEST_EVENT = "webhook.tested"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "waits for a worker"
    SENDING = "sending", "a worker sends it"
    DELIVERED = "delivered", "the receiver has it"
    FAILED = "failed", "is tried again"
    DEAD = "dead", "is not tried again"


WAITING = [DeliveryState.QUEUED, DeliveryState.FAILED]
ENDED = [DeliveryState.DELIVERED, DeliveryState.DEAD]


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> Self:
        """The webhooks of the user's sites."""
        return self.filter(site__in=user.sites.all())


class Webhook(Record):
    """A receiver of one site's events. The secret is kept sealed, since each message is signed with it.

    `reached` is the number of the audit's event up to which the receiver was told. `ca_certificates` is PEM; empty
    means those that the machine trusts.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="webhooks")
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    ca_certificates = models.TextField(blank=True)
    events = models.JSONField()
    secret_sealed = models.TextField()
    reached = models.PositiveBigIntegerField()
    is_active = models.BooleanField(default=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="webhook_name_once_per_site"),
            models.CheckConstraint(condition=Q(url__startswith="https://"), name="webhook_by_https"),
        ]

    @property
    def address(self) -> str:
        """Where the receiver is, for people and the audit: a path may hold what only the receiver is to know."""
        return urlsplit(self.url).netloc


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """The messages to the user's sites' receivers."""
        return self.filter(webhook__site__in=user.sites.all())

    def with_references(self) -> Self:
        """Each message with all that a row of it names."""
        return self.select_related("webhook")

    def due(self, now: datetime) -> Self:
        """Waiting and due, or with a worker whose lease has lapsed because it died."""
        waiting = Q(state__in=WAITING, next_attempt_at__lte=now)
        return self.filter(waiting | self.lapsed_at(now), webhook__is_active=True)

    @staticmethod
    def lapsed_at(now: datetime) -> Q:
        return lapsed_at(now, DeliveryState.SENDING)


class Delivery(Record):
    """One message to one receiver: the same bytes under the same id in every attempt.

    `sequence` is the audit's event that it tells of; None for a test. `attempts` counts the claims since it was last
    asked for. `answer` is what the receiver said last, in our words. While it is sent it carries the worker's lease.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    sequence = models.PositiveBigIntegerField(null=True)
    body = models.TextField()
    state = models.CharField(max_length=20, choices=DeliveryState, default=DeliveryState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    delivered_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="delivery_by_turn"),
            models.Index(fields=["webhook", "-created"], name="delivery_by_webhook"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "sequence"], name="delivery_once_per_webhook_and_event"),
            models.CheckConstraint(
                condition=Q(event__in=[*WebhookEvent.values, TEST_EVENT]), name="delivery_event_is_known"
            ),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"),
            lease_while(DeliveryState.SENDING, name="delivery_lease_while_sending"),
            models.CheckConstraint(
                condition=~Q(state__in=WAITING) | Q(next_attempt_at__isnull=False), name="delivery_waits_for_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.DELIVERED) | Q(delivered_at__isnull=False),
                name="delivery_delivered_has_a_time",
            ),
        ]

    @property
    def message_id(self) -> str:
        """The same in every attempt, by which a receiver knows a message again. Source: Standard Webhooks."""
        return f"msg_{self.pk.hex}"
