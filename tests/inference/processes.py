"""The platform's own processes on the test's database and broker: real servers, real workers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from plaqueview.launcher.broker import free_port

PLACES = os.pathsep.join(str(Path(__file__).parents[2] / place) for place in (".", "platform"))
# The feed has no lifespan events to wait for.
INTERFACES = {"wsgi": "wsgi", "asgi": "asginl"}

# A message soon seen again, so that a death is noticed while a test waits; one thread, so that the work takes longer.
QUICK = {"PLAQUEVIEW_VISIBILITY_TIMEOUT_S": "3", "PLAQUEVIEW_INFERENCE_THREADS": "1"}
# Of who will be killed or cancelled; other leases outlast a machine that leaves a worker without its turn.
SHORT_LEASE = {"PLAQUEVIEW_JOB_LEASE_S": "2"}

START_TIMEOUT_S = 120.0
END_TIMEOUT_S = 60.0


def environment(**changes: str) -> dict[str, str]:
    """What a process needs to be part of this test's platform."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PYTHONPATH": PLACES,
        "PLAQUEVIEW_DATABASE_URL": _database_url(),
        "PLAQUEVIEW_STORAGE_DIR": str(settings.STORAGE_DIR),
        **changes,
    }


def _database_url() -> str:
    names = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{names['NAME']}"
    return f"postgres://{names['USER']}:{names['PASSWORD']}@{names['HOST']}:{names['PORT']}/{names['NAME']}"


@contextmanager
def process(*words: str, log: Path, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone afterwards, with everything that it started; `log` holds what it said."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, *words],
            env=environment(**changes),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """The process has ended, by force if it has to be."""
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        kill(child)


def kill(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL, to the process and to all that it started."""
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@contextmanager
def server(interface: str, *, log: Path, **changes: str) -> Iterator[int]:
    """The port of a server that answers; `interface` is "wsgi" for HTTP, "asgi" for the feed."""
    port = free_port()
    words = (
        "-m",
        "granian",
        "--interface",
        INTERFACES[interface],
        f"plaqueview.{interface}:application",
        "--port",
        str(port),
    )
    quiet = ("--host", "127.0.0.1", "--log-level", "warning", "--workers-kill-timeout", "2")
    with process(*words, *quiet, log=log, **changes) as child:
        wait_until(lambda: answers(port), what=f"the {interface} server", child=child, log=log)
        yield port


def answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
    except httpx.RemoteProtocolError:
        return True  # the feed's server speaks WebSocket only
    except httpx.TransportError:
        return False
    return True


@contextmanager
def worker(
    queue: str, *, log: Path, include: str = "", start_s: float = START_TIMEOUT_S, **changes: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker of the queue that has said that it is ready, as the launcher starts it."""
    included = ("--include", include) if include else ()
    words = ("-m", "celery", "--app", "plaqueview.celery:celery_app", "worker", "--queues", queue, *included)
    size = ("--pool", "threads", "--concurrency", "1", "--hostname", f"{queue}-{free_port()}@test")
    begin = log.stat().st_size if log.exists() else 0
    with process(
        *words, *size, "--without-gossip", "--without-mingle", "--loglevel", "INFO", log=log, **changes
    ) as child:
        what = f"the worker of {queue}"
        wait_until(lambda: " ready." in said(log, begin), what=what, child=child, log=log, timeout_s=start_s)
        yield child


def inference_worker(log: Path, **changes: str):
    """One that notices soon what another left behind."""
    return worker("inference", log=log, include="inference_worker.tasks", **QUICK | changes)


def said(log: Path, begin: int = 0) -> str:
    return log.read_bytes()[begin:].decode(errors="replace")


def wait_until(
    condition, *, what: str, child=None, log: Path | None = None, timeout_s: float = START_TIMEOUT_S
) -> None:
    """The condition holds; or the test fails with the end of the log."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        has_died = child is not None and child.poll() is not None
        if has_died or time.monotonic() > deadline:
            tail = said(log)[-3000:] if log is not None and log.exists() else ""
            raise AssertionError(f"{what}: {'died' if has_died else 'not within the time'}\n{tail}")
        time.sleep(0.02)
