"""`manage.py apply_retention`: erases now whom the department's rule of retention names, as the clock does daily."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.operations.retention import apply_retention, due


class Command(BaseCommand):
    help = "Erases patients of whom nothing was received for PLAQUEVIEW_RETENTION_DAYS days and whom nobody holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say who would go, by our own ids")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RETENTION_DAYS:
            raise CommandError("PLAQUEVIEW_RETENTION_DAYS is 0: the department has no rule of retention")
        if options["dry_run"]:
            for patient_id, last_received_at in due():
                self.stdout.write(f"{patient_id} last received {last_received_at:%Y-%m-%d}")
            return
        applied = apply_retention()
        self.stdout.write(f"{applied.erased} patients erased, {applied.waiting} wait for work on them to end")
