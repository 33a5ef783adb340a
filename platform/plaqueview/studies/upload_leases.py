"""Who is at an upload: a lease that a living worker renews, so that a dead one's work is taken over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction

from plaqueview.core import clock
from plaqueview.core.live import Event, announce, upload_topic
from plaqueview.studies.models import Upload, UploadQuerySet, UploadState

LEASE = timedelta(seconds=15)
HEARTBEAT_S = 5.0

# A file that took this many workers with it is left alone.
MOST_ATTEMPTS = 3


class LeaseLostError(Exception):
    """Another worker is at the upload; whoever sees this stops and writes nothing more."""


@dataclass(frozen=True)
class Lease:
    """One worker's right to write the outcomes of an upload."""

    id: UUID
    upload_id: UUID
    site_id: UUID

    @transaction.atomic
    def renew(self, *, progress: float) -> None:
        """The work went on: the lease is fresh, the attempts are forgotten, and who watches hears of the progress.

        Raises: LeaseLostError, upon which the caller's transaction writes nothing.
        """
        self._update(progress=progress, attempts=1, lease_expires_at=clock.now() + LEASE)
        self._announce(UploadState.PROCESSING, progress)

    @transaction.atomic
    def end(self, state: UploadState, reason: str = "") -> None:
        """The upload is over.

        Raises: LeaseLostError.
        """
        self._update(state=state, reason=reason[:1000], progress=1.0, lease_expires_at=None)
        self._announce(state, 1.0)

    def beat(self) -> None:
        """The worker lives, though it has nothing to show for it yet."""
        self._held().update(lease_expires_at=clock.now() + LEASE)

    def _update(self, **values: object) -> None:
        if not self._held().update(**values, modified=clock.now()):
            raise LeaseLostError

    def _held(self) -> UploadQuerySet:
        return Upload.objects.filter(pk=self.upload_id, lease_id=self.id, state=UploadState.PROCESSING)

    def _announce(self, state: UploadState, progress: float) -> None:
        event: Event = {
            "type": "upload.progress",
            "upload": str(self.upload_id),
            "state": state.value,
            "progress": progress,
        }
        announce(event, topics=(upload_topic(self.upload_id),), site_id=self.site_id)


def first_lease_end() -> datetime:
    """When a new upload that no worker has taken is looked for: the message that names it may have been lost."""
    return clock.now() + LEASE


@transaction.atomic
def claim(upload_id: UUID) -> Lease | None:
    """The lease on an unfinished upload; None while another worker holds it, or when there is nothing to do."""
    upload = Upload.objects.select_for_update().filter(pk=upload_id, state=UploadState.PROCESSING).first()
    if upload is None:
        return None
    if upload.lease_id is not None and upload.lease_expires_at and upload.lease_expires_at > clock.now():
        return None
    upload.lease_id, upload.lease_expires_at = uuid4(), clock.now() + LEASE
    upload.attempts += 1
    upload.save(update_fields=["lease_id", "lease_expires_at", "attempts", "modified"])
    return Lease(upload.lease_id, upload.pk, upload.site_id)


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """The lease is renewed while the block runs, however long a single file takes."""
    is_over = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(lease, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _beat_until(lease: Lease, is_over: threading.Event) -> None:
    while not is_over.wait(HEARTBEAT_S):
        lease.beat()
        connection.close()
