"""Peers of the outbox: dcmtk's storescp, Orthanc, and servers that answer as badly as hospitals' do."""

import datetime as dt
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from tests.bench.support_orthanc import PLUGINS

# pynetdicom puts programs of the same names beside the interpreter.
PATH = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != Path(sys.executable).parent)
needs_dcmtk = pytest.mark.skipif(shutil.which("storescp", path=PATH) is None, reason="needs dcmtk's storescp")
has_orthanc = shutil.which("Orthanc") is not None and any(PLUGINS.glob("libOrthancDicomWeb.so*"))
needs_orthanc = pytest.mark.skipif(not has_orthanc, reason="needs Orthanc and its DICOMweb plugin")


@contextmanager
def storescp(folder: Path, port: int, *options: str) -> Iterator[None]:
    """dcmtk's receiver writes into the folder; it answers to any title."""
    folder.mkdir(exist_ok=True)
    command = [shutil.which("storescp", path=PATH), "--output-directory", str(folder), *options, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens at port {port}")


@contextmanager
def silent_port() -> Iterator[int]:
    """Connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def dripping_port(
    opening: bytes, drop: bytes, *, drops: int | None = None, context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Whatever is asked, the answer begins as told, and a drop comes each 50 ms: so many, or until nobody listens."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65536)
                self.request.sendall(opening)
                for _ in range(drops) if drops is not None else count():
                    time.sleep(0.05)
                    self.request.sendall(drop)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def picky_entity(*, called: str = "ARCHIVE", calling: str = "", context: ssl.SSLContext | None = None) -> Iterator[int]:
    """An entity that answers C-ECHO for those who know its title, and whose title it knows."""
    entity = AE(ae_title=called)
    entity.add_supported_context(Verification)
    entity.require_called_aet = True
    entity.require_calling_aet = [calling] if calling else []
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    try:
        yield server.server_address[1]
    finally:
        entity.shutdown()


@contextmanager
def web_server(
    status: int,
    *,
    body: bytes = b"",
    media_type: str = "application/dicom+json",
    location: str = "",
    context: ssl.SSLContext | None = None,
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The root of a server that always answers the same, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815  # names that the library asks for

        def log_message(self, *_words: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web", asked
        server.shutdown()


def certificate_and_key(name_of_host: str = "") -> tuple[str, str]:
    """Of the host, or else of 127.0.0.1, signed by itself; PEM."""
    host = x509.DNSName(name_of_host) if name_of_host else x509.IPAddress(IPv4Address("127.0.0.1"))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "archive")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem).decode(), secret.decode()


def server_context(folder: Path, certificate: str, key: str) -> ssl.SSLContext:
    """Asks the client for the same certificate."""
    path = folder / "server.pem"
    path.write_text(certificate + key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=certificate)
    context.load_cert_chain(path)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
