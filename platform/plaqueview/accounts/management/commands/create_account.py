"""`manage.py create_account NAME --role ROLE --site SITE`: an account, by somebody at the machine."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.accounts.services import create_site, create_user
from plaqueview.core.access import Role
from plaqueview.core.errors import PlaqueViewError


class Command(BaseCommand):
    help = "Makes an account; asks for its password, or reads one line of standard input where nobody types."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument("--site", action="append", required=True, help="repeat for several; made when new")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        sites = [create_site(name=name) for name in options["site"]]
        try:
            create_user(
                username=options["username"], password=password, role=Role(options["role"]), sites=sites, actor=None
            )
        except PlaqueViewError as error:
            raise CommandError("; ".join([error.detail, *error.fields.values()])) from error
        self.stdout.write(f"account {options['username']} is made")
