"""`manage.py close_account NAME`: for somebody who left the department, by somebody at the machine."""

from plaqueview.accounts.administration import close_account
from plaqueview.accounts.management.account_command import AccountCommand
from plaqueview.accounts.models import User


class Command(AccountCommand):
    help = "Ends an account's sessions, tokens and link; nobody signs in to it, and what its owner did stays."

    def work(self, user: User) -> str:
        close_account(user_id=user.pk, is_reauthenticated=True, actor=None)
        return f"account {user.username} is closed"
