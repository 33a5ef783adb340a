"""What commands about one account share: it is named, found, and a refusal is a sentence."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.accounts.models import User
from plaqueview.core.errors import PlaqueViewError


class AccountCommand(BaseCommand):
    """`work` does what the command is for, and gives the sentence that is printed."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no account with the name {options['username']}")
        try:
            self.stdout.write(self.work(user))
        except PlaqueViewError as error:
            raise CommandError(error.detail) from error

    def work(self, user: User) -> str:
        raise NotImplementedError
