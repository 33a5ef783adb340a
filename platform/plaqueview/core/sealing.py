"""Secrets that the database keeps: sealed under a key for each purpose that follows from the installation's own."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SealBrokenError(ValueError):
    """The secret was sealed under another secret key, or for another purpose."""


@dataclass(frozen=True)
class Seal:
    """`purpose` parts the keys: a secret that was sealed for one purpose is not opened for another."""

    purpose: str
    refusal: str

    def close(self, secret: str) -> str:
        """The secret as the database keeps it; nothing stays nothing."""
        return self._box().encrypt(secret.encode()).decode() if secret else ""

    def open(self, sealed: str) -> str:
        """Raises: SealBrokenError, with `refusal`, when PLAQUEVIEW_SECRET_KEY has changed since."""
        try:
            return self._box().decrypt(sealed).decode() if sealed else ""
        except InvalidToken:
            raise SealBrokenError(self.refusal) from None

    def _box(self) -> Fernet:
        derived = HKDF(SHA256(), length=32, salt=None, info=self.purpose.encode())
        return Fernet(urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
