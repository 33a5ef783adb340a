"""`manage.py export_model VERSION PATH`: a model as one signed file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.core.errors import PlaqueViewError
from plaqueview.registry.exchange import export_model
from plaqueview.registry.models import ModelVersion


class Command(BaseCommand):
    help = "Writes a model that was trained or imported here as one file, signed with the key of the settings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="as the page Models shows it")
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        models = ModelVersion.objects.filter(version=options["version"])
        if len(models) != 1:
            raise CommandError(f"{len(models)} models have the version {options['version']}, need one")
        path: Path = options["path"]
        draft = path.with_name(path.name + ".new")
        try:
            with draft.open("wb") as target:
                export_model(model_id=models[0].pk, target=target, actor=None)
            draft.replace(path)
        except (PlaqueViewError, OSError) as error:
            raise CommandError(str(error)) from error
        finally:
            draft.unlink(missing_ok=True)
        self.stdout.write(f"{models[0].name} {models[0].version} is in {path}")
