"""`manage.py create_demo_accounts`: an admin, a neurologist and an integrator, once."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from plaqueview.accounts.demo import create_demo_accounts


class Command(BaseCommand):
    help = "Makes one account per role and writes what opens them to a private file; prints which were made, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--credentials-file", type=Path, required=True)
        parser.add_argument("--url", required=True, help="where the pages are")
        parser.add_argument("--dicom-port", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["credentials_file"]
        made = create_demo_accounts(credentials_file=path, url=options["url"], dicom_port=options["dicom_port"])
        self.stdout.write(json.dumps({"created": made, "credentials_file": str(path)}))
