"""What the rest of the house hears of a transfer: the audit, for an export is a disclosure, and who looks on."""

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import announce, study_topic
from plaqueview.outbox.models import Transfer


def publish(transfer: Transfer) -> None:
    """Who looks at the study hears how its transfer stands, after the commit."""
    study = transfer.annotation.study
    announce(
        {
            "type": "transfer.changed",
            "study": str(study.pk),
            "transfer": str(transfer.pk),
            "state": str(transfer.state),
        },
        topics=(study_topic(study.pk),),
        site_id=study.site_id,
    )


def record(kind: EventKind, transfer: Transfer, *, actor: User | None) -> None:
    """The audit knows what happened to the transfer, where to, and who asked for it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="transfer",
        object_id=transfer.pk,
        site_id=transfer.annotation.study.site_id,
        details={
            "study": str(transfer.annotation.study_id),
            "annotation": str(transfer.annotation_id),
            "node": str(transfer.node_id),
            "address": transfer.node.address,
            "documents": ", ".join(transfer.documents),
            "instances": len(transfer.sop_instance_uids),
            "attempts": transfer.attempts,
            "answer": transfer.answer,
        },
    )
