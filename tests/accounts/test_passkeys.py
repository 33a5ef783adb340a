"""Passkeys: added, named, removed, and what they open: a session, the second step of one, and what is dangerous."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user
from tests.accounts.soft_key import SoftKey

pytestmark = pytest.mark.django_db

ROUTES = "/_allauth/browser/v1"
KEYS = f"{ROUTES}/account/authenticators/webauthn"
ME = "/api/v1/me"


@pytest.fixture
def ana() -> User:
    return make_user(Role.ADMIN, username="ana")


def at_localhost() -> Client:
    """A browser at an address that has a name, without which there are no passkeys."""
    client = browser()
    client.defaults["HTTP_HOST"] = "localhost"
    return client


def send(client: Client, path: str, method: str = "post", **body):
    return getattr(client, method)(path, body, content_type="application/json", headers=csrf(client))


def sign_in_by_password(client: Client):
    return send(client, f"{ROUTES}/auth/login", username="ana", password=PASSWORD)


def give_password_again(client: Client) -> None:
    assert send(client, f"{ROUTES}/auth/reauthenticate", password=PASSWORD).status_code == 200


def add(client: Client, key: SoftKey, name: str = "Office computer"):
    give_password_again(client)
    options = client.get(f"{KEYS}?passwordless=true").json()["data"]["creation_options"]["publicKey"]
    return send(client, KEYS, name=name, credential=key.register(options), passwordless=True)


def use(client: Client, key: SoftKey, route: str):
    options = client.get(f"{ROUTES}/auth/webauthn/{route}").json()["data"]["request_options"]["publicKey"]
    return send(client, f"{ROUTES}/auth/webauthn/{route}", credential=key.sign(options))


@pytest.fixture
def key(ana, django_capture_on_commit_callbacks) -> SoftKey:
    """Ana's account has it."""
    client, made = at_localhost(), SoftKey()
    sign_in_by_password(client)
    with django_capture_on_commit_callbacks(execute=True):
        assert add(client, made).status_code == 200
    return made


def authenticators() -> list[str]:
    return list(Authenticator.objects.order_by("pk").values_list("type", flat=True))


def test_a_passkey_alone_opens_a_session_and_the_audit_says_so(key):
    client = at_localhost()

    answer = use(client, key, "login")

    assert answer.status_code == 200, answer.content
    assert client.get(ME).json()["username"] == "ana"
    added = AuditEvent.objects.filter(kind="account.second_factor_added").order_by("sequence")
    assert list(added.values_list("details", flat=True)) == [{"type": "webauthn"}, {"type": "recovery_codes"}]
    event = AuditEvent.objects.filter(kind="account.signed_in").latest("sequence")
    assert event.details == {"address": "127.0.0.1", "second_factor": "webauthn"}


def test_with_a_passkey_the_password_alone_opens_nothing_and_the_passkey_completes_it(key):
    client = at_localhost()

    first = sign_in_by_password(client)
    before = client.get(ME).status_code
    answer = use(client, key, "authenticate")

    assert (first.status_code, before, answer.status_code) == (401, 401, 200)
    (pending,) = [flow for flow in first.json()["data"]["flows"] if flow.get("is_pending")]
    assert sorted(pending["types"]) == ["recovery_codes", "webauthn"]
    assert client.get(ME).json()["username"] == "ana"


@pytest.mark.parametrize("spoil", ["signature", "challenge", "owner", "unverified"])
def test_a_false_answer_opens_nothing_and_is_not_asked_twice(key, spoil):
    client = at_localhost()
    options = client.get(f"{ROUTES}/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]
    if spoil == "challenge":
        options["challenge"] = "A" * 43
    key.is_verifying = spoil != "unverified"
    answer = (SoftKey(id=key.id, owner=key.owner) if spoil == "signature" else key).sign(options)
    if spoil == "owner":
        answer["response"]["userHandle"] = "bm9ib2R5"

    refused = send(client, f"{ROUTES}/auth/webauthn/login", credential=answer)

    assert refused.status_code == 400
    assert client.get(ME).status_code == 401


def test_an_answer_holds_once(key):
    client = at_localhost()
    options = client.get(f"{ROUTES}/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]
    answer = key.sign(options)

    first = send(client, f"{ROUTES}/auth/webauthn/login", credential=answer)
    other = at_localhost()
    other.get(f"{ROUTES}/auth/webauthn/login")

    assert first.status_code == 200
    assert send(other, f"{ROUTES}/auth/webauthn/login", credential=answer).status_code == 400


def test_who_has_no_password_reauthenticates_by_passkey(key, ana, settings):
    ana.set_unusable_password()
    ana.save()
    client = at_localhost()
    use(client, key, "login")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    refused = send(client, KEYS, "put", id=Authenticator.objects.get(type="webauthn").pk, name="Desk")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

    assert refused.status_code == 401
    assert [flow["id"] for flow in refused.json()["data"]["flows"]] == ["mfa_reauthenticate"]
    assert use(client, key, "reauthenticate").status_code == 200
    named = send(client, KEYS, "put", id=Authenticator.objects.get(type="webauthn").pk, name="Desk")
    assert (named.status_code, named.json()["data"]["name"]) == (200, "Desk")


def test_a_passkey_is_removed_by_its_owner_alone_and_opens_nothing_then(key):
    other = at_localhost()
    make_user(Role.ADMIN, username="bor")
    send(other, f"{ROUTES}/auth/login", username="bor", password=PASSWORD)
    give_password_again(other)
    passkey = Authenticator.objects.get(type="webauthn")

    not_theirs = send(other, KEYS, "delete", authenticators=[passkey.pk])
    kept = authenticators()
    owner = at_localhost()
    use(owner, key, "login")
    use(owner, key, "reauthenticate")
    gone = send(owner, KEYS, "delete", authenticators=[passkey.pk])

    assert (not_theirs.status_code, kept) == (400, ["webauthn", "recovery_codes"])
    assert (gone.status_code, authenticators()) == (200, [])
    assert use(at_localhost(), key, "login").status_code == 400
    assert AuditEvent.objects.filter(kind="account.second_factor_removed").count() == 2
