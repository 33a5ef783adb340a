"""Signing as Standard Webhooks says: HMAC-SHA256 over id, time and bytes.

Source: Standard Webhooks specification, "Webhook headers" and "Signature scheme".
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from typing import Final

from plaqueview.core.sealing import Seal

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32

WEBHOOK_SEAL: Final = Seal(
    "plaqueview.webhooks", "the webhook's secret was kept under another secret key; ask for a new one"
)


def new_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, *, message_id: str, sent_at_s: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows the message, its age and that it is from here."""
    content = b".".join([message_id.encode(), str(sent_at_s).encode(), body])
    digest = hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
