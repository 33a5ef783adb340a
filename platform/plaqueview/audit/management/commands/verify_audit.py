"""`manage.py verify_audit`: is every event still there, and as it was written?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.audit.services import Anchor, verify_chain


class Command(BaseCommand):
    help = "Checks the hash chain of the audit events; exit status 1 names what was changed or is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", metavar="SEQUENCE:HASH", help="the head that an earlier check printed")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_chain(anchor=_anchor_of(options["anchor"]))
        for problem in report.problems:
            self.stderr.write(problem)
        if report.problems:
            raise CommandError(f"{len(report.problems)} problems in {report.event_count} audit events")
        self.stdout.write(
            f"{report.event_count} audit events are intact; head {report.head.sequence}:{report.head.hash}"
        )


def _anchor_of(text: str | None) -> Anchor | None:
    if text is None:
        return None
    sequence, _, digest = text.partition(":")
    if not sequence.isdigit() or len(digest) != 64:
        raise CommandError(f"anchor is {text!r}, need SEQUENCE:HASH as an earlier check printed it")
    return Anchor(sequence=int(sequence), hash=digest)
