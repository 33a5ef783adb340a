"""What the rest of the house hears of a comparison of two T1s: the audit, and who looks on."""

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import announce, study_topic
from plaqueview.enhancement.models import Enhancement


def publish(enhancement: Enhancement) -> None:
    """Who looks at the study hears how the search in its T1s stands, after the commit."""
    announce(
        {
            "type": "enhancement.changed",
            "study": str(enhancement.study_id),
            "enhancement": str(enhancement.pk),
            "state": str(enhancement.state),
        },
        topics=(study_topic(enhancement.study_id),),
        site_id=enhancement.study.site_id,
    )


def record(kind: EventKind, enhancement: Enhancement, *, actor: User | None) -> None:
    """The audit knows what happened, and who did it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="enhancement",
        object_id=enhancement.pk,
        site_id=enhancement.study.site_id,
        details={"study": str(enhancement.study_id), "attempts": enhancement.attempts},
    )
