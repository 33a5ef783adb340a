"""A whole PlaqueView on free ports, started as its user starts it; for browser tests and benchmarks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from plaqueview.launcher.broker import free_port

ROOT = Path(__file__).parents[1]
READY_TIMEOUT_S = 480


@dataclass(frozen=True)
class RunningDemo:
    url: str
    data_dir: Path
    credentials: Mapping[str, Any]
    dicom_port: int

    def api(self, account: str = "neurologist") -> httpx.Client:
        """A client of the REST API with the account's token."""
        headers = {"Authorization": f"Bearer {self.credentials[account]['token']}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    @property
    def manage_environment(self) -> dict[str, str]:
        """What its processes were told, for Django's commands beside them."""
        lines = (self.data_dir / "environment").read_text().splitlines()
        told = dict(line.split("=", 1) for line in lines)
        return dict(os.environ, DJANGO_SETTINGS_MODULE="plaqueview.settings", PYTHONPATH=str(ROOT / "platform")) | told


@contextmanager
def running_demo(data_dir: Path) -> Iterator[RunningDemo]:
    """`plaqueview demo`, its synthetic patients read by the network; ended by Ctrl-C, without an error.

    Raises: TimeoutError when it is not ready in time, RuntimeError when it ends by itself or with an error.
    """
    port, dicom_port = free_ports()
    command = [sys.executable, "-m", "plaqueview.launcher", "demo", "--no-browser", "--data-dir", str(data_dir)]
    words = [*command, "--port", str(port), "--dicom-port", str(dicom_port)]
    # Its own group, so that a Ctrl-C of the person who runs the tests reaches it once, through the code below.
    process = subprocess.Popen(words, stdout=sys.stderr, process_group=0)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        credentials = json.loads((data_dir / "credentials.json").read_text())
        demo = RunningDemo(url, data_dir, credentials, dicom_port)
        wait_until_read(demo, studies=3)
        yield demo
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(timeout=120)
    if status != 0:
        raise RuntimeError(f"the demo ended with status {status}, needs 0")


def free_ports() -> tuple[int, int]:
    """A web port whose successor is free too, and a DICOM port."""
    port = free_port(count=3)
    return port, port + 2


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """`/readyz` has answered 200."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the demo ended by itself with status {process.returncode}")
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"the demo was not ready within {READY_TIMEOUT_S} s")


def wait_until_read(demo: RunningDemo, *, studies: int) -> None:
    """So many studies are ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    with demo.api() as api:
        while time.monotonic() < deadline:
            if api.get("/api/v1/studies", params={"state": "ready"}).json()["count"] >= studies:
                return
            time.sleep(0.5)
        states = [study["state"] for study in api.get("/api/v1/studies").json()["results"]]
    raise TimeoutError(f"{states} after {READY_TIMEOUT_S} s, need {studies} ready studies")
