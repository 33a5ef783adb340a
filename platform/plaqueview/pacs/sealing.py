"""Secrets of nodes, sealed under a key of their own that follows from the installation's secret key."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SealBrokenError(ValueError):
    """The secret was sealed under another secret key."""


def seal(secret: str) -> str:
    """The secret as the database keeps it; nothing stays nothing."""
    return _box().encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """Raises: SealBrokenError when PLAQUEVIEW_SECRET_KEY has changed since."""
    try:
        return _box().decrypt(sealed).decode() if sealed else ""
    except InvalidToken:
        raise SealBrokenError("the node's secrets were kept under another secret key; enter them again") from None


def _box() -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"plaqueview.pacs.nodes").derive(settings.SECRET_KEY.encode())
    return Fernet(urlsafe_b64encode(key))
