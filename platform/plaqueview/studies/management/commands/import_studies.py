"""Imports files, folders and archives from this machine."""

import shutil
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plaqueview.accounts.services import create_site
from plaqueview.core.errors import UnavailableError
from plaqueview.core.storage import incoming_folder
from plaqueview.studies import services
from plaqueview.studies.archives import ArchiveError, is_archive, printable
from plaqueview.studies.instance_file import is_part10
from plaqueview.studies.models import FileOutcome

CHUNK_FILES = 64
REPORTED = (FileOutcome.ACCEPTED, FileOutcome.DUPLICATE, FileOutcome.CONFLICT, FileOutcome.REJECTED)


class Command(BaseCommand):
    help = (
        "Imports DICOM files, zip archives, NIfTI volumes and folders of them: a line per file and a summary. "
        "The exit status is 1 when anything was rejected or is in conflict."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--site", default=settings.DEFAULT_SITE_NAME, help="site of the studies (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        missing = [path for path in options["paths"] if not path.exists()]
        if missing:
            raise CommandError(f"{missing[0]} does not exist", returncode=2)
        self.counts: Counter[FileOutcome] = Counter()
        self.study_ids: set[UUID] = set()
        self.arrival = services.Arrival(create_site(name=options["site"]), services.Source.IMPORT)
        try:
            self._import(list(_files_below(options["paths"])))
        except UnavailableError as error:
            raise CommandError(error.detail) from error
        for study_id in sorted(self.study_ids):
            services.settle(study_id)
        self._summarise()

    def _import(self, files: Sequence[Path]) -> None:
        plain: list[Path] = []
        for path in files:
            if not is_part10(path) and is_archive(path):
                self._import_archive(path)
                continue
            plain.append(path)
            if len(plain) >= CHUNK_FILES:
                self._import_files(plain)
                plain = []
        self._import_files(plain)

    def _import_files(self, files: Sequence[Path]) -> None:
        """Copies are taken in: the files stay where they are, and what happens to them later changes nothing here."""
        with incoming_folder() as folder:
            offered = []
            for position, path in enumerate(files):
                copy = folder / str(position)
                shutil.copyfile(path, copy)
                offered.append(services.Offered(str(path.absolute()), copy, position))
            names = [str(path) for path in files]
            services.take_in(
                offered,
                arrival=self.arrival,
                sink=lambda lines: self._report([(names[one.position], received) for one, received in lines]),
            )

    def _import_archive(self, path: Path) -> None:
        try:
            for part in services.unpack(path):
                services.take_in(
                    part.offered,
                    arrival=self.arrival,
                    sink=lambda lines: self._report([(f"{path}: {one.name}", received) for one, received in lines]),
                )
        except ArchiveError as error:
            self._report([(str(path), services.Received(FileOutcome.REJECTED, str(error)))])

    def _report(self, lines: Sequence[tuple[str, services.Received]]) -> None:
        for name, received in lines:
            self.counts[received.outcome] += 1
            if received.study_id is not None:
                self.study_ids.add(received.study_id)
            reason = f": {received.reason}" if received.reason else ""
            self.stdout.write(f"{received.outcome:<9} {printable(name)}{reason}")

    def _summarise(self) -> None:
        counts = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in REPORTED)
        self.stdout.write(f"{self.counts.total()} files: {counts}; {len(self.study_ids)} studies")
        if self.counts[FileOutcome.REJECTED] or self.counts[FileOutcome.CONFLICT]:
            raise CommandError("not every file was imported", returncode=1)


def _files_below(paths: Sequence[Path]) -> Iterator[Path]:
    """The files themselves, in the order of their names; a link is followed only where the user named it."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        yield from sorted(found for found in path.rglob("*") if found.is_file() and not found.is_symlink())
