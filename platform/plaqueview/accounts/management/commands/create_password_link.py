"""`manage.py create_password_link NAME`: for whoever forgot the password, by somebody at the machine."""

from plaqueview.accounts.administration import make_password_link
from plaqueview.accounts.management.account_command import AccountCommand
from plaqueview.accounts.models import User


class Command(AccountCommand):
    help = "Prints a link by which the account's owner sets its password, once, within three days."

    def work(self, user: User) -> str:
        return make_password_link(user_id=user.pk, is_reauthenticated=True, actor=None).url
