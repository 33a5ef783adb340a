"""`manage.py unbind_identity NAME`: for a reader whose hospital account was made anew, by somebody at the machine."""

from plaqueview.accounts import openid
from plaqueview.accounts.management.account_command import AccountCommand
from plaqueview.accounts.models import User


class Command(AccountCommand):
    help = "Parts an account from the OpenID identity that opens it; the next identity of its name is bound to it."

    def work(self, user: User) -> str:
        openid.unbind(user)
        return f"account {user.username} is bound to no identity"
