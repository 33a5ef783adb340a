"""Recording events, and checking their chain."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from plaqueview.audit.models import AuditEvent, ChainHead, EventKind
from plaqueview.core.recent import Recent
from plaqueview.core.remembering import AWAY, recalled, remember

logger = logging.getLogger(__name__)

FIRST_HASH = "0" * 64
SYSTEM = "system"

Details = Mapping[str, str | int | float | bool | None]

ONCE_WITHIN_S: Final = 600
KNOWN_FOR_S: Final = 60
COUNTED_FOR_S: Final = 7 * 24 * 3600
# By process; a reader who goes through a whole series is one key.
_known = Recent(most=10_000)


class Named(Protocol):
    """Who acted: a user."""

    @property
    def pk(self) -> UUID: ...

    def get_username(self) -> str: ...


@dataclass(frozen=True)
class Happening:
    """What an event says beside who and when.

    `details` carries ids, states and counts, never a patient's name or identifier.
    """

    kind: EventKind
    object_type: str = ""
    object_id: UUID | str = ""
    site_id: UUID | None = None
    details: Details = field(default_factory=dict)


def record(
    kind: EventKind,
    *,
    actor: Named | None,
    object_type: str = "",
    object_id: UUID | str = "",
    site_id: UUID | None = None,
    details: Details | None = None,
) -> AuditEvent:
    """The event is in the chain if, and only if, the caller's transaction commits.

    `actor` None means the system itself (worker, DICOM listener).
    """
    happening = Happening(kind, object_type, object_id, site_id, details or {})
    return record_all([happening], actor=actor)[0]


@transaction.atomic
def record_all(happenings: Iterable[Happening], *, actor: Named | None) -> list[AuditEvent]:
    """As `record`, one event after the other, in three queries for all of them."""
    head, _ = ChainHead.objects.select_for_update().get_or_create(pk=1)
    events: list[AuditEvent] = []
    for happening in happenings:
        event = AuditEvent(
            sequence=head.sequence + 1,
            occurred_at=timezone.now(),
            kind=EventKind(happening.kind),
            actor_id=actor.pk if actor else None,
            actor_name=actor.get_username() if actor else SYSTEM,
            object_type=happening.object_type,
            object_id=str(happening.object_id),
            site_id=happening.site_id,
            details=dict(happening.details),
            previous_hash=head.hash,
        )
        event.hash = event_hash(event)
        head.sequence, head.hash = event.sequence, event.hash
        events.append(event)
    AuditEvent.objects.bulk_create(events)
    ChainHead.objects.filter(pk=1).update(sequence=head.sequence, hash=head.hash)
    return events


def record_once(
    kind: EventKind,
    *,
    actor: Named | None,
    object_type: str,
    object_id: UUID | str,
    site_id: UUID | None,
    details: Details | None = None,
) -> None:
    """The same reading, by the same actor, of the same thing, with the same details, is one event within the window.

    For reads that come in hundreds, such as the frames of a series, and for those that a page repeats by itself.
    Without the cache each is recorded. A process asks the cache once a minute at most, so that an event may come a
    minute later than the window says.
    """
    happening = Happening(kind, object_type, object_id, site_id, details or {})
    said = ":".join(str(one) for one in (object_type, object_id, *happening.details.values()))
    key = f"audit:{kind.value}:{actor.pk if actor else SYSTEM}:{said}"
    if key in _known:
        return
    try:
        is_first = cache.add(key, 1, timeout=ONCE_WITHIN_S)
    except AWAY:
        logger.warning("repeated reads are recorded one by one: the cache is away")
        record_all([happening], actor=actor)
        return
    if is_first:
        with _taken_back_on_error(key):
            record_all([happening], actor=actor)
    _known.add(key, kept_s=min(ONCE_WITHIN_S, KNOWN_FOR_S))


@contextmanager
def _taken_back_on_error(key: str) -> Iterator[None]:
    """What could not be recorded is recorded by the next reading."""
    try:
        yield
    except DatabaseError:
        cache.delete(key)
        raise


def count_events(events: QuerySet[AuditEvent]) -> int:
    """How many there are. They only become more, so the cache keeps how many there were up to which event."""
    sql, parameters = events.order_by().query.sql_with_params()
    key = f"audit:count:{hashlib.sha256(repr((sql, parameters)).encode()).hexdigest()}"
    last = AuditEvent.objects.order_by("-sequence").only("sequence", "hash").first()
    if last is None:
        return 0
    anchor, count = recalled(key) or (Anchor(0, FIRST_HASH), 0)
    if not _is_in_chain(anchor):  # the tables are those of a backup
        anchor, count = Anchor(0, FIRST_HASH), 0
    count += events.filter(sequence__gt=anchor.sequence, sequence__lte=last.sequence).count()
    remember(key, (Anchor(last.sequence, last.hash), count), for_s=COUNTED_FOR_S)
    return count


def _is_in_chain(anchor: "Anchor") -> bool:
    return anchor.sequence == 0 or AuditEvent.objects.filter(sequence=anchor.sequence, hash=anchor.hash).exists()


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


@dataclass(frozen=True)
class Anchor:
    """An event's place and hash, written down outside of the database at an earlier time."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class ChainReport:
    """`head` is worth writing down elsewhere: it anchors everything before it."""

    event_count: int
    head: Anchor
    problems: tuple[str, ...]


def verify_chain(*, anchor: Anchor | None = None) -> ChainReport:
    """Every event was read and compared with its hash and with its neighbour; the problems name what was found.

    Events that are recorded meanwhile are left to the next check: nobody waits for this one.
    A chain whose end was cut off, head included, or that was computed anew is only found with an anchor.
    """
    head = ChainHead.objects.filter(pk=1).first() or ChainHead()
    problems: list[str] = []
    last = Anchor(sequence=0, hash=FIRST_HASH)
    is_anchored = anchor is None
    count = 0
    events = AuditEvent.objects.filter(sequence__lte=head.sequence).order_by("sequence")
    for event in events.iterator(chunk_size=2000):
        problems.extend(_broken_links(event, last))
        last = Anchor(sequence=event.sequence, hash=event.hash)
        is_anchored = is_anchored or last == anchor
        count += 1
    if last != Anchor(sequence=head.sequence, hash=head.hash):
        problems.append(f"the last event is {last.sequence}, the head of the chain says {head.sequence}")
    if not is_anchored and anchor:
        problems.append(f"no event {anchor.sequence} has the hash of the anchor")
    return ChainReport(event_count=count, head=last, problems=tuple(problems))


def _broken_links(event: AuditEvent, last: Anchor) -> Iterator[str]:
    if event.sequence != last.sequence + 1:
        yield f"events {last.sequence + 1} to {event.sequence - 1} are missing"
    elif event.previous_hash != last.hash:
        yield f"event {event.sequence} does not follow from event {last.sequence}"
    if event_hash(event) != event.hash:
        yield f"event {event.sequence} was changed"
