"""Tokens speak for their users: within their scopes, until they expire or are revoked."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from plaqueview.accounts.authentication import user_of_token
from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site, create_token, revoke_token
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from plaqueview.core.errors import DeniedError, InvalidError, NotFoundError, PlaqueViewError
from tests.accounts.people import browser, csrf, make_user, prove, secret_of, token_client

pytestmark = pytest.mark.django_db

TOKENS = "/api/v1/tokens"


def tomorrow():
    return timezone.now() + timedelta(days=1)


def ask_for_token(client: Client, **body):
    """In a browser whose user has just given their password again, or by a token."""
    if settings.SESSION_COOKIE_NAME in client.cookies:
        prove(client)
    body = {"name": "script", "expires_at": tomorrow().isoformat(), **body}
    return client.post(TOKENS, body, content_type="application/json", headers=csrf(client))


def test_only_the_hash_of_a_secret_is_kept():
    secret = secret_of(make_user(Role.NEUROLOGIST))

    token = ApiToken.objects.get()

    assert secret.startswith("pv_")
    assert len(secret) == 46
    assert token.token_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert all(secret not in str(value) for value in ApiToken.objects.values().get().values())


def test_a_token_speaks_for_its_user():
    ana = make_user(Role.NEUROLOGIST)

    found = user_of_token(secret_of(ana))

    assert found == ana
    assert found.actions == ACTIONS_OF_ROLE[Role.NEUROLOGIST]
    assert found.token_id == ApiToken.objects.get().pk


def test_scopes_narrow_the_role_and_never_widen_it():
    admin = make_user(Role.ADMIN)
    secret = secret_of(admin, Action.STUDY_READ, Action.AUDIT_READ)
    assert user_of_token(secret).actions == {Action.STUDY_READ, Action.AUDIT_READ}

    User.objects.filter(pk=admin.pk).update(role=Role.NEUROLOGIST)

    assert user_of_token(secret).actions == {Action.STUDY_READ}


def test_an_expired_a_revoked_an_unknown_and_an_inactive_one_speak_for_nobody():
    ana, off = make_user(Role.NEUROLOGIST), make_user(Role.NEUROLOGIST)
    expired, revoked, inactive = secret_of(ana), secret_of(ana), secret_of(off)
    tokens = {token.token_sha256: token for token in ApiToken.objects.all()}
    token_of = {secret: tokens[hashlib.sha256(secret.encode()).hexdigest()] for secret in (expired, revoked)}
    ApiToken.objects.filter(pk=token_of[expired].pk).update(expires_at=timezone.now())
    revoke_token(token_id=token_of[revoked].pk, actor=ana)
    User.objects.filter(pk=off.pk).update(is_active=False)

    assert [user_of_token(secret) for secret in (expired, revoked, inactive, "pv_unknown", "")] == [None] * 5


def test_the_last_use_is_written_once_a_minute(django_assert_num_queries):
    secret = secret_of(make_user(Role.NEUROLOGIST))

    user_of_token(secret)
    first = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(1):
        user_of_token(secret)
    assert ApiToken.objects.get().last_used_at == first

    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    user_of_token(secret)
    assert timezone.now() - ApiToken.objects.get().last_used_at < timedelta(seconds=5)


def test_a_bearer_asks_without_csrf_and_without_a_session():
    ana = make_user(Role.NEUROLOGIST, username="ana")
    client = token_client(ana)

    answer = client.get("/api/v1/me")

    assert (answer.status_code, answer.json()["username"]) == (200, "ana")
    assert "plaqueview_sessionid" not in answer.cookies


def test_a_bad_bearer_is_told_so_even_beside_a_good_session():
    client = browser(make_user(Role.NEUROLOGIST))

    answer = client.get("/api/v1/me", headers={"authorization": "Bearer pv_wrong"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plaqueview"'
    assert answer.json() == {
        "type": "urn:plaqueview:problem:invalid_token",
        "title": "Unauthorized",
        "status": 401,
        "code": "invalid_token",
        "detail": "the token is unknown, expired or revoked",
    }


def test_a_person_makes_a_token_in_a_session_and_sees_its_secret_once():
    ana = make_user(Role.NEUROLOGIST, username="ana")
    client = browser(ana)

    answer = ask_for_token(client, scopes=["study.read"])

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{TOKENS}/{body['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (body["username"], body["scopes"], body["last_used_at"]) == ("ana", ["study.read"], None)
    assert user_of_token(body["secret"]).actions == {Action.STUDY_READ}
    assert "secret" not in client.get(answer.headers["Location"]).json()
    assert "secret" not in client.get(TOKENS).json()["results"][0]
    event = AuditEvent.objects.get(kind="token.created")
    assert (event.actor_name, event.object_id, event.details) == ("ana", body["id"], {"user": str(ana.pk)})


def test_an_administrator_makes_tokens_for_integrators_of_the_own_site():
    admin, integrator = make_user(Role.ADMIN), make_user(Role.INTEGRATOR)

    answer = ask_for_token(browser(admin), user=str(integrator.pk))

    assert answer.status_code == 201
    assert user_of_token(answer.json()["secret"]) == integrator


def test_nobody_makes_a_token_that_speaks_for_another_person():
    admin, ana = make_user(Role.ADMIN), make_user(Role.NEUROLOGIST)

    answer = ask_for_token(browser(admin), user=str(ana.pk))

    assert (answer.status_code, ApiToken.objects.count()) == (403, 0)


def test_who_does_not_manage_users_makes_no_token_for_an_integrator():
    ana, bridge = make_user(Role.NEUROLOGIST), make_user(Role.INTEGRATOR)

    answer = ask_for_token(browser(ana), user=str(bridge.pk))

    assert (answer.status_code, ApiToken.objects.count()) == (403, 0)
    assert answer.json()["detail"] == "this needs the action user.manage, which your role or token does not include"
    assert not AuditEvent.objects.filter(kind="token.created").exists()


def test_an_administrator_of_some_of_an_integrators_sites_makes_no_token_for_it():
    admin, bridge, maribor = make_user(Role.ADMIN), make_user(Role.INTEGRATOR), create_site(name="Maribor")
    bridge.sites.add(maribor)
    client = browser(admin)

    refused = ask_for_token(client, user=str(bridge.pk))

    assert (refused.status_code, ApiToken.objects.count()) == (403, 0)
    assert refused.json()["detail"] == (
        "the integrator has sites that you do not have; an administrator of all of them can make its tokens"
    )

    admin.sites.add(maribor)

    assert ask_for_token(client, user=str(bridge.pk)).status_code == 201


def test_another_sites_integrator_does_not_exist():
    admin = make_user(Role.ADMIN)
    stranger = make_user(Role.INTEGRATOR, site=create_site(name="Maribor"))

    answer = ask_for_token(browser(admin), user=str(stranger.pk))

    assert (answer.status_code, ApiToken.objects.count()) == (404, 0)


def test_a_token_makes_no_tokens():
    ana = make_user(Role.NEUROLOGIST)
    client = token_client(ana)

    answer = ask_for_token(client)

    assert answer.status_code == 403
    assert answer.json()["detail"] == "a token cannot make tokens; sign in to make one"
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"scopes": ["audit.read"]}, 422, "scopes"),
        ({"scopes": ["everything"]}, 400, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"expires_at": "soon"}, 400, "expires_at"),
        ({"name": ""}, 400, "name"),
        ({"name": "n" * 101}, 400, "name"),
    ],
)
def test_a_token_beyond_the_rules_is_refused_by_field(body, status, field):
    answer = ask_for_token(browser(make_user(Role.NEUROLOGIST)), **body)

    assert (answer.status_code, ApiToken.objects.count()) == (status, 0)
    assert [error["field"].split(".")[0] for error in answer.json()["errors"]] == [field]


def test_a_revoked_token_stays_listed_and_speaks_for_nobody():
    ana = make_user(Role.NEUROLOGIST)
    client = browser(ana)
    body = ask_for_token(client).json()

    answers = [client.delete(f"{TOKENS}/{body['id']}", headers=csrf(client)).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert user_of_token(body["secret"]) is None
    assert client.get(TOKENS).json()["results"][0]["revoked_at"] is not None
    assert AuditEvent.objects.filter(kind="token.revoked").count() == 1


def test_the_tokens_of_others_cannot_be_seen_or_revoked():
    ana, bor = make_user(Role.NEUROLOGIST), make_user(Role.NEUROLOGIST)
    secret = secret_of(ana)
    token = ApiToken.objects.get()
    client = browser(bor)

    answers = [
        client.get(f"{TOKENS}/{token.pk}").status_code,
        client.delete(f"{TOKENS}/{token.pk}", headers=csrf(client)).status_code,
        client.get(f"{TOKENS}/{uuid.uuid4()}").status_code,
    ]

    assert answers == [404, 404, 404]
    assert client.get(TOKENS).json()["results"] == []
    assert user_of_token(secret) == ana


def test_services_refuse_who_may_not():
    integrator, ana = make_user(Role.INTEGRATOR), make_user(Role.NEUROLOGIST)
    secret_of(ana)

    with pytest.raises(DeniedError):
        create_token(user=integrator, name="x", scopes=[], expires_at=tomorrow(), actor=integrator)
    with pytest.raises(DeniedError):
        revoke_token(token_id=ApiToken.objects.get().pk, actor=integrator)
    with pytest.raises(NotFoundError):
        revoke_token(token_id=uuid.uuid4(), actor=ana)
    with pytest.raises(InvalidError):
        create_token(user=integrator, name="x", scopes=[Action.AUDIT_READ], expires_at=tomorrow(), actor=None)

    assert ApiToken.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        ({"is_active": False}, "the account is closed; open it, then make a token"),
        ({"role": Role.INTEGRATOR}, "the token would reach further than the role"),
    ],
)
def test_a_token_is_made_for_what_its_owner_is_now(now, refusal):
    """Who was read before they were closed or given another role gets no token that was not revoked with the others."""
    reader = make_user(Role.NEUROLOGIST)
    User.objects.filter(pk=reader.pk).update(**now)

    with pytest.raises(PlaqueViewError) as error:
        create_token(user=reader, name="x", scopes=[Action.ANNOTATION_EDIT], expires_at=tomorrow(), actor=None)

    assert (error.value.detail, ApiToken.objects.count()) == (refusal, 0)
