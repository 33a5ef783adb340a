"""What each message says: ids and pointers, never a patient's data. Who wants more asks the API, as somebody.

Source of the envelope: Standard Webhooks specification, "Payload structure".
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.webhooks.models import TEST_EVENT, WebhookEvent


@dataclass(frozen=True)
class Telling:
    """How an event of the audit is told: `thing` is its object's name here, `details` what else of it is told."""

    event: WebhookEvent
    thing: str
    details: tuple[str, ...] = ()
    state: str = ""


TELLINGS: Final = {
    EventKind.STUDY_SETTLED: Telling(WebhookEvent.STUDY_RECEIVED, "study"),
    EventKind.JOB_SUCCEEDED: Telling(WebhookEvent.JOB_COMPLETED, "job", ("study", "annotation"), "succeeded"),
    EventKind.JOB_FAILED: Telling(WebhookEvent.JOB_COMPLETED, "job", ("study", "annotation"), "failed"),
    EventKind.ANNOTATION_APPROVED: Telling(WebhookEvent.ANNOTATION_APPROVED, "annotation", ("study",)),
    EventKind.TRANSFER_DEAD: Telling(WebhookEvent.EXPORT_FAILED, "transfer", ("study", "annotation", "node")),
}


def kinds_of(events: list[str]) -> list[EventKind]:
    """The audit's kinds that the events are told from."""
    return [kind for kind, telling in TELLINGS.items() if telling.event in events]


def message_of(event: AuditEvent) -> str:
    """The message's text, which is signed and sent as it is."""
    telling = TELLINGS[EventKind(event.kind)]
    data = {telling.thing: event.object_id} | {name: event.details[name] for name in telling.details}
    if telling.state:
        data["state"] = telling.state
    data["url"] = settings.ORIGIN + reverse(f"{telling.thing}-detail", args=[event.object_id])
    return _enveloped(telling.event, event.occurred_at, data)


def test_message(webhook_id: UUID, now: datetime) -> str:
    url = settings.ORIGIN + reverse("webhook-detail", args=[webhook_id])
    return _enveloped(TEST_EVENT, now, {"webhook": str(webhook_id), "url": url})


def _enveloped(event: str, at: datetime, data: dict[str, str]) -> str:
    return json.dumps({"type": str(event), "timestamp": at.isoformat(), "data": data})
