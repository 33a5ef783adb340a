"""A link sets its account's password: once, for three days, and only the newest one."""

from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from plaqueview.accounts import administration
from plaqueview.accounts.administration import Names, Rights
from plaqueview.accounts.models import User
from plaqueview.accounts.password_links import end_of_link
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import PASSWORD, browser, csrf, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = "/_allauth/browser/v1"
RESET = f"{ROUTES}/auth/password/reset"
NEXT_PASSWORD = "9118-kvvh-ttrr-4n8m"


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN, username="chief")


@pytest.fixture
def eva(admin) -> User:
    """An account that nobody has opened yet."""
    return administration.add_account(
        username="eva",
        names=Names(),
        role=Role.NEUROLOGIST,
        site_ids=[admin.sites.get().pk],
        is_reauthenticated=True,
        actor=admin,
    )


def key_for(user: User, admin: User) -> str:
    link = administration.make_password_link(user_id=user.pk, is_reauthenticated=True, actor=admin)
    page, _, key = link.url.partition("#")
    assert page == "http://testserver/set-password"
    return key


def post(client: Client, path: str, **body: str):
    return client.post(path, body, content_type="application/json", headers=csrf(client))


def set_password(key: str, password: str = NEXT_PASSWORD):
    return post(browser(), RESET, key=key, password=password)


def is_good(key: str) -> bool:
    return browser().get(RESET, headers={"X-Password-Reset-Key": key}).status_code == 200


def can_sign_in(username: str, password: str) -> bool:
    return post(browser(), f"{ROUTES}/auth/login", username=username, password=password).status_code == 200


def test_the_owner_of_a_new_account_sets_its_password(admin, eva):
    key = key_for(eva, admin)
    assert browser().get(RESET, headers={"X-Password-Reset-Key": key}).json()["data"]["user"]["username"] == "eva"

    answer = set_password(key)

    assert answer.status_code == 401  # set, and nobody is signed in by it
    assert can_sign_in("eva", NEXT_PASSWORD)
    eva.refresh_from_db()
    assert eva.password_link_at is None
    kinds = list(AuditEvent.objects.order_by("sequence").values_list("kind", "actor_name"))
    assert kinds[-3:] == [
        ("account.password_link_created", "chief"),
        ("account.password_changed", "eva"),
        ("account.signed_in", "eva"),
    ]


def test_a_link_is_told_of_while_it_is_good(admin, eva, monkeypatch):
    assert end_of_link(eva) is None
    link = administration.make_password_link(user_id=eva.pk, is_reauthenticated=True, actor=admin)
    eva.refresh_from_db()

    assert end_of_link(eva) == link.expires_at

    monkeypatch.setattr(timezone, "now", lambda: link.expires_at)
    assert end_of_link(eva) is None


def test_a_link_is_used_once(admin, eva):
    key = key_for(eva, admin)
    set_password(key)

    again = set_password(key, "4427-mmzz-ppqq-1k3j")

    assert (again.status_code, again.json()["errors"][0]["code"]) == (400, "invalid_password_reset")
    assert can_sign_in("eva", NEXT_PASSWORD)


def test_a_newer_link_ends_the_one_before(admin, eva):
    first = key_for(eva, admin)

    second = key_for(eva, admin)

    assert (is_good(first), is_good(second)) == (False, True)


@pytest.mark.parametrize(("seconds_after", "is_still_good"), [(-2, True), (2, False)])
def test_a_link_ends_after_three_days(admin, eva, monkeypatch, seconds_after, is_still_good):
    made_at = timezone.now()
    link = administration.make_password_link(user_id=eva.pk, is_reauthenticated=True, actor=admin)
    assert timedelta(days=3) <= link.expires_at - made_at < timedelta(days=3, seconds=30)

    later = timezone.make_naive(link.expires_at) + timedelta(seconds=seconds_after)
    monkeypatch.setattr(default_token_generator, "_now", lambda: later)

    assert is_good(link.url.partition("#")[2]) == is_still_good


def test_a_sign_in_with_the_password_that_was_remembered_ends_the_link(admin):
    ana = make_user(Role.NEUROLOGIST, username="ana")
    key = key_for(ana, admin)

    assert can_sign_in("ana", PASSWORD)

    assert not is_good(key)
    ana.refresh_from_db()
    assert end_of_link(ana) is None


def test_the_password_set_by_a_link_ends_the_sessions_from_before(admin):
    ana = make_user(Role.NEUROLOGIST, username="ana")
    session = browser()
    post(session, f"{ROUTES}/auth/login", username="ana", password=PASSWORD)

    set_password(key_for(ana, admin))

    assert session.get("/api/v1/me").status_code == 401
    assert not can_sign_in("ana", PASSWORD)


@pytest.fixture
def while_hashing(monkeypatch):
    """What is done between the look at the key and the writing of the password."""
    done = []
    hash_password = User.set_password

    def hashed(user: User, password: str) -> None:
        hash_password(user, password)
        while done:
            done.pop()()

    monkeypatch.setattr(User, "set_password", hashed)
    return done.append


def test_an_account_that_is_closed_while_its_password_is_set_stays_closed(admin, eva, while_hashing):
    key = key_for(eva, admin)
    while_hashing(lambda: administration.close_account(user_id=eva.pk, is_reauthenticated=True, actor=admin))

    answer = set_password(key)

    eva.refresh_from_db()
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "changed")
    assert (eva.is_active, eva.has_usable_password()) == (False, False)


def test_another_role_given_while_the_password_is_set_stays(admin, eva, while_hashing):
    key, rights = key_for(eva, admin), Rights(role=Role.INTEGRATOR)
    while_hashing(
        lambda: administration.change_account(
            user_id=eva.pk, names=Names(), rights=rights, is_reauthenticated=True, actor=admin
        )
    )

    set_password(key)

    eva.refresh_from_db()
    assert (eva.role, eva.has_usable_password()) == ("integrator", True)


def test_of_two_who_use_a_link_at_once_one_sets_the_password(admin, eva, while_hashing):
    key = key_for(eva, admin)
    others = []
    while_hashing(lambda: others.append(set_password(key, "4427-mmzz-ppqq-1k3j")))

    answer = set_password(key)

    assert (answer.status_code, [other.status_code for other in others]) == (409, [401])
    assert (can_sign_in("eva", NEXT_PASSWORD), can_sign_in("eva", "4427-mmzz-ppqq-1k3j")) == (False, True)


def test_a_weak_password_is_refused_and_the_link_stays(admin, eva):
    key = key_for(eva, admin)

    answer = set_password(key, "eva")

    assert answer.status_code == 400
    assert {error["param"] for error in answer.json()["errors"]} == {"password"}
    assert is_good(key)


@pytest.mark.parametrize("key", ["", "x", "0-0", "ffffffffffffffffffffffffffffffff-abc"])
def test_a_key_that_was_never_made_opens_nothing(key):
    answer = set_password(key)

    assert answer.status_code == 400
    assert {error["param"] for error in answer.json()["errors"]} == {"key"}


def test_a_key_that_nobody_was_given_opens_nothing(eva):
    """What the secret key alone would make of the account, with no link asked for."""
    assert not is_good(f"{eva.pk.hex}-{default_token_generator.make_token(eva)}")


def test_a_link_made_at_the_machine_sets_the_password(eva, capsys):
    call_command("create_password_link", "eva")

    key = capsys.readouterr().out.strip().partition("#")[2]
    assert set_password(key).status_code == 401
    assert can_sign_in("eva", NEXT_PASSWORD)
