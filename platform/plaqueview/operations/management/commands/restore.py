"""`manage.py restore FOLDER`: what `manage.py backup` has written, into an empty database and an empty storage."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.core.errors import PlaqueViewError
from plaqueview.operations.backup import restore


class Command(BaseCommand):
    help = "Checks a backup and puts it into an empty database and an empty storage; never overwrites anything."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="the folder that `backup` has written")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["source"])
        except (PlaqueViewError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{manifest.file_count} files, {manifest.size_bytes} bytes of {manifest.made_at} are back; "
            "start the processes, then run `plaqueview manage doctor` and `plaqueview manage verify_audit`"
        )
