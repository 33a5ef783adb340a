"""`manage.py remove_second_factor NAME`: for a reader who lost phone and recovery codes, by somebody at the machine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.accounts import second_factor
from plaqueview.accounts.models import User
from plaqueview.core.errors import ConflictError


class Command(BaseCommand):
    help = "Takes the second factor from an account; its owner signs in with the password and adds a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no account with the name {options['username']}")
        try:
            second_factor.remove(user)
        except ConflictError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"account {user.username} has its password alone")
