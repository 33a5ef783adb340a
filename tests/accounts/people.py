"""Users, tokens and the clients that they ask with."""

from datetime import timedelta

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth import get_user
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site, create_token, create_user
from plaqueview.core.access import Action, Role

PASSWORD = "7331-hvk8-qqzz-5p2w"


def make_user(role: Role, *, site: Site | None = None, username: str | None = None) -> User:
    """A user of the role, of the site named Ljubljana unless another is given."""
    return create_user(
        username=username or f"{role.value}-{User.objects.count()}",
        password=PASSWORD,
        role=role,
        sites=[site or create_site(name="Ljubljana")],
        actor=None,
    )


def secret_of(user: User, *scopes: Action) -> str:
    expires_at = timezone.now() + timedelta(days=1)
    return create_token(user=user, name="test", scopes=scopes, expires_at=expires_at, actor=None).secret


def token_client(user: User, *scopes: Action) -> Client:
    """Asks with a Bearer token, as a script does."""
    return Client(headers={"authorization": f"Bearer {secret_of(user, *scopes)}"})


def browser(user: User | None = None) -> Client:
    """Keeps cookies and is held to CSRF, as a browser is; signed in as the user."""
    client = Client(enforce_csrf_checks=True)
    if user is not None:
        client.force_login(user)
    return client


def prove(client: Client) -> None:
    """The user of the client's session has just given their password again."""
    request = RequestFactory().get("/")
    request.session, user = client.session, get_user(client)
    record_authentication(request, user, method="password", reauthenticated=True)
    request.session.save()


def csrf(client: Client) -> dict[str, str]:
    """The header that a browser sends with every request that writes; its first answer brought the cookie."""
    name = settings.CSRF_COOKIE_NAME
    if name not in client.cookies:
        request = RequestFactory().get("/")
        get_token(request)
        client.cookies[name] = request.META["CSRF_COOKIE"]
    return {"x-csrftoken": client.cookies[name].value}
