"""Signing in with the hospital's accounts, at a real OpenID provider that runs as a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.launcher.broker import free_port
from tests.accounts.people import browser, make_user
from tests.pacs.peers import wait_for_port

pytestmark = pytest.mark.django_db(transaction=True)

BEGIN = "/_allauth/openid"
ME = "/api/v1/me"
PEOPLE = {
    "s-1": {"preferred_username": "ana"},
    "s-2": {"preferred_username": "ana"},  # who came to the hospital later, under the same name
    "s-3": {"preferred_username": "nobody"},
    "s-4": {},
    "s-5": {"preferred_username": ["ana"]},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    port = free_port()
    people = [word for sub, claims in PEOPLE.items() for word in ("--user-claims", json.dumps({"sub": sub} | claims))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *people]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def set_provider(settings, url: str) -> None:
    settings.OPENID_URL = url
    providers = deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    app = providers["openid_connect"]["APPS"][0]
    app |= {"client_id": "plaqueview", "secret": "s3cret", "settings": app["settings"] | {"server_url": url}}
    settings.SOCIALACCOUNT_PROVIDERS = providers


@pytest.fixture
def ana(provider, settings) -> User:
    set_provider(settings, provider)
    return make_user(Role.NEUROLOGIST, username="ana")


def sign_in(client: Client, sub: str, *, next_page: str = "/") -> str:
    """The address to which the browser comes in the end."""
    to_provider = client.get(BEGIN, {"next": next_page})
    assert to_provider.status_code == 302
    back = httpx.post(to_provider.headers["Location"], data={"sub": sub})
    parts = urlsplit(back.headers["Location"])
    assert (parts.netloc, parts.path) == ("testserver", "/_allauth/openid/hospital/callback")
    landed = client.get(f"{parts.path}?{parts.query}")
    assert landed.status_code == 302
    return landed.headers["Location"]


def events() -> list[tuple[str, dict[str, object]]]:
    kept = AuditEvent.objects.exclude(kind="account.created").order_by("sequence")
    return [(event.kind, event.details) for event in kept]


def test_the_page_of_sign_in_says_where_to_go_if_there_is_a_provider(ana, settings):
    settings.OPENID_NAME = "Clinic account"

    assert browser().get("/api/v1/sign-in").json() == {"openid": {"name": "Clinic account", "url": BEGIN}}
    settings.OPENID_URL = ""
    assert browser().get("/api/v1/sign-in").json() == {"openid": None}
    assert browser().get(BEGIN).status_code == 404


def test_an_identity_opens_the_account_of_its_name_and_the_page_that_was_wanted(ana):
    client = browser()

    assert sign_in(client, "s-1", next_page="/studies/7") == "/studies/7"

    assert client.get(ME).json()["username"] == "ana"
    assert events() == [
        ("account.identity_bound", {}),
        ("account.signed_in", {"address": "127.0.0.1", "openid": True}),
    ]


def test_the_provider_is_asked_with_a_state_and_proof_of_who_asked(ana):
    asked = parse_qs(urlsplit(browser().get(BEGIN).headers["Location"]).query)

    assert asked["redirect_uri"] == ["http://testserver/_allauth/openid/hospital/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16


def test_an_answer_that_was_not_asked_for_opens_nothing(ana):
    asked, other = browser(), browser()
    back = httpx.post(asked.get(BEGIN).headers["Location"], data={"sub": "s-1"}).headers["Location"]

    landed = other.get(f"{urlsplit(back).path}?{urlsplit(back).query}")

    assert landed.headers["Location"] == "/sign-in?refused=provider"
    assert other.get(ME).status_code == 401


@pytest.mark.parametrize("sub", ["s-3", "s-4", "s-5"])
def test_nobody_gets_an_account_by_it(ana, sub):
    client = browser()

    assert sign_in(client, sub) == "/sign-in?refused=no_account"

    assert client.get(ME).status_code == 401
    assert User.objects.count() == 1
    assert events() == [("account.sign_in_failed", {"address": "127.0.0.1", "openid": "no_account"})]


def test_another_identity_of_the_same_name_is_refused_until_the_first_is_unbound(ana):
    sign_in(browser(), "s-1")
    client = browser()

    assert sign_in(client, "s-2") == "/sign-in?refused=other_identity"
    assert client.get(ME).status_code == 401
    said = StringIO()
    call_command("unbind_identity", "ana", stdout=said)
    assert said.getvalue() == "account ana is bound to no identity\n"
    assert sign_in(client, "s-2") == "/"
    assert sign_in(browser(), "s-1") == "/sign-in?refused=other_identity"


def test_only_a_bound_identity_is_unbound(ana):
    with pytest.raises(CommandError, match="no identity is bound to the account ana"):
        call_command("unbind_identity", "ana")
    with pytest.raises(CommandError, match="there is no account with the name bor"):
        call_command("unbind_identity", "bor")


def test_an_account_that_is_switched_off_stays_shut(ana):
    sign_in(browser(), "s-1")
    User.objects.update(is_active=False)
    client = browser()

    assert sign_in(client, "s-1") == "/sign-in?refused=no_account"
    assert client.get(ME).status_code == 401


def test_whoever_turns_back_at_the_provider_is_told_so(ana):
    client = browser()
    state = parse_qs(urlsplit(client.get(BEGIN).headers["Location"]).query)["state"][0]

    # As RFC 6749 4.1.2.1 has it; the provider of these tests forgets the state when it denies.
    landed = client.get(f"{BEGIN}/hospital/callback", {"error": "access_denied", "state": state})

    assert landed.headers["Location"] == "/sign-in?refused=cancelled"


@pytest.mark.parametrize("next_page", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_the_page_to_come_back_to_is_ours(ana, next_page):
    assert sign_in(browser(), "s-1", next_page=next_page) == "/"


def test_a_provider_that_is_away_is_a_sentence_on_the_page_of_sign_in(ana, settings):
    set_provider(settings, f"http://127.0.0.1:{free_port()}")

    assert browser().get(BEGIN).headers["Location"] == "/sign-in?refused=provider"


def test_a_required_second_factor_is_the_provider_s_to_ask_for(ana, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = browser()
    sign_in(client, "s-1")

    assert client.get("/api/v1/studies").status_code == 200
