"""The base of every clinical table, the memory of idempotent requests, and of bytes on their way out."""

import uuid

from django.db import models

from plaqueview.core.sealed_fields import SealedJSONField


class Record(models.Model):
    """A row with a random UUID and the times of its first and last writing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class IdempotentRequest(Record):
    """The answer once given to an `Idempotency-Key`, so that a repeated POST does nothing twice.

    Source: draft-ietf-httpapi-idempotency-key-header.
    """

    actor_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    location = models.CharField(max_length=500, blank=True)
    body = SealedJSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="idempotency_key_once_per_actor")]


class UnnamedBytes(Record):
    """Bytes in the store whose rows have gone, until they are out of their place (`core.letting_go`).

    `key` is not called `storage_key`, for such a column keeps its bytes (`core.stored_keys`).
    """

    key = models.CharField(max_length=255)
