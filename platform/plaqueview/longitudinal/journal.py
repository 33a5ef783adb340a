"""What the rest of the house hears of a registration: the audit, and who looks on."""

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import announce, study_topic
from plaqueview.longitudinal.models import Registration


def publish(registration: Registration) -> None:
    """Who looks at the study hears how its registration stands, after the commit."""
    announce(
        {
            "type": "registration.changed",
            "study": str(registration.study_id),
            "registration": str(registration.pk),
            "state": str(registration.state),
        },
        topics=(study_topic(registration.study_id),),
        site_id=registration.study.site_id,
    )


def record(kind: EventKind, registration: Registration, *, actor: User | None) -> None:
    """The audit knows what happened to the registration, and who did it; None is the system."""
    audit.record(
        kind,
        actor=actor,
        object_type="registration",
        object_id=registration.pk,
        site_id=registration.study.site_id,
        details={
            "study": str(registration.study_id),
            "prior": str(registration.prior_id),
            "attempts": registration.attempts,
        },
    )
