"""`manage.py seal_identifiers`: what names patients is sealed under the first key, sealed anew, or opened again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from plaqueview.core.identifier_keys import ring
from plaqueview.operations.sealing import Brought, bring_into_form, forget_what_was, form_text, rows_by_form, rows_text


class Command(BaseCommand):
    help = (
        "Brings every row into the form that the first of PLAQUEVIEW_IDENTIFIER_KEYS wants, in batches, while the "
        "system serves. It may be stopped at any moment and goes on where it was. First restart every process with the "
        "keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many rows are in which form")
        parser.add_argument("--open", action="store_true", help='turns it off: the list of keys begins with "clear"')

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for table, forms in rows_by_form().items():
                self.stdout.write(f"{table}: {rows_text(forms) or 'nothing'}")
            return
        if not ring().is_used:
            raise CommandError(
                "PLAQUEVIEW_IDENTIFIER_KEYS is empty: there is nothing to seal with, and nothing to open"
            )
        if options["open"] == ring().seals:
            raise CommandError(
                "--open needs PLAQUEVIEW_IDENTIFIER_KEYS to begin with clear, in every process"
                if ring().seals
                else "PLAQUEVIEW_IDENTIFIER_KEYS begins with clear: to open everything, say --open"
            )
        self._bring()

    def _bring(self) -> None:
        tables: dict[str, Brought] = {}
        for brought in bring_into_form():
            tables[brought.table] = brought
        for brought in tables.values():
            self.stdout.write(f"{brought.table}: {_told(brought)}")
        if any(brought.rows for brought in tables.values()) and not connection.in_atomic_block:
            forget_what_was()
        _require_none_left(tables.values())


def _told(brought: Brought) -> str:
    before = rows_text(brought.from_forms)
    return f"{brought.rows} rows are {form_text(ring().form)}" + (f", before: {before}" if before else "")


def _require_none_left(tables: Any) -> None:
    """Raises: CommandError with what nobody can bring into form but the department."""
    left = []
    for brought in tables:
        left += [
            f"{count} rows of {brought.table} are sealed under key {key}, which is not here"
            for key, count in brought.unopened.items()
        ]
        left += [f"{brought.table} {pk} is one patient with another row" for pk in brought.doubled]
    if left:
        raise CommandError("; ".join(left))
