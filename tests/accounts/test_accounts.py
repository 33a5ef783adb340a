"""Accounts are made at the command line; a demo makes three, once."""

import io
import json
import stat

import pytest
from django.core.management import CommandError, call_command

from plaqueview.accounts.authentication import user_of_token
from plaqueview.accounts.demo import random_password
from plaqueview.accounts.models import ApiToken, Site, User
from plaqueview.accounts.services import create_site, create_user
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError, DeniedError, InvalidError
from tests.accounts.people import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def run_demo(path, *, port=8000, dicom_port=11112):
    out = io.StringIO()
    call_command(
        "create_demo_accounts",
        credentials_file=path,
        url=f"http://127.0.0.1:{port}",
        dicom_port=dicom_port,
        stdout=out,
    )
    return out.getvalue()


def test_a_demo_has_one_account_per_role(tmp_path):
    path = tmp_path / "credentials.json"

    printed = run_demo(path)

    content = json.loads(path.read_text())
    assert set(content) == {"admin", "neurologist", "integrator", "url", "dicom"}
    assert content["url"] == "http://127.0.0.1:8000"
    assert content["dicom"] == {"ae_title": "PLAQUEVIEW", "port": 11112}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(printed) == {"created": ["admin", "neurologist", "integrator"], "credentials_file": str(path)}
    for role in Role:
        account = content[role.value]
        user = User.objects.get(username=account["username"])
        assert user.role == role
        assert [site.name for site in user.sites.all()] == ["Demo"]
        assert user.check_password(account["password"])
        assert len(account["password"]) >= 16
        assert user_of_token(account["token"]) == user
        assert account["password"] not in printed
        assert account["token"] not in printed


def test_a_second_demo_changes_nothing(tmp_path):
    path = tmp_path / "credentials.json"
    run_demo(path)
    before, mtime = path.read_text(), path.stat().st_mtime_ns
    rows = list(User.objects.values().order_by("pk")), list(ApiToken.objects.values().order_by("pk"))

    printed = run_demo(path)

    assert json.loads(printed)["created"] == []
    assert (path.read_text(), path.stat().st_mtime_ns) == (before, mtime)
    assert (list(User.objects.values().order_by("pk")), list(ApiToken.objects.values().order_by("pk"))) == rows


def test_another_port_is_written_beside_the_same_accounts(tmp_path):
    path = tmp_path / "credentials.json"
    run_demo(path)
    before = json.loads(path.read_text())

    run_demo(path, port=9000, dicom_port=11113)

    after = json.loads(path.read_text())
    assert (after["url"], after["dicom"]["port"]) == ("http://127.0.0.1:9000", 11113)
    assert {role.value: after[role.value] for role in Role} == {role.value: before[role.value] for role in Role}


def test_a_lost_file_gives_nobody_a_new_password(tmp_path):
    path = tmp_path / "credentials.json"
    run_demo(path)
    passwords = list(User.objects.order_by("pk").values_list("password", flat=True))
    path.unlink()

    run_demo(path)

    assert set(json.loads(path.read_text())) == {"url", "dicom"}
    assert list(User.objects.order_by("pk").values_list("password", flat=True)) == passwords


def test_a_file_that_cannot_be_written_makes_no_account(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_demo(tmp_path / "missing" / "credentials.json")

    assert (User.objects.count(), Site.objects.count(), AuditEvent.objects.count()) == (0, 0, 0)


def test_random_passwords_differ_and_are_typed_easily():
    passwords = {random_password() for _ in range(1000)}

    assert len(passwords) == 1000
    assert all(len(password) == 23 and not set(password) & set("01iloO") for password in passwords)


def test_an_account_is_made_at_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    call_command("create_account", "ana", "--role=neurologist", "--site=Ljubljana", "--site=Maribor")

    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert sorted(site.name for site in user.sites.all()) == ["Ljubljana", "Maribor"]
    assert PASSWORD not in capsys.readouterr().out
    assert AuditEvent.objects.get().details == {"role": "neurologist"}


def test_a_weak_password_at_the_command_line_is_refused_with_its_reason(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))

    with pytest.raises(CommandError, match="at least 12 characters"):
        call_command("create_account", "ana", "--role=neurologist", "--site=Ljubljana")

    assert User.objects.count() == 0


@pytest.mark.parametrize("name", ["ana", "Ana", "\uff41\uff4e\uff41"])
def test_a_taken_name_is_a_conflict(name):
    """Also in other letters: sign-in takes no notice of case, and would let neither of the two in."""
    make_user(Role.NEUROLOGIST, username="ana")

    with pytest.raises(ConflictError, match="there is already an account with the name ana"):
        make_user(Role.ADMIN, username=name)

    assert User.objects.get().role == Role.NEUROLOGIST


def test_the_name_of_the_account_for_imports_is_nobodys():
    with pytest.raises(ConflictError, match="the name import is kept for"):
        make_user(Role.NEUROLOGIST, username="Import")


def test_only_who_manages_users_makes_accounts():
    ana, admin = make_user(Role.NEUROLOGIST), make_user(Role.ADMIN)
    account = {"password": PASSWORD, "role": Role.ADMIN, "sites": [create_site(name="Ljubljana")]}

    with pytest.raises(DeniedError):
        create_user(username="mole", actor=ana, **account)
    create_user(username="colleague", actor=admin, **account)

    assert sorted(User.objects.filter(username__in=["mole", "colleague"]).values_list("username", flat=True)) == [
        "colleague"
    ]


@pytest.mark.parametrize("username", ["", "with space", "x" * 151])
def test_a_malformed_name_is_refused(username):
    with pytest.raises(InvalidError):
        create_user(username=username, password=PASSWORD, role=Role.ADMIN, sites=[], actor=None)
