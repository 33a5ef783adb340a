"""An address asked early, in the ordinary way, and as it is installed; and who asks."""

from django.conf import settings
from django.test import Client, override_settings

from plaqueview.accounts.models import User
from plaqueview.core import problems
from plaqueview.core.access import Action
from tests.accounts.people import PASSWORD, browser, csrf, secret_of

urlpatterns: list[object] = []  # of `only_early`
handler404 = problems.not_found

EARLY = "plaqueview.pacs.middleware.answer_early"
OCTETS = "application/octet-stream"
ME = "/api/v1/me"
ROUTES = "/_allauth/browser/v1"


def with_chance_removed(answer) -> tuple[int, dict[str, str], bytes, dict[str, tuple[bool, str]]]:
    """Status, headers, body and cookies, without what differs between any two answers."""
    headers = dict(answer.headers)
    assert headers.pop("X-Request-ID")
    boundary = headers.get("Content-Type", "").partition("boundary=")[2] or "no boundary"
    headers = {name: value.replace(boundary, "") for name, value in headers.items()}
    cookies = {name: (bool(one.value), one["path"]) for name, one in answer.cookies.items()}
    return answer.status_code, headers, answer.getvalue().replace(boundary.encode(), b""), cookies


def only_early(path: str, headers: dict[str, str], **options):
    """The answer where there is no other way: no route and no view."""
    with override_settings(ROOT_URLCONF=__name__):
        return Client(headers=headers).get(path, **options)


def ordinary(path: str, headers: dict[str, str], method: str = "get", **options):
    middleware = [one for one in settings.MIDDLEWARE if one != EARLY]
    with override_settings(MIDDLEWARE=middleware):
        return getattr(Client(headers=headers), method)(path, **options)


def as_installed(path: str, headers: dict[str, str], method: str = "get", **options):
    return getattr(Client(headers=headers), method)(path, **options)


def bearer(user: User, *scopes: Action) -> dict[str, str]:
    return {"authorization": f"Bearer {secret_of(user, *scopes)}"}


def page(user: User) -> Client:
    """Signed in as the user, with the page open."""
    client = browser()
    body = {"username": user.username, "password": PASSWORD}
    client.post(f"{ROUTES}/auth/login", body, content_type="application/json", headers=csrf(client))
    assert client.get(ME).status_code == 200
    return client


def cookies_of(client: Client) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())}


def session(user: User) -> dict[str, str]:
    return cookies_of(page(user))
