"""Following the chain: what a floor above is told of, in order, once, and only after the commit.

Whoever records an event holds the chain's head until their transaction commits. So a number that can be read has no
smaller one that is still to come, and who remembers how far they have read misses nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from plaqueview.audit.models import AuditEvent, ChainHead, EventKind


@dataclass(frozen=True)
class Stretch:
    """Events of the chain, the oldest first, and up to where it was read."""

    events: Sequence[AuditEvent]
    reached: int


def last_sequence() -> int:
    """The number of the newest event; 0 before the first."""
    return ChainHead.objects.filter(pk=1).values_list("sequence", flat=True).first() or 0


def happened_since(sequence: int, kinds: Collection[EventKind]) -> bool:
    """Whether an event of these kinds has a higher number."""
    return AuditEvent.objects.filter(sequence__gt=sequence, kind__in=kinds).exists()


def follow(*, after: int, kinds: Collection[EventKind], site_id: UUID, at_most: int) -> Stretch:
    """The site's events of these kinds with higher numbers, as many as wanted."""
    last = last_sequence()
    if last <= after:
        return Stretch((), after)
    found = AuditEvent.objects.filter(sequence__gt=after, sequence__lte=last, kind__in=kinds, site_id=site_id)
    events = list(found.order_by("sequence")[:at_most])
    return Stretch(events, events[-1].sequence if len(events) == at_most else last)
