"""Administrators make, change, close and open the accounts of others: never their own, and only of their sites."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from plaqueview.accounts import administration
from plaqueview.accounts.administration import Names, Rights
from plaqueview.accounts.authentication import user_of_token
from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site, create_token, create_user, import_account
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from plaqueview.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from tests.accounts.people import PASSWORD, browser, csrf, make_user, secret_of, token_client

pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = "/_allauth/browser/v1"
USERS = "/api/v1/users"


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN, username="chief")


@pytest.fixture
def ana() -> User:
    return make_user(Role.NEUROLOGIST, username="ana")


def signed_in(username: str) -> Client:
    """A browser in which somebody has signed in, and has given their password again."""
    client = browser()
    for answer in (
        send(client, "post", f"{ROUTES}/auth/login", username=username, password=PASSWORD),
        send(client, "post", f"{ROUTES}/auth/reauthenticate", password=PASSWORD),
    ):
        assert answer.status_code == 200
    return client


def send(client: Client, method: str, path: str, **body: object):
    return getattr(client, method)(path, body, content_type="application/json", headers=csrf(client))


def events() -> list[tuple[str, str, dict[str, object]]]:
    """(kind, actor, details) of what was done to accounts, but for signing in."""
    kept = AuditEvent.objects.exclude(kind="account.signed_in").exclude(actor_name="system").order_by("sequence")
    return list(kept.values_list("kind", "actor_name", "details"))


def test_an_administrator_makes_an_account(admin):
    site = admin.sites.get()

    answer = send(
        signed_in("chief"), "post", USERS,
        username="eva", first_name="Eva", last_name="Kovač", role="neurologist", sites=[str(site.pk)],
    )  # fmt: skip

    eva = User.objects.get(username="eva")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{USERS}/{eva.pk}"
    assert answer.json() == {
        "id": str(eva.pk),
        "username": "eva",
        "first_name": "Eva",
        "last_name": "Kovač",
        "name": "Eva Kovač",
        "role": "neurologist",
        "actions": sorted(ACTIONS_OF_ROLE[Role.NEUROLOGIST]),
        "sites": [{"id": str(site.pk), "name": "Ljubljana"}],
        "has_other_sites": False,
        "is_active": True,
        "last_login": None,
        "date_joined": answer.json()["date_joined"],
        "has_password": False,
        "password_link_until": None,
        "has_second_factor": False,
        "has_identity": False,
    }
    assert events() == [("account.created", "chief", {"role": "neurologist"})]


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"username": "chief"}, 409, None),
        ({"username": "eva kovač"}, 422, "username"),
        ({"username": "ﷺ" * 9}, 422, "username"),  # one letter that is written out as a text with blanks
        ({"role": "king"}, 400, "role"),
        ({"sites": []}, 400, "sites"),
        ({"sites": ["00000000-0000-0000-0000-000000000000"]}, 422, "sites"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_its_field(admin, asked, status, field):
    wanted = {"username": "eva", "role": "neurologist", "sites": [str(admin.sites.get().pk)], **asked}

    answer = send(signed_in("chief"), "post", USERS, **wanted)

    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])
    assert list(User.objects.values_list("username", flat=True)) == ["chief"]


def test_no_account_is_made_at_a_site_that_is_not_the_administrators(admin):
    elsewhere = create_site(name="Maribor")

    with pytest.raises(InvalidError) as refusal:
        administration.add_account(
            username="eva",
            names=Names(),
            role=Role.ADMIN,
            site_ids=[admin.sites.get().pk, elsewhere.pk],
            is_reauthenticated=True,
            actor=admin,
        )

    assert refusal.value.fields == {"sites": "found 1 of 2 among your sites, need all of them and at least one"}


def test_the_list_says_how_each_account_is_opened(admin, ana, django_assert_num_queries):
    ana.sites.add(create_site(name="Maribor"))
    make_user(Role.ADMIN, site=create_site(name="Celje"), username="stranger")
    client = signed_in("chief")

    rows = client.get(USERS).json()["results"]

    assert [(row["username"], row["has_password"], row["has_other_sites"]) for row in rows] == [
        ("ana", True, True),
        ("chief", True, False),
    ]
    assert [site["name"] for site in rows[0]["sites"]] == ["Ljubljana"]
    with django_assert_num_queries(5):  # the user, their sites, the count, the accounts, those accounts' sites
        client.get(USERS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("role=neurologist", ["ana"]),
        ("role=neurologist&role=admin", ["ana", "chief"]),
        ("search=NOVAK", ["ana"]),
        ("search=hie", ["chief"]),
        ("is_active=false", []),
        ("ordering=-username", ["chief", "ana"]),
    ],
)
def test_accounts_are_found_by_role_name_and_state(admin, ana, query, found):
    User.objects.filter(pk=ana.pk).update(last_name="Novak")

    rows = token_client(admin).get(f"{USERS}?{query}").json()["results"]

    assert [row["username"] for row in rows] == found


def test_another_role_is_audited_and_ends_the_tokens_of_the_old_one(admin, ana):
    secret = secret_of(ana)

    answer = send(signed_in("chief"), "patch", f"{USERS}/{ana.pk}", role="admin", last_name="Novak")

    assert (answer.status_code, answer.json()["role"], answer.json()["name"]) == (200, "admin", "Novak")
    assert user_of_token(secret) is None
    assert events() == [
        ("token.revoked", "chief", {}),
        ("account.changed", "chief", {"names": "last_name", "role": "admin", "role_before": "neurologist"}),
    ]


def test_other_sites_are_audited_by_their_ids(admin, ana):
    before, after = admin.sites.get(), create_site(name="Maribor")
    admin.sites.add(after)

    changed = administration.change_account(
        user_id=ana.pk, names=Names(), rights=Rights(site_ids=[after.pk]), is_reauthenticated=True, actor=admin
    )

    assert list(changed.sites.all()) == [after]
    assert events() == [
        ("account.changed", "chief", {"sites_added": str(after.pk), "sites_removed": str(before.pk)}),
    ]


def test_what_changes_nothing_is_no_event(admin, ana):
    rights = Rights(role=Role.NEUROLOGIST, site_ids=[admin.sites.get().pk])

    administration.change_account(
        user_id=ana.pk, names=Names("", ""), rights=rights, is_reauthenticated=True, actor=admin
    )

    assert events() == []


def test_a_closed_account_opens_nothing(admin, ana):
    session = signed_in("ana")
    secret = secret_of(ana)
    link = administration.make_password_link(user_id=ana.pk, is_reauthenticated=True, actor=admin)

    answer = send(signed_in("chief"), "delete", f"{USERS}/{ana.pk}/opening")

    assert (answer.status_code, answer.json()["is_active"], answer.json()["password_link_until"]) == (200, False, None)
    assert session.get("/api/v1/me").status_code == 401
    assert user_of_token(secret) is None
    assert send(browser(), "post", f"{ROUTES}/auth/login", username="ana", password=PASSWORD).status_code == 401
    key = {"X-Password-Reset-Key": link.url.partition("#")[2]}
    assert browser().get(f"{ROUTES}/auth/password/reset", headers=key).status_code == 400
    assert events() == [
        ("account.password_link_created", "chief", {}),
        ("token.revoked", "chief", {}),
        ("account.signed_out", "chief", {"address": "127.0.0.1", "reason": "ended by an administrator"}),
        ("account.closed", "chief", {}),
    ]


def test_an_account_that_opens_again_is_signed_in_to_anew(admin, ana):
    session = signed_in("ana")
    secret = secret_of(ana)
    client = signed_in("chief")
    send(client, "delete", f"{USERS}/{ana.pk}/opening")

    answer = send(client, "put", f"{USERS}/{ana.pk}/opening")

    assert (answer.status_code, answer.json()["is_active"]) == (200, True)
    assert session.get("/api/v1/me").status_code == 401
    assert user_of_token(secret) is None
    assert signed_in("ana").get("/api/v1/me").status_code == 200
    assert events()[-1] == ("account.opened", "chief", {})


def test_sessions_end_and_the_account_stays_open(admin, ana):
    session = signed_in("ana")

    answer = send(signed_in("chief"), "delete", f"{USERS}/{ana.pk}/sessions")

    assert answer.status_code == 204
    assert session.get("/api/v1/me").status_code == 401
    assert signed_in("ana").get("/api/v1/me").status_code == 200


def test_a_session_that_asks_while_it_is_ended_has_ended(admin, ana, monkeypatch):
    """It is found in the database until the end is kept there, and would be in the cache from then on."""
    session, record = signed_in("ana"), administration.audit.record

    def recorded(*happening, **details):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: (session.get("/api/v1/me"), connection.close())).result()
        return record(*happening, **details)

    monkeypatch.setattr(administration.audit, "record", recorded)
    administration.end_sessions(user_id=ana.pk, is_reauthenticated=True, actor=admin)

    assert session.get("/api/v1/me").status_code == 401


MANAGED = [
    ("patch", ""),
    ("put", "/opening"),
    ("delete", "/opening"),
    ("post", "/password-link"),
    ("delete", "/sessions"),
]


@pytest.mark.parametrize(("method", "below"), MANAGED)
def test_nobody_manages_their_own_account(admin, method, below):
    answer = send(signed_in("chief"), method, f"{USERS}/{admin.pk}{below}", role="neurologist")

    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "nobody manages their own account; another administrator can",
    )
    assert (events(), User.objects.get().role) == ([], "admin")


@pytest.mark.parametrize(("method", "below"), MANAGED)
def test_an_account_with_another_site_is_its_administrators(admin, ana, method, below):
    ana.sites.add(create_site(name="Maribor"))

    answer = send(signed_in("chief"), method, f"{USERS}/{ana.pk}{below}", role="admin")

    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "the account has sites that you do not have; an administrator of all of them can manage it",
    )
    ana.refresh_from_db()
    assert (events(), ana.role, ana.is_active, ana.password_link_at) == ([], "neurologist", True, None)


@pytest.mark.parametrize(("method", "below"), MANAGED)
def test_a_token_manages_no_account(admin, ana, method, below):
    answer = send(token_client(admin), method, f"{USERS}/{ana.pk}{below}", role="admin")

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")
    ana.refresh_from_db()
    assert (ana.role, ana.is_active, ana.password_link_at) == ("neurologist", True, None)


def test_an_administrator_who_was_closed_meanwhile_manages_nobody(admin, ana):
    User.objects.filter(pk=admin.pk).update(is_active=False)

    with pytest.raises(DeniedError) as refusal:
        administration.close_account(user_id=ana.pk, is_reauthenticated=True, actor=admin)

    assert refusal.value.detail == "your account may not manage others any more"
    assert User.objects.get(pk=ana.pk).is_active


def test_an_account_of_elsewhere_is_not_found(admin):
    stranger = make_user(Role.NEUROLOGIST, site=create_site(name="Celje"), username="stranger")

    with pytest.raises(NotFoundError):
        administration.close_account(user_id=stranger.pk, is_reauthenticated=True, actor=admin)

    assert User.objects.get(pk=stranger.pk).is_active


def test_somebody_at_the_machine_closes_and_opens_an_account(ana, capsys):
    life = timezone.now() + timedelta(days=1)
    create_token(user=ana, name="script", scopes=[Action.STUDY_READ], expires_at=life, actor=None)

    call_command("close_account", "ana")

    assert capsys.readouterr().out == "account ana is closed\n"
    assert not User.objects.get().is_active
    assert ApiToken.objects.get().revoked_at is not None
    with pytest.raises(CommandError, match="the account is closed; open it, then make a link"):
        call_command("create_password_link", "ana")

    call_command("open_account", "ana")

    assert User.objects.get().is_active


def test_the_account_of_imports_is_opened_by_nobody():
    import_account()

    with pytest.raises(CommandError, match="nobody signs in with the account import"):
        call_command("open_account", "import")

    assert not User.objects.get().is_active


def test_of_those_who_make_the_same_name_at_once_one_does(admin):
    site = admin.sites.get()

    def make(username: str) -> str:
        try:
            create_user(username=username, password=None, role=Role.NEUROLOGIST, sites=[site], actor=None)
        except ConflictError as error:
            return error.detail
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(make, ["eva", "EVA", "eva", "Eva"]))

    (name,) = User.objects.exclude(pk=admin.pk).values_list("username", flat=True)
    assert answers == ["made", *[f"there is already an account with the name {name}"] * 3]
