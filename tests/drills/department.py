"""A department's installation on this machine: the services of `deploy/compose.yaml` on PostgreSQL and Valkey."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from plaqueview.launcher.broker import Broker, configure_broker, free_port, wait_for_broker
from tests.postgresql import Cluster, running_cluster

ROOT = Path(__file__).parents[2]
COMPOSE = Path("deploy", "compose.yaml")
SERVICES = ("web", "feed", "inference", "tasks", "clock", "dicom")
# As Docker does: what ends is started again after a moment.
RESTART_PAUSE_S = 0.5
READY_TIMEOUT_S = 400.0
END_TIMEOUT_S = 60.0
# As long as a person waits for a page that is slow; a modality waits longer.
CLIENT_TIMEOUT_S = 30.0
DISK_BYTES, DISK_RESERVE_BYTES = 1024 * 2**20, 64 * 2**20


class Service:
    """A process that is started again whenever it ends, until it is told to stay away."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name, self.command, self.environment = name, command, environment
        self._folder = folder / name
        self._folder.mkdir(exist_ok=True)
        self._is_wanted = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None

    @property
    def process_id(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def log(self) -> Path:
        return self._folder / "log"

    def resident_bytes(self) -> int:
        """Of it and of all that it started."""
        statuses = [status_of(process_id) for process_id in processes_in_group(self.process_id)]
        return sum(int(status.get("VmRSS", "0 kB").split()[0]) * 1024 for status in statuses)

    def start(self) -> None:
        self._is_wanted.set()
        self._keeper = threading.Thread(target=self._keep, name=self.name)
        self._keeper.start()

    def kill(self) -> None:
        """SIGKILL to it and to all that it started; it is started again."""
        os.killpg(self.process_id, signal.SIGKILL)

    def restart(self) -> None:
        """SIGTERM, as an upgrade does, and SIGKILL where that was not heard; it has ended, and is started again."""
        ending = self._process
        assert ending is not None
        ending.terminate()
        try:
            ending.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            ending.wait()

    def stop(self) -> None:
        """It has ended and stays away."""
        self._is_wanted.clear()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._keeper is not None:
            self._keeper.join(END_TIMEOUT_S)
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _keep(self) -> None:
        while self._is_wanted.is_set():
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command,
                    cwd=self._folder,
                    env=dict(self.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._process.wait()
            time.sleep(RESTART_PAUSE_S)


@dataclass
class Department:
    """Everything that runs, and how it is reached."""

    folder: Path
    database: Cluster
    broker: Service
    broker_settings: Broker
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    services: dict[str, Service] = field(default_factory=dict)
    token: str = ""
    certificate: Path | None = None  # of the nginx before it, where there is one

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports['nginx']}" if self.certificate else self._web_url

    @property
    def _web_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def feed_url(self) -> str:
        port = self.ports["nginx" if self.certificate else "feed"]
        return f"{'wss' if self.certificate else 'ws'}://127.0.0.1:{port}/ws/feed"

    @property
    def feed_options(self) -> dict[str, Any]:  # Any: those of websockets
        context = ssl.create_default_context(cafile=self.certificate) if self.certificate else None
        return {"additional_headers": {"Authorization": f"Bearer {self.token}"}, "ssl": context}

    @property
    def storage(self) -> Path:
        return Path(self.environment["PLAQUEVIEW_STORAGE_DIR"])

    def service(self, name: str, command: Sequence[str], **variables: str) -> Service:
        """One of its services, not started yet."""
        return Service(name, command, {**self.environment, **variables}, self.folder / "services")

    def client(self) -> httpx.Client:
        verify = ssl.create_default_context(cafile=self.certificate) if self.certificate else True
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=CLIENT_TIMEOUT_S, verify=verify)

    def readiness(self) -> Mapping[str, Any]:  # Any: JSON
        """What `/readyz` finds; empty while nobody answers."""
        try:
            return dict(httpx.get(f"{self._web_url}/readyz", timeout=5).json())
        except (httpx.HTTPError, ValueError):
            return {}

    def is_ready(self) -> bool:
        """Web, database, broker, storage, worker and model, and whoever listens to DICOM and browsers."""
        return self.readiness().get("status") == "ready" and all(map(listens, self.ports.values()))


def processes_in_group(group_id: int) -> list[int]:
    """Those that a service started stay in its group."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if os.getpgid(int(folder.name)) == group_id:
                found.append(int(folder.name))
    return found


def status_of(process_id: int) -> dict[str, str]:
    """Source: proc_pid_status(5). Empty when the process has ended."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":", 1) for line in lines)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def running_department(
    folder: Path, source: Path = ROOT, *, settings: Mapping[str, str] | None = None
) -> Iterator[Department]:
    """Within, a department with an account and an empty worklist is ready; its database writes as a clinic's does.

    It runs what lies in `source`, this version or an older one, with these settings beside its own.
    """
    with small_disk(folder / "storage"), running_cluster("") as database:
        department = described(folder, database, source, settings or {})
        department.broker.start()
        try:
            wait_for_broker(department.broker_settings)
            department.token = prepared(department)
            for service in department.services.values():
                service.start()
            wait_until(department.is_ready, what="the department to be ready", timeout_s=READY_TIMEOUT_S)
            yield department
        finally:
            for service in department.services.values():
                service.stop()
            department.broker.stop()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Within, the folder is a disk of its own, small enough to be filled. Raises: PermissionError without root."""
    if os.geteuid() != 0:
        raise PermissionError("drills fill a disk that they mount for it, which needs root")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "plaqueview-drills", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def described(folder: Path, database: Cluster, source: Path, more: Mapping[str, str]) -> Department:
    """Its folders and settings, before anything runs."""
    for name in ("broker", "services"):
        (folder / name).mkdir()
    settings = configure_broker(folder / "broker")
    ports = {"web": free_port(), "feed": free_port(), "dicom": free_port()}
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PYTHONPATH": python_path(source),
        "PLAQUEVIEW_SECRET_KEY": "only-for-drills-0123456789-abcdefghijklmnop",
        "PLAQUEVIEW_ORIGIN": f"http://127.0.0.1:{ports['web']}",
        "PLAQUEVIEW_ALLOWED_HOSTS": "127.0.0.1",
        "PLAQUEVIEW_DATABASE_URL": database.url,
        "PLAQUEVIEW_REDIS_URL": settings.url,
        "PLAQUEVIEW_STORAGE_DIR": str(folder / "storage"),
        "PLAQUEVIEW_DISK_RESERVE_BYTES": str(DISK_RESERVE_BYTES),
        **more,
    }
    broker = Service("broker", settings.command, os.environ, folder / "services")
    department = Department(folder, database, broker, settings, environment, ports)
    for name, command in commands(ports, source=source).items():
        department.services[name] = department.service(name, command)
    return department


def python_path(source: Path) -> str:
    return os.pathsep.join((str(source), str(source / "platform")))


def commands(
    ports: Mapping[str, int], names: Sequence[str] = SERVICES, *, source: Path = ROOT
) -> dict[str, tuple[str, ...]]:
    """The commands of `deploy/compose.yaml`, at these ports of this machine alone."""
    services = yaml.safe_load((source / COMPOSE).read_text())["services"]
    here = {"python": sys.executable, "0.0.0.0": "127.0.0.1"}
    there = {"8000": ports["web"], "8001": ports["feed"], "11112": ports["dicom"]}
    known = here | {word: str(port) for word, port in there.items()}
    return {name: tuple(known.get(word, word) for word in services[name]["command"]) for name in names}


def prepared(department: Department) -> str:
    """Tables and accounts are there; the token of the administrator."""
    file = department.folder / "credentials.json"
    accounts = ("create_demo_accounts", "--credentials-file", str(file), "--url", department.url)
    manage(department, "migrate", "--no-input", "--verbosity", "0")
    manage(department, *accounts, "--dicom-port", str(department.ports["dicom"]))
    token: str = json.loads(file.read_text())["admin"]["token"]
    return token


def manage(department: Department, *words: str, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(
        [sys.executable, "-m", "django", *words],
        env=dict(environment or department.environment),
        cwd=department.folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float) -> float:
    """Seconds until the condition held. Raises: TimeoutError when it did not in time."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout_s:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.1)
    return time.monotonic() - started
