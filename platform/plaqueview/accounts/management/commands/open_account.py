"""`manage.py open_account NAME`: for an account that was closed, by somebody at the machine."""

from plaqueview.accounts.administration import open_account
from plaqueview.accounts.management.account_command import AccountCommand
from plaqueview.accounts.models import User


class Command(AccountCommand):
    help = "Opens an account that was closed; its owner signs in as before, and makes tokens anew."

    def work(self, user: User) -> str:
        open_account(user_id=user.pk, is_reauthenticated=True, actor=None)
        return f"account {user.username} is open"
