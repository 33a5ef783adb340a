"""`manage.py backup FOLDER`: database and storage, while the system runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.core.errors import PlaqueViewError
from plaqueview.operations.backup import back_up


class Command(BaseCommand):
    help = (
        "Writes database and storage into a new folder, with a hash of every file. It holds patients' data and not the "
        "secret key, which is kept elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("destination", type=Path, help="a folder that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = back_up(options["destination"])
        except (PlaqueViewError, OSError) as error:
            raise CommandError(str(error)) from error
        for name in backup.damaged:
            self.stderr.write(f"{name} is not what its name says: the storage has changed it")
        manifest = backup.manifest
        self.stdout.write(f"{manifest.file_count} files, {manifest.size_bytes} bytes in {options['destination']}")
        if backup.damaged:
            raise CommandError(f"the backup is complete, and {len(backup.damaged)} stored files are damaged")
