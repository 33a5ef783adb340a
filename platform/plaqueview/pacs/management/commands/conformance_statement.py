"""`manage.py conformance_statement`: what a PACS administrator asks for before connecting."""

from typing import Any

from django.core.management.base import BaseCommand

from plaqueview.pacs.conformance import conformance_statement


class Command(BaseCommand):
    help = "Prints the DICOM conformance statement, from the tables that the code runs by."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        self.stdout.write(conformance_statement(), ending="")
