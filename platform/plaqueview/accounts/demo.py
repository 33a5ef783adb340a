"""The three accounts of a demo, and the file that holds what opens them."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.accounts.services import LONGEST_TOKEN_LIFE, create_site, create_token, create_user
from plaqueview.core.access import Role

# No 0 and o, no 1, i and l: people type these.
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Credentials(TypedDict):
    username: str
    password: str
    token: str


def random_password() -> str:
    """Four groups of five letters and digits: 99 bits."""
    return "-".join("".join(secrets.choice(PASSWORD_LETTERS) for _ in range(5)) for _ in range(4))


@transaction.atomic
def create_demo_accounts(*, credentials_file: Path, url: str, dicom_port: int) -> list[str]:
    """One account per role exists, named after the role; returns the names of those made now.

    The file (mode 0600) holds the passwords and tokens of the accounts made here, now or earlier, and the addresses as
    they are now. Accounts that exist are left as they are: what opens them is not known any more when the file is gone.
    """
    known = json.loads(credentials_file.read_text()) if credentials_file.exists() else {}
    site = create_site(name=settings.DEFAULT_SITE_NAME)
    made: dict[str, Credentials] = {}
    for role in Role:
        if not User.objects.filter(username=role.value).exists():
            password = random_password()
            user = create_user(username=role.value, password=password, role=role, sites=[site], actor=None)
            token = create_token(
                user=user, name="demo", scopes=[], expires_at=timezone.now() + LONGEST_TOKEN_LIFE, actor=None
            )
            made[role.value] = {"username": role.value, "password": password, "token": token.secret}
    addresses: dict[str, object] = {"url": url, "dicom": {"ae_title": settings.DICOM_AE_TITLE, "port": dicom_port}}
    content = {**known, **made, **addresses}
    if content != known:
        _write_privately(credentials_file, content)
    return list(made)


def _write_privately(path: Path, content: Mapping[str, object]) -> None:
    """Nobody else ever reads the file, also not while it is being written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
