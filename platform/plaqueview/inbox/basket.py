"""Where the instances of a fetch are put: kept some at a time, each with its outcome in the fetch's row."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction

from plaqueview.core.leases import Claim
from plaqueview.inbox import journal, leases
from plaqueview.inbox.models import MOST_REMARKS, Fetch
from plaqueview.studies import services as studies
from plaqueview.studies.models import FileOutcome, Study
from plaqueview.studies.services import Arrival, Received

CHUNK_FILES: Final = 32
CHUNK_BYTES: Final = 64 * 1024 * 1024


class FetchBasket:
    """Instances on their way from a node, while its claim holds.

    By C-MOVE nothing is put here: what our own listener has kept meanwhile is counted.
    """

    def __init__(self, claim: Claim, arrival: Arrival, folder: Path) -> None:
        self.folder = folder
        self.study_ids: set[UUID] = set()
        self._claim, self._arrival = claim, arrival
        self._waiting: list[Path] = []
        self._waiting_bytes = self._count = 0
        self._known_before = self._kept_elsewhere()

    def expect(self, count: int) -> None:
        Fetch.objects.filter(pk=self._claim.row_id, lease_token=self._claim.token).update(expected_count=count)

    def put(self, path: Path) -> None:
        """Raises: ClaimLostError, UnavailableError."""
        self._count += 1
        mine = path.rename(self.folder / f"{self._count}.dcm")
        self._waiting.append(mine)
        self._waiting_bytes += mine.stat().st_size
        if len(self._waiting) >= CHUNK_FILES or self._waiting_bytes >= CHUNK_BYTES:
            self.keep()

    def look(self) -> None:
        """Raises: ClaimLostError."""
        if self._count:
            leases.renew(self._claim)
        else:
            self._count_elsewhere()

    def keep(self) -> None:
        """Nothing waits any more. Raises: ClaimLostError, UnavailableError."""
        paths, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if paths:
            studies.receive_all(paths=paths, arrival=self._arrival, remember=self._write)
        elif not self._count:
            self._count_elsewhere()
        for path in paths:
            path.unlink(missing_ok=True)

    @transaction.atomic
    def _write(self, received: Sequence[Received]) -> None:
        """The outcomes stand in the fetch's row, in the transaction that keeps the instances, if the lease holds."""
        leases.renew(self._claim)
        fetch = leases.held_fetch(self._claim)
        outcomes = Counter(one.outcome for one in received)
        fetch.accepted_count += outcomes[FileOutcome.ACCEPTED]
        fetch.duplicate_count += outcomes[FileOutcome.DUPLICATE]
        fetch.conflict_count += outcomes[FileOutcome.CONFLICT]
        fetch.rejected_count += outcomes[FileOutcome.REJECTED]
        fetch.remarks = [*fetch.remarks, *map(_remark, filter(_is_remarkable, received))][:MOST_REMARKS]
        self.study_ids |= {one.study_id for one in received if one.study_id is not None}
        fetch.study_id = fetch.study_id or next(iter(self.study_ids), None)
        fetch.save()
        journal.publish(fetch)

    @transaction.atomic
    def _count_elsewhere(self) -> None:
        leases.renew(self._claim)
        count = self._kept_elsewhere() - self._known_before
        fetch = leases.held_fetch(self._claim)
        if count != fetch.accepted_count:
            fetch.accepted_count, fetch.study = count, self._own_study()
            fetch.save()
            journal.publish(fetch)

    def _kept_elsewhere(self) -> int:
        study = self._own_study()
        return study.instance_count if study else 0

    def _own_study(self) -> Study | None:
        kept = Study.objects.filter(site=self._arrival.site, study_instance_uid=self._arrival.study_instance_uid)
        return kept.order_by().first()


def _is_remarkable(received: Received) -> bool:
    return received.outcome != FileOutcome.ACCEPTED


def _remark(received: Received) -> dict[str, str]:
    return {
        "sop_instance_uid": received.sop_instance_uid,
        "outcome": str(received.outcome),
        "reason": received.reason,
    }
