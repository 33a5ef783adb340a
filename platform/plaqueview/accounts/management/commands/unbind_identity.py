"""`manage.py unbind_identity NAME`: for a reader whose hospital account was made anew, by somebody at the machine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plaqueview.accounts import openid
from plaqueview.accounts.models import User
from plaqueview.core.errors import ConflictError


class Command(BaseCommand):
    help = "Parts an account from the OpenID identity that opens it; the next identity of its name is bound to it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"there is no account with the name {options['username']}")
        try:
            openid.unbind(user)
        except ConflictError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"account {user.username} is bound to no identity")
