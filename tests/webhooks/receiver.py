"""A receiver over TLS that holds each message to the convention's own library, and answers as it is told."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tests.pacs.peers import certificate_and_key


@dataclass(frozen=True)
class Message:
    """What came; `event` is None when its signature is not by the receiver's secret."""

    id: str
    body: str
    event: dict[str, Any] | None


@dataclass
class Receiver:
    """Answers with each of the statuses in turn, and with the last of them from then on."""

    statuses: list[int]
    certificate: str
    url: str = ""
    secret: str = ""
    messages: list[Message] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: str) -> int:
        self.messages.append(Message(headers["webhook-id"], body, self._verified(headers, body)))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def _verified(self, headers: dict[str, str], body: str) -> dict[str, Any] | None:
        try:
            return Verifier(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return None


@contextmanager
def running_receiver(folder: Path, *statuses: int) -> Iterator[Receiver]:
    certificate, key = certificate_and_key()
    receiver = Receiver(list(statuses), certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(receiver.take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None: ...

    pem = folder / "receiver.pem"
    pem.write_text(certificate + key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receiver.url = f"https://127.0.0.1:{server.server_address[1]}/hooks/only-the-receiver-knows"
        yield receiver
        server.shutdown()
