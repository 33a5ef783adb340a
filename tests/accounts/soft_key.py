"""A passkey in software, as a browser hands its answers on. Source: W3C Web Authentication Level 3, 5.1 and 6.1."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "http://localhost"
Flag = AuthenticatorData.FLAG
JSON = dict[str, Any]


@dataclass
class SoftKey:
    """Asks its owner, who is always there, unless `is_verifying` is off."""

    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    is_verifying: bool = True
    owner: str = ""

    def register(self, options: JSON) -> JSON:
        """What the browser answers to the server's creation options."""
        self.owner = options["user"]["id"]
        known = AttestedCredentialData.create(
            b"\0" * 16, self.id, ES256.from_cryptography_key(self.private.public_key())
        )
        content = self._authenticator_data(options["rp"]["id"], Flag.AT, known)
        client = self._client_data("webauthn.create", options["challenge"])
        attestation = AttestationObject.create("none", content, {})
        return self._credential({"attestationObject": attestation}, client) | {
            "clientExtensionResults": {"credProps": {"rk": True}}
        }

    def sign(self, options: JSON) -> JSON:
        """What the browser answers to the server's request options."""
        content = self._authenticator_data(options["rpId"], Flag(0), b"")
        client = self._client_data("webauthn.get", options["challenge"])
        signature = self.private.sign(content + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        answer = self._credential({"authenticatorData": content, "signature": signature}, client)
        answer["response"]["userHandle"] = self.owner
        return answer | {"clientExtensionResults": {}}

    def _authenticator_data(self, rp_id: str, flags: Flag, credential: bytes) -> AuthenticatorData:
        verified = Flag.UV if self.is_verifying else Flag(0)
        return AuthenticatorData.create(
            hashlib.sha256(rp_id.encode()).digest(), flags | Flag.UP | verified, 0, credential
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": ORIGIN}).encode()

    def _credential(self, response: dict[str, bytes], client: bytes) -> JSON:
        encoded = {name: websafe_encode(value) for name, value in (response | {"clientDataJSON": client}).items()}
        name = websafe_encode(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": encoded}
