"""Recording and checking the chain of events."""

import hashlib
import json
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.audit.models import AuditEvent, ChainHead, EventKind


class Named(Protocol):
    """Who acted: a user."""

    @property
    def pk(self) -> UUID: ...

    def get_username(self) -> str: ...


@transaction.atomic
def record(
    kind: EventKind,
    *,
    actor: Named | None,
    object_type: str = "",
    object_id: UUID | str = "",
    site_id: UUID | None = None,
    details: Mapping[str, str | int | float | bool | None] | None = None,
) -> AuditEvent:
    """The event is in the chain if, and only if, the caller's transaction commits.

    `actor` None means the system itself (worker, DICOM listener). `details` carries ids, states and counts, never a
    patient's name or identifier.
    """
    head, _ = ChainHead.objects.select_for_update().get_or_create(pk=1)
    event = AuditEvent(
        sequence=head.sequence + 1,
        occurred_at=timezone.now(),
        kind=kind,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "system",
        object_type=object_type,
        object_id=str(object_id),
        site_id=site_id,
        details=dict(details or {}),
        previous_hash=head.hash,
    )
    event.hash = event_hash(event)
    event.save(force_insert=True)
    ChainHead.objects.filter(pk=1).update(sequence=event.sequence, hash=event.hash)
    return event


def event_hash(event: AuditEvent) -> str:
    """SHA-256 in hex over the event's fields and the previous hash, as canonical JSON."""
    fields = [
        event.sequence,
        event.occurred_at.isoformat(),
        str(event.kind),
        str(event.actor_id or ""),
        event.actor_name,
        event.object_type,
        event.object_id,
        str(event.site_id or ""),
        event.details,
        event.previous_hash,
    ]
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
