"""`manage.py remove_second_factor NAME`: for a reader who lost phone and recovery codes, by somebody at the machine."""

from plaqueview.accounts import second_factor
from plaqueview.accounts.management.account_command import AccountCommand
from plaqueview.accounts.models import User


class Command(AccountCommand):
    help = "Takes the second factor from an account; its owner signs in with the password and adds a new one."

    def work(self, user: User) -> str:
        second_factor.remove(user)
        return f"account {user.username} has its password alone"
