"""Codes of an authenticator app beside the password: added, asked for, used once, lost, and required."""

import base64
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user, token_client

pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = "/_allauth/browser/v1"
TOTP_ROUTE = f"{ROUTES}/account/authenticators/totp"
CODES_ROUTE = f"{ROUTES}/account/authenticators/recovery-codes"
ME = "/api/v1/me"
STUDIES = "/api/v1/studies"


# A code holds for a day here: between its making and its use no half minute ends.
PERIOD_S = 86_400


@pytest.fixture
def ana(settings) -> User:
    settings.MFA_TOTP_PERIOD = PERIOD_S
    return make_user(Role.NEUROLOGIST, username="ana")


def post(client: Client, path: str, **body: str):
    return client.post(path, body, content_type="application/json", headers=csrf(client))


def sign_in(client: Client):
    return post(client, f"{ROUTES}/auth/login", username="ana", password=PASSWORD)


def give_password_again(client: Client) -> None:
    assert post(client, f"{ROUTES}/auth/reauthenticate", password=PASSWORD).status_code == 200


def code_of(secret: str, *, periods_ago: int = 0) -> str:
    """What the app on the phone shows. Source: RFC 6238, by another library than the server's."""
    app = TOTP(base64.b32decode(secret), 6, SHA1(), PERIOD_S)
    return app.generate(int(timezone.now().timestamp()) - PERIOD_S * periods_ago).decode()


def add_factor(client: Client) -> str:
    """The secret that the phone now holds."""
    give_password_again(client)
    secret = client.get(TOTP_ROUTE).json()["meta"]["secret"]
    answer = post(client, TOTP_ROUTE, code=code_of(secret))
    assert answer.status_code == 200, answer.content
    return secret


@pytest.fixture
def guarded(ana) -> str:
    """Ana's account has a second factor; the secret on her phone."""
    client = browser()
    sign_in(client)
    return add_factor(client)


def kinds() -> list[str]:
    return list(AuditEvent.objects.exclude(kind="account.created").order_by("sequence").values_list("kind", flat=True))


def test_with_a_second_factor_the_password_alone_opens_nothing(guarded):
    client = browser()

    first = sign_in(client)

    assert first.status_code == 401
    assert [flow["id"] for flow in first.json()["data"]["flows"] if flow.get("is_pending")] == ["mfa_authenticate"]
    assert client.get(ME).status_code == 401


def test_the_code_of_the_phone_opens_the_session_and_the_audit_tells_by_what(guarded):
    client = browser()
    sign_in(client)

    answer = post(client, f"{ROUTES}/auth/2fa/authenticate", code=code_of(guarded))

    assert answer.status_code == 200
    assert client.get(ME).json()["username"] == "ana"
    event = AuditEvent.objects.filter(kind="account.signed_in").latest("sequence")
    assert event.details == {"address": "127.0.0.1", "second_factor": "totp"}


def test_a_code_opens_one_session_only(guarded):
    code = code_of(guarded)
    for expected in (200, 400):
        client = browser()
        sign_in(client)
        assert post(client, f"{ROUTES}/auth/2fa/authenticate", code=code).status_code == expected


def test_a_wrong_or_old_code_is_refused_and_recorded_and_the_sixth_try_waits(guarded):
    client = browser()
    sign_in(client)
    for code in ("000000", code_of(guarded, periods_ago=20), "", "12345", "abcdef", "999999"):
        answer = post(client, f"{ROUTES}/auth/2fa/authenticate", code=code)
        assert answer.status_code == 400

    assert post(client, f"{ROUTES}/auth/2fa/authenticate", code=code_of(guarded)).status_code == 400
    assert client.get(ME).status_code == 401
    failure = AuditEvent.objects.filter(kind="account.sign_in_failed").earliest("sequence")
    assert failure.details == {"address": "127.0.0.1", "factor": "second"}


def test_a_recovery_code_opens_once_and_is_shown_once(guarded):
    owner = browser()
    sign_in(owner)
    post(owner, f"{ROUTES}/auth/2fa/authenticate", code=code_of(guarded))
    give_password_again(owner)
    codes = owner.get(CODES_ROUTE).json()["data"]["unused_codes"]
    again = owner.get(CODES_ROUTE).json()["data"]

    assert len(codes) == 10
    assert ("unused_codes" in again, again["unused_code_count"]) == (False, 10)
    for expected in (200, 400):
        client = browser()
        sign_in(client)
        assert post(client, f"{ROUTES}/auth/2fa/authenticate", code=codes[0]).status_code == expected


def test_secrets_are_sealed_in_the_database(guarded):
    assert guarded not in str(list(Authenticator.objects.values_list("data", flat=True)))
    added = AuditEvent.objects.filter(kind="account.second_factor_added").order_by("sequence")
    assert list(added.values_list("details", flat=True)) == [{"type": "totp"}, {"type": "recovery_codes"}]


def test_a_factor_is_added_and_removed_with_the_password_just_given_only(ana):
    client = browser()
    sign_in(client)
    secret = client.get(TOTP_ROUTE).json()["meta"]["secret"]
    assert post(client, TOTP_ROUTE, code=code_of(secret)).status_code == 401
    secret = add_factor(client)

    other = browser()
    sign_in(other)
    post(other, f"{ROUTES}/auth/2fa/authenticate", code=code_of(secret))
    answer = other.delete(TOTP_ROUTE, headers=csrf(other))

    assert answer.status_code == 401
    assert [flow["id"] for flow in answer.json()["data"]["flows"]] == ["reauthenticate", "mfa_reauthenticate"]
    assert client.delete(TOTP_ROUTE, headers=csrf(client)).status_code == 200
    assert kinds()[-2:] == ["account.second_factor_removed"] * 2  # and the recovery codes with it
    assert sign_in(browser()).status_code == 200


def test_whoever_lost_phone_and_codes_is_let_in_by_somebody_at_the_machine(guarded):
    said = StringIO()
    call_command("remove_second_factor", "ana", stdout=said)

    assert said.getvalue() == "account ana has its password alone\n"
    assert sign_in(browser()).status_code == 200
    event = AuditEvent.objects.get(kind="account.second_factor_removed")
    assert (event.actor_name, event.object_id) == ("system", str(User.objects.get().pk))
    with pytest.raises(CommandError, match="the account ana has no second factor"):
        call_command("remove_second_factor", "ana")
    with pytest.raises(CommandError, match="there is no account with the name bor"):
        call_command("remove_second_factor", "bor")


def test_where_it_is_required_a_session_without_one_opens_its_account_only(ana, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = browser()
    sign_in(client)

    refused = client.get(STUDIES)

    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    assert client.get("/dicom-web/studies").status_code == 403
    assert client.get(ME).json()["needs_second_factor"] is True
    add_factor(client)
    assert client.get(STUDIES).status_code == 200
    assert client.get(ME).json()["needs_second_factor"] is False


def test_where_it_is_required_taking_it_away_closes_the_session_again(ana, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = browser()
    sign_in(client)
    add_factor(client)
    assert client.get(STUDIES).status_code == 200

    client.delete(TOTP_ROUTE, headers=csrf(client))

    assert client.get(STUDIES).json()["code"] == "second_factor_needed"


def test_a_token_needs_no_second_factor(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = token_client(make_user(Role.INTEGRATOR))

    assert client.get(STUDIES).status_code == 200
    assert client.get(ME).json()["needs_second_factor"] is False
