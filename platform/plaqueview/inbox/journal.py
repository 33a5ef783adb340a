"""What the rest of the house hears of a fetch: the audit, and who looks on."""

from typing import Any

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import WORKLIST, announce, study_topic
from plaqueview.inbox.models import Fetch


def publish(fetch: Fetch) -> None:
    """Who looks at the worklist, or at the study whose prior it is, hears how the fetch stands, after the commit."""
    event: dict[str, Any] = {
        "type": "fetch.changed",
        "fetch": str(fetch.pk),
        "state": str(fetch.state),
        "progress": fetch.progress,
    }
    topics = [WORKLIST]
    if fetch.prior_of_id:
        event["study"] = str(fetch.prior_of_id)
        topics.append(study_topic(fetch.prior_of_id))
    announce(event, topics=tuple(topics), site_id=fetch.node.site_id)


def record(kind: EventKind, fetch: Fetch, *, actor: User | None) -> None:
    """The audit knows what was fetched, from where, and who asked for it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="fetch",
        object_id=fetch.pk,
        site_id=fetch.node.site_id,
        details={
            "node": str(fetch.node_id),
            "address": fetch.node.address,
            "study_instance_uid": fetch.study_instance_uid,
            "prior_of": str(fetch.prior_of_id or ""),
            "accepted": fetch.accepted_count,
            "duplicates": fetch.duplicate_count,
            "conflicts": fetch.conflict_count,
            "rejected": fetch.rejected_count,
            "attempts": fetch.attempts,
            "answer": fetch.answer,
        },
    )
