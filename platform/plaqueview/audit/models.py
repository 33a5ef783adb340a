"""The events and the head of their hash chain."""

from collections.abc import Collection
from typing import Any, NoReturn, Protocol
from uuid import UUID

from django.db import models
from django.db.models import Q


class EventKind(models.TextChoices):
    """The closed list of what is recorded."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_CLOSED = "account.closed"
    ACCOUNT_OPENED = "account.opened"
    PASSWORD_LINK_CREATED = "account.password_link_created"
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    SIGNED_OUT = "account.signed_out"
    PASSWORD_CHANGED = "account.password_changed"
    IDENTITY_BOUND = "account.identity_bound"
    IDENTITY_UNBOUND = "account.identity_unbound"
    SECOND_FACTOR_ADDED = "account.second_factor_added"
    SECOND_FACTOR_REMOVED = "account.second_factor_removed"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    PATIENT_READ = "patient.read"
    PATIENT_HELD = "patient.held"
    PATIENT_RELEASED = "patient.released"
    PATIENT_ERASED = "patient.erased"
    IDENTIFIERS_SEALED = "patient.identifiers_sealed"
    STUDY_RECEIVED = "study.received"
    STUDY_SETTLED = "study.settled"
    STUDY_READ = "study.read"
    STUDY_REMOVED = "study.removed"
    SERIES_READ = "series.read"
    FLAIR_CHOSEN = "study.flair_chosen"
    ASSIGNMENT_CHANGED = "assignment.changed"
    DOUBLE_READING_CREATED = "double_reading.created"
    DOUBLE_READING_READ = "double_reading.read"
    DOUBLE_READING_MOVED = "double_reading.moved"
    UPLOAD_CREATED = "upload.created"
    UPLOAD_READ = "upload.read"
    JOB_REQUESTED = "job.requested"
    JOB_READ = "job.read"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    JOB_RETRIED = "job.retried"
    RERUN_REQUESTED = "rerun.requested"
    RERUN_READ = "rerun.read"
    RERUN_CANCELLED = "rerun.cancelled"
    REGISTRATION_REQUESTED = "registration.requested"
    REGISTRATION_READ = "registration.read"
    REGISTRATION_SUCCEEDED = "registration.succeeded"
    REGISTRATION_FAILED = "registration.failed"
    REGISTRATION_CANCELLED = "registration.cancelled"
    ENHANCEMENT_REQUESTED = "enhancement.requested"
    ENHANCEMENT_SUCCEEDED = "enhancement.succeeded"
    ENHANCEMENT_FAILED = "enhancement.failed"
    ANNOTATION_CREATED = "annotation.created"
    ANNOTATION_READ = "annotation.read"
    ANNOTATION_SUBMITTED = "annotation.submitted"
    ANNOTATION_APPROVED = "annotation.approved"
    ANNOTATION_RETURNED = "annotation.returned"
    ANNOTATION_IMPORTED = "annotation.imported"
    DOCUMENT_EXPORTED = "document.exported"
    DRAFT_CREATED = "draft.created"
    DRAFT_READ = "draft.read"
    DRAFT_DISCARDED = "draft.discarded"
    COMMENT_CREATED = "comment.created"
    COMMENT_READ = "comment.read"
    COMMENT_RESOLVED = "comment.resolved"
    NODE_CREATED = "node.created"
    NODE_CHANGED = "node.changed"
    NODE_REMOVED = "node.removed"
    NODE_ECHOED = "node.echoed"
    NODE_SEARCHED = "node.searched"
    TRANSFER_REQUESTED = "transfer.requested"
    TRANSFER_RESENT = "transfer.resent"
    TRANSFER_READ = "transfer.read"
    TRANSFER_SENT = "transfer.sent"
    TRANSFER_FAILED = "transfer.failed"
    TRANSFER_DEAD = "transfer.dead"
    FETCH_REQUESTED = "fetch.requested"
    FETCH_READ = "fetch.read"
    FETCH_DONE = "fetch.done"
    FETCH_FAILED = "fetch.failed"
    FETCH_DEAD = "fetch.dead"
    FETCH_CANCELLED = "fetch.cancelled"
    FETCH_RETRIED = "fetch.retried"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_RENEWED = "webhook.secret_renewed"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REMOVED = "webhook.removed"
    DELIVERY_DELIVERED = "delivery.delivered"
    DELIVERY_DEAD = "delivery.dead"
    DELIVERY_ASKED_AGAIN = "delivery.asked_again"
    MODEL_REGISTERED = "model.registered"
    MODEL_PROMOTED = "model.promoted"
    MODEL_OVERRIDE_ASKED = "model.override_asked"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_SHADOW_STARTED = "model.shadow_started"
    MODEL_SHADOW_ENDED = "model.shadow_ended"
    MODEL_EXPORTED = "model.exported"
    MODEL_IMPORTED = "model.imported"
    MODEL_EVALUATION_REQUESTED = "model.evaluation_requested"
    MODEL_EVALUATED = "model.evaluated"
    SNAPSHOT_REQUESTED = "snapshot.requested"
    SNAPSHOT_READY = "snapshot.ready"
    SNAPSHOT_FAILED = "snapshot.failed"
    SNAPSHOT_READ = "snapshot.read"
    SNAPSHOT_EXPORTED = "snapshot.exported"
    RUN_REQUESTED = "run.requested"
    RUN_READ = "run.read"
    RUN_SUCCEEDED = "run.succeeded"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    SCHEDULE_CREATED = "schedule.created"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_REMOVED = "schedule.removed"
    SCHEDULE_READ = "schedule.read"
    SCHEDULE_FIRED = "schedule.fired"
    AUDIT_READ = "audit.read"


def event_kinds() -> list[tuple[str, str]]:
    """The choices of `AuditEvent.kind`, as a function: its migrations name it, and a new kind alters no table."""
    return EventKind.choices


class AppendOnlyError(Exception):
    """Somebody tried to change or delete an event."""


class Reader(Protocol):
    """Who reads the events: an administrator of some sites."""

    def site_ids(self) -> Collection[UUID]: ...

    def colleague_ids(self) -> Collection[UUID]: ...


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, reader: Reader) -> "AuditEventQuerySet":
        """Events of the reader's sites, of their colleagues, and of the system itself, but of no strangers' accounts.

        Sites and colleagues are named, not looked up: `audit.api` knows by the query what it has counted.
        """
        own_sites, colleagues = list(reader.site_ids()), list(reader.colleague_ids())
        about_known = ~Q(object_type="user") | Q(object_id__in=["", *map(str, colleagues)])
        without_site = Q(actor_id__in=colleagues) | Q(actor_id=None) & about_known
        return self.filter(Q(site_id__in=own_sites) | Q(site_id=None) & without_site)

    def update(self, **values: Any) -> NoReturn:  # Any: Django's signature
        raise AppendOnlyError("audit events are never changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("audit events are never deleted")


class AuditEvent(models.Model):
    """One event. `hash` covers the event and the hash before it, so that a changed or missing row is found.

    The actor's name is copied in, so that it outlives the account. Rows are only ever added: this class refuses the
    rest, and so does a trigger in the database.
    """

    sequence = models.PositiveBigIntegerField(primary_key=True)
    occurred_at = models.DateTimeField()
    kind = models.CharField(max_length=40, choices=event_kinds)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    site_id = models.UUIDField(null=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["kind", "-sequence"], name="audit_by_kind"),
            models.Index(fields=["object_id", "-sequence"], name="audit_by_object_id"),
            models.Index(fields=["actor_name", "-sequence"], name="audit_by_actor_name"),
            models.Index(fields=["occurred_at"], name="audit_by_time"),
        ]

    def save(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        if not self._state.adding:
            raise AppendOnlyError(f"audit event {self.sequence} is never changed")
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> NoReturn:  # Any: Django's signature
        raise AppendOnlyError(f"audit event {self.sequence} is never deleted")


class ChainHead(models.Model):
    """The single row that writers lock to extend the chain."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
