"""`manage.py doctor`: does every part of the installation do its work, and what is to be done where one does not?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plaqueview.operations.doctor import examine


class Command(BaseCommand):
    help = "Asks every part of the installation, a line each; exit status 1 when one fails. Changes nothing."
    requires_system_checks = []  # they are among what is asked

    def handle(self, *args: Any, **options: Any) -> None:
        failures = 0
        for finding in examine():
            self.stdout.write(finding.line)
            failures += finding.is_failure
        if failures:
            raise CommandError(f"{failures} of the checks failed")
