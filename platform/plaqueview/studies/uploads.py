"""Uploads: what one sender hands over at once, kept on the disk first and taken in by a worker.

A worker may die at any point. What it had not finished is taken in by the next one: a file waits in the store until the
transaction that keeps its instances has also written its outcome.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction

from plaqueview.accounts.models import Site, User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core.access import Action, require
from plaqueview.core.errors import DeniedError, InvalidError, UnavailableError
from plaqueview.core.queue import enqueue
from plaqueview.core.storage import incoming_folder, put_waiting, remove_waiting, stored_path, waiting_folders
from plaqueview.studies.archives import ArchiveError, is_archive, printable
from plaqueview.studies.arrivals import Arrival, Received, Source
from plaqueview.studies.instance_file import is_part10
from plaqueview.studies.intake import CHUNK_FILES, Offered, take_in, unpack
from plaqueview.studies.models import FileOutcome, Upload, UploadFile, UploadState
from plaqueview.studies.settling import PROCESS_UPLOAD_TASK, settle
from plaqueview.studies.upload_leases import MOST_ATTEMPTS, Lease, LeaseLostError, claim, first_lease_end, heartbeat

logger = logging.getLogger(__name__)

TOP: Final = "uploads"
UNFINISHED: Final = [UploadState.RECEIVING, UploadState.PROCESSING]
# Longer than any transaction that hands over files: before its commit, nobody sees of which upload they are.
LONGEST_HANDOVER_S: Final = 3600.0


@dataclass(frozen=True)
class UploadPart:
    """A file that was handed over: what the sender calls it, and where it lies on the store's own disk."""

    name: str
    path: Path
    size_bytes: int


def create_upload(*, actor: User, site: Site, parts: Sequence[UploadPart]) -> Upload:
    """The files wait in the store and a worker is asked to take them in; after an error none of them does.

    Raises: DeniedError when the actor does not belong to the site; InvalidError without a file.
    """
    require(actor, Action.STUDY_UPLOAD)
    if not actor.sites.filter(pk=site.pk).exists():
        raise DeniedError(f"you do not belong to the site {site.name}")
    if not parts:
        raise InvalidError("an upload needs at least one file", fields={"file": "none was sent"})
    upload = Upload(site=site, created_by=actor, state=UploadState.PROCESSING, lease_expires_at=first_lease_end())
    with ExitStack() as after_an_error:
        after_an_error.callback(remove_waiting, _folder(upload.pk))
        _hand_over(upload, parts)
        after_an_error.pop_all()
    return upload


@transaction.atomic
def _hand_over(upload: Upload, parts: Sequence[UploadPart]) -> None:
    upload.save(force_insert=True)
    for position, part in enumerate(parts):
        put_waiting(part.path, _key(upload.pk, position))
    UploadFile.objects.bulk_create(
        UploadFile(upload=upload, position=position, name=printable(part.name), size_bytes=part.size_bytes)
        for position, part in enumerate(parts)
    )
    record(
        EventKind.UPLOAD_CREATED,
        actor=upload.created_by,
        object_type="upload",
        object_id=upload.pk,
        site_id=upload.site_id,
        details={"files": len(parts)},
    )
    enqueue(PROCESS_UPLOAD_TASK, str(upload.pk))


def process_upload(upload_id: UUID) -> None:
    """Every file of the upload has its one outcome and its studies are settled.

    Called again it continues where the last worker ended; while another worker is at it, it does nothing.
    """
    lease = claim(upload_id)
    if lease is None:
        return
    try:
        with heartbeat(lease):
            _Intake(lease).run()
    except LeaseLostError:
        logger.warning("upload %s was taken over by another worker", upload_id)
        return
    except UnavailableError as error:
        _refuse_waiting(lease, error.detail)
    _remove_waiting(upload_id)


def forget_waiting() -> int:
    """Files that wait for no worker are gone, as of one that died when its upload was over; of how many uploads."""
    folders = waiting_folders(TOP, older_than_s=LONGEST_HANDOVER_S)
    folders -= {_folder(pk) for pk in Upload.objects.filter(state__in=UNFINISHED).values_list("pk", flat=True)}
    for folder in folders:
        remove_waiting(folder)
    return len(folders)


class _Intake:
    """One worker's go at an upload."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.upload = Upload.objects.select_related("site", "created_by").get(pk=lease.upload_id)
        self.arrival = Arrival(self.upload.site, Source.UPLOAD, self.upload.created_by)
        # A worker died over one of the next files: they go one by one, so that the culprit is known.
        self.suspects = CHUNK_FILES if self.upload.attempts > 1 else 0
        self.total_bytes = 1 + sum(self.upload.files.filter(archive=None).values_list("size_bytes", flat=True))
        waiting = self.upload.files.filter(archive=None, outcome=FileOutcome.WAITING).order_by("position")
        self.waiting = list(waiting)
        self.done_bytes = self.total_bytes - 1 - sum(file.size_bytes for file in self.waiting)

    def run(self) -> None:
        if self.upload.attempts > MOST_ATTEMPTS and not self._give_up_on_first():
            return
        chunk: list[UploadFile] = []
        for file in self.waiting:
            if self._is_archive(file):
                self._take_in_files(chunk)
                chunk = []
                self._take_in_archive(file)
                continue
            chunk.append(file)
            if len(chunk) >= CHUNK_FILES or self.suspects:
                self._take_in_files(chunk)
                chunk = []
        self._take_in_files(chunk)
        self._finish()

    def _give_up_on_first(self) -> bool:
        """The file that keeps stopping workers is refused; False when there is none to blame."""
        if not self.waiting:
            self.lease.end(UploadState.FAILED, "the upload could not be finished; its studies are kept")
            return False
        file = self.waiting.pop(0)
        verdict = Received(FileOutcome.REJECTED, f"looking at it stopped the worker {MOST_ATTEMPTS} times")
        with transaction.atomic():
            self._write([(file, verdict)])
        return True

    def _is_archive(self, file: UploadFile) -> bool:
        path = self._path(file)
        return not is_part10(path) and is_archive(path)

    def _take_in_files(self, files: Sequence[UploadFile]) -> None:
        """The waiting files stay until their outcomes are written: what is moved away is a second name of each."""
        if not files:
            return
        by_position = {file.position: file for file in files}
        with incoming_folder() as folder:
            offered = [self._second_name(file, folder) for file in files]
            take_in(
                offered,
                arrival=self.arrival,
                sink=lambda lines: self._write([(by_position[one.position], received) for one, received in lines]),
            )

    def _second_name(self, file: UploadFile, folder: Path) -> Offered:
        path = folder / str(file.position)
        try:
            os.link(self._path(file), path)
        except OSError:  # the disk knows no second names
            shutil.copyfile(self._path(file), path)
        return Offered(file.name, path, file.position)

    def _take_in_archive(self, file: UploadFile) -> None:
        known = set(file.members.values_list("position", flat=True))
        before = self.done_bytes
        try:
            for part in unpack(self._path(file), without=known, suspects=self.suspects):
                self.done_bytes = before + int(part.share * file.size_bytes)
                take_in(
                    part.offered,
                    arrival=self.arrival,
                    sink=lambda lines: self._write(_members(self.upload, file, lines)),
                )
        except ArchiveError as error:
            verdict = Received(FileOutcome.REJECTED, str(error))
        else:
            count = file.members.count()
            empty = Received(FileOutcome.REJECTED, "the archive is empty")
            verdict = Received(FileOutcome.UNPACKED, f"{count} files") if count else empty
        self.done_bytes = before
        with transaction.atomic():
            self._write([(file, verdict)])

    def _write(self, lines: Sequence[tuple[UploadFile, Received]]) -> None:
        """The outcomes stand in the rows, in the caller's transaction, if the lease still holds."""
        for file, received in lines:
            file.outcome, file.reason, file.study_id = received.outcome, received.reason[:1000], received.study_id
        files = [file for file, _ in lines]
        self.done_bytes += sum(file.size_bytes for file in files if file.archive_id is None)
        self.suspects = max(0, self.suspects - len(files))
        self.lease.renew(progress=min(1.0, self.done_bytes / self.total_bytes))
        UploadFile.objects.bulk_create(file for file in files if file.archive_id is not None)
        UploadFile.objects.bulk_update(
            [file for file in files if file.archive_id is None], ["outcome", "reason", "study"], batch_size=100
        )

    def _finish(self) -> None:
        studies = self.upload.files.exclude(study=None).order_by().values_list("study", flat=True).distinct()
        for study_id in list(studies):
            settle(study_id)
        self.lease.end(UploadState.DONE)

    def _path(self, file: UploadFile) -> Path:
        return stored_path(_key(self.upload.pk, file.position))


def _members(
    upload: Upload, archive: UploadFile, lines: Sequence[tuple[Offered, Received]]
) -> list[tuple[UploadFile, Received]]:
    rows = []
    for one, received in lines:
        size_bytes = one.path.stat().st_size if one.path.exists() else 0
        file = UploadFile(upload=upload, archive=archive, position=one.position, name=one.name, size_bytes=size_bytes)
        rows.append((file, received))
    return rows


@transaction.atomic
def _refuse_waiting(lease: Lease, reason: str) -> None:
    waiting = UploadFile.objects.filter(upload=lease.upload_id, outcome=FileOutcome.WAITING)
    waiting.update(outcome=FileOutcome.REJECTED, reason=reason[:1000])
    lease.end(UploadState.FAILED, reason)


def _folder(upload_id: UUID) -> str:
    return f"{TOP}/{upload_id}"


def _key(upload_id: UUID, position: int) -> str:
    return f"{_folder(upload_id)}/{position}"


def _remove_waiting(upload_id: UUID) -> None:
    if not Upload.objects.filter(pk=upload_id, state=UploadState.PROCESSING).exists():
        remove_waiting(_folder(upload_id))
