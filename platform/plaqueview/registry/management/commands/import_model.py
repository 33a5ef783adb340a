"""`manage.py import_model PATH`: the model of a signed file becomes a candidate."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.core.errors import PlaqueViewError
from plaqueview.registry.exchange import import_model


class Command(BaseCommand):
    help = "Registers the model of a file that a trusted key has signed, as a candidate that reads nothing yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        try:
            with options["path"].open("rb") as source:
                model = import_model(source=source, actor=None)
        except (PlaqueViewError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{model.name} {model.version} is a candidate")
