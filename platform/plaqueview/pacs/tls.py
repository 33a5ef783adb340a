"""TLS as a node asks for it: whom we trust, and who we say we are. Source: PS3.15 B.12."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.sealing import NODE_SEAL


def context_of(node: RemoteNode) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the peer's name and certificate checked.

    Raises: ssl.SSLError when a certificate or key is none, or they do not belong together; SealBrokenError.
    """
    context = trusting(node.ca_certificates)
    if node.client_certificate:
        with _file(node.client_certificate, NODE_SEAL.open(node.client_key_sealed)) as path:
            context.load_cert_chain(path, password=_no_password)
    return context


def trusting(ca_certificates: str) -> ssl.SSLContext:
    """TLS 1.2 or newer, to peers with a certificate by one of these in PEM; by those that the machine trusts, if empty.

    Raises: ssl.SSLError when they are no certificates.
    """
    context = ssl.create_default_context(cadata=ca_certificates or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_password() -> str:
    """A key under a password is refused: without this, the library asks at the terminal."""
    return ""


@contextmanager
def _file(certificate: str, key: str) -> Iterator[Path]:
    """The standard library reads certificates from files only; this one is private and gone at once."""
    with TemporaryDirectory(prefix="plaqueview-") as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{certificate.rstrip()}\n{key}", encoding="ascii")
        yield path
