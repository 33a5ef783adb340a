"""A browser signs in, is told who it is, and signs out; failures are counted and recorded."""

import pytest
from django.test import Client

from plaqueview.accounts.models import User
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/_allauth/browser/v1/auth/login"
SESSION = "/_allauth/browser/v1/auth/session"
ME = "/api/v1/me"


@pytest.fixture
def ana() -> User:
    return make_user(Role.NEUROLOGIST, username="ana")


def sign_in(client: Client, username: str = "ana", password: str = PASSWORD):
    body = {"username": username, "password": password}
    return client.post(LOGIN, body, content_type="application/json", headers=csrf(client))


def kinds() -> list[str]:
    return list(AuditEvent.objects.exclude(kind="account.created").order_by("sequence").values_list("kind", flat=True))


def test_a_name_and_its_password_open_a_session(ana):
    client = browser()

    answer = sign_in(client)

    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["username"] == "ana"
    assert client.get(ME).json()["username"] == "ana"
    event = AuditEvent.objects.get(kind="account.signed_in")
    assert (event.actor_id, event.actor_name, event.object_id) == (ana.pk, "ana", str(ana.pk))
    assert event.details == {"address": "127.0.0.1"}


def test_signing_out_ends_the_session(ana):
    client = browser()
    sign_in(client)

    answer = client.delete(SESSION, headers=csrf(client))

    assert answer.status_code == 401
    assert client.get(ME).status_code == 401
    assert kinds() == ["account.signed_in", "account.signed_out"]


def test_a_session_gets_a_new_key_at_sign_in(ana):
    client = browser()
    client.get(SESSION)
    before = client.cookies.get("plaqueview_sessionid")
    sign_in(client)

    assert client.cookies["plaqueview_sessionid"].value != (before.value if before else None)


@pytest.mark.parametrize(("username", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("ana", "")])
def test_anything_else_is_refused_in_the_same_words(ana, username, password):
    client = browser()

    answer = sign_in(client, username, password)

    assert answer.status_code == 400
    assert client.get(ME).status_code == 401
    if password:
        assert answer.json()["errors"] == [
            {
                "message": "The username and/or password you specified are not correct.",
                "code": "username_password_mismatch",
                "param": "password",
            }
        ]


def test_a_failed_attempt_names_the_account_but_never_what_was_typed(ana):
    client = browser()

    sign_in(client, "ANA", "wrong")
    sign_in(client, "my-password-typed-into-the-name", "x")

    known, unknown = AuditEvent.objects.filter(kind="account.sign_in_failed").order_by("sequence")
    assert (known.actor_name, known.object_id) == ("system", str(ana.pk))
    assert known.details == {"address": "127.0.0.1", "is_locked_out": False}
    assert (unknown.actor_name, unknown.object_id) == ("system", "")


def test_the_sixth_attempt_within_five_minutes_is_refused_even_with_the_right_password(ana):
    client = browser()
    for _ in range(5):
        sign_in(client, "ana", "wrong")

    answer = sign_in(client)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "too_many_login_attempts"
    assert client.get(ME).status_code == 401
    assert AuditEvent.objects.filter(kind="account.sign_in_failed").latest("sequence").details["is_locked_out"] is True


def test_one_locked_account_does_not_lock_another(ana):
    make_user(Role.NEUROLOGIST, username="bor")
    client = browser()
    for _ in range(5):
        sign_in(client, "ana", "wrong")

    assert sign_in(client, "bor").status_code == 200


def test_an_address_that_guesses_names_is_stopped_after_ten(ana):
    client = browser()
    for number in range(10):
        sign_in(client, f"guess-{number}", "wrong")

    assert sign_in(client).json()["errors"][0]["code"] == "too_many_login_attempts"


def test_a_header_cannot_pretend_another_address(ana):
    client = browser()
    for number in range(10):
        body = {"username": f"guess-{number}", "password": "wrong"}
        headers = {**csrf(client), "x-forwarded-for": f"10.0.0.{number}"}
        client.post(LOGIN, body, content_type="application/json", headers=headers)

    assert sign_in(client).json()["errors"][0]["code"] == "too_many_login_attempts"


def test_an_account_that_is_switched_off_cannot_sign_in(ana):
    ana.is_active = False
    ana.save()

    client = browser()
    sign_in(client)

    assert client.get(ME).status_code == 401


def test_an_account_that_is_switched_off_loses_its_session(ana):
    client = browser()
    sign_in(client)

    User.objects.update(is_active=False)

    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["auth/signup", "auth/password/request", "account/email", "auth/code/request", "config"],
)
def test_nobody_signs_up_or_resets_by_mail(path):
    client = browser()

    answer = client.post(f"/_allauth/browser/v1/{path}", {}, content_type="application/json", headers=csrf(client))

    assert answer.status_code == 404
    assert User.objects.count() == 0


def test_a_password_is_changed_by_its_owner_and_that_is_recorded(ana):
    client = browser()
    sign_in(client)
    body = {"current_password": PASSWORD, "new_password": "another-four-words"}

    path = "/_allauth/browser/v1/account/password/change"
    answer = client.post(path, body, content_type="application/json", headers=csrf(client))

    assert answer.status_code == 200
    ana.refresh_from_db()
    assert ana.check_password("another-four-words")
    assert "account.password_changed" in kinds()


@pytest.mark.parametrize("password", ["short", "password1234", "neurologist-ana", "123456789012"])
def test_a_weak_password_is_refused(password):
    ana = make_user(Role.NEUROLOGIST, username="neurologist-ana")
    client = browser()
    sign_in(client, "neurologist-ana")
    body = {"current_password": PASSWORD, "new_password": password}

    path = "/_allauth/browser/v1/account/password/change"
    answer = client.post(path, body, content_type="application/json", headers=csrf(client))

    assert answer.status_code == 400
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


def test_sign_in_without_the_csrf_header_is_a_problem_and_opens_nothing(ana):
    client = browser()

    answer = client.post(LOGIN, {"username": "ana", "password": PASSWORD}, content_type="application/json")

    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "csrf_failed"
    assert kinds() == []


def test_a_foreign_page_cannot_sign_in_even_with_the_header(ana):
    client = browser()
    body = {"username": "ana", "password": PASSWORD}
    headers = {**csrf(client), "origin": "https://elsewhere.example"}

    assert client.post(LOGIN, body, content_type="application/json", headers=headers).status_code == 403
