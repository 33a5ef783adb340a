"""What names a patient, as the database keeps it: sealed under one of the installation's keys, or clear.

Source: docs/decisions/0046-sealed-identifiers.md; RFC 5297 for the cipher.
"""

import base64
import binascii
import secrets
from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from plaqueview.core.errors import UnavailableError

# In the list of keys: what is written stays clear, what is sealed can be read.
CLEAR: Final = "clear"
# Begins whatever is sealed. No printable text begins so, and what is received is cut down to printable text.
MARK: Final = "\x02"
KEY_ID_LETTERS: Final = 8
NONCE_BYTES: Final = 12
SAME_EVERY_TIME: Final = bytes(NONCE_BYTES)
# Lengths are hidden within a step of this many bytes.
STEP_BYTES: Final = 32
# Texts that a process remembers having opened: of 20,000 patients, at some 300 bytes each.
MOST_OPENED: Final = 65_536


def sealed_length(letters: int) -> int:
    """The most letters that a clear text of at most so many has when it is sealed."""
    padded = -(-4 * letters // STEP_BYTES) * STEP_BYTES
    return len(MARK) + KEY_ID_LETTERS + 1 + 4 * -(-(NONCE_BYTES + 16 + padded) // 3)


class UnopenedText(str):
    """Stands for a text whose key is not here, and says so; what is stored is written back as it was."""

    __slots__ = ("key_id", "stored")
    key_id: str
    stored: str

    def __new__(cls, stored: str) -> Self:
        key_id = key_id_of(stored)
        unopened = super().__new__(cls, f"sealed under key {key_id}, which is not here")
        unopened.key_id, unopened.stored = key_id, stored
        return unopened


def key_id_of(stored: str) -> str:
    return stored[len(MARK) : len(MARK) + KEY_ID_LETTERS]


def require_opened(*values: object) -> None:
    """Raises: UnavailableError when one of the values is sealed under a key that is not here."""
    for value in values:
        if isinstance(value, UnopenedText):
            raise UnavailableError(
                f"the patient's identifiers are sealed under key {value.key_id}, "
                "which PLAQUEVIEW_IDENTIFIER_KEYS does not hold"
            )


class IdentifierKey:
    """One key; what it is used with is derived, so that its id tells nothing of it."""

    def __init__(self, text: str) -> None:
        secret = base64.b64decode(text)
        self.key_id = _derived(secret, b"plaqueview.identifiers.id", KEY_ID_LETTERS // 2).hex()
        self._cipher = AESSIV(_derived(secret, b"plaqueview.identifiers.seal", 64))

    def seal(self, text: str, purpose: str, nonce: bytes) -> str:
        clear = text.encode()
        clear += bytes(-len(clear) % STEP_BYTES)
        body = nonce + self._cipher.encrypt(clear, [purpose.encode(), nonce])
        return f"{MARK}{self.key_id}:{base64.b64encode(body).decode()}"

    def open(self, stored: str, purpose: str) -> str | None:
        """None for what this key did not seal for this purpose."""
        try:
            body = base64.b64decode(stored[len(MARK) + KEY_ID_LETTERS + 1 :], validate=True)
            clear = self._cipher.decrypt(body[NONCE_BYTES:], [purpose.encode(), body[:NONCE_BYTES]])
        except (InvalidTag, binascii.Error, ValueError):
            return None
        return clear.rstrip(b"\0").decode()


class KeyRing:
    """The keys of `PLAQUEVIEW_IDENTIFIER_KEYS`: the first seals what is written, each opens what it has sealed."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        keys = [IdentifierKey(entry) for entry in entries if entry != CLEAR]
        self._keys = {key.key_id: key for key in keys}
        self._current = keys[0] if keys and entries[0] != CLEAR else None
        self._remembered = lru_cache(maxsize=MOST_OPENED)(self._open)

    @property
    def is_used(self) -> bool:
        """Whether any value may be sealed; without keys the database does all that it does with clear ones."""
        return bool(self._keys)

    @property
    def seals(self) -> bool:
        return self._current is not None

    @property
    def key_ids(self) -> list[str]:
        return list(self._keys)

    @property
    def form(self) -> str:
        """In which form values are written: the current key's id, or `clear`."""
        return self._current.key_id if self._current else CLEAR

    def seal(self, text: str, purpose: str) -> str:
        """The text as it is written, another time in another way; an empty one stays empty."""
        if isinstance(text, UnopenedText):
            return text.stored
        return self._current.seal(text, purpose, secrets.token_bytes(NONCE_BYTES)) if text and self._current else text

    def seal_alike(self, text: str, purpose: str) -> str:
        """The text as it is written, every time in the same way, so that the database can compare it."""
        if isinstance(text, UnopenedText):
            return text.stored
        return self._current.seal(text, purpose, SAME_EVERY_TIME) if text and self._current else text

    def forms_of(self, text: str, purpose: str) -> list[str]:
        """All forms in which a text that is sealed alike may be kept."""
        if isinstance(text, UnopenedText):
            return [text.stored]
        sealed = [key.seal(text, purpose, SAME_EVERY_TIME) for key in self._keys.values()] if text else []
        return [text, *sealed]

    def open(self, stored: str, purpose: str) -> str:
        """The text that was sealed, or what stands for it."""
        return self._remembered(stored, purpose)

    def _open(self, stored: str, purpose: str) -> str:
        key = self._keys.get(key_id_of(stored))
        opened = key.open(stored, purpose) if key else None
        return UnopenedText(stored) if opened is None else opened


def ring() -> KeyRing:
    return _ring(tuple(settings.IDENTIFIER_KEYS))


@lru_cache(maxsize=8)
def _ring(entries: tuple[str, ...]) -> KeyRing:
    return KeyRing(entries)


def _derived(secret: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=None, info=purpose).derive(secret)
