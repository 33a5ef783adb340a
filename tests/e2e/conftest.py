"""A whole PlaqueView on free ports, started as its user starts it, and a real Chromium signed in to it."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

READY_TIMEOUT_S = 240
SCREENSHOTS = Path(__file__).parents[2] / "test-results"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Software rendering, and none of the browser's own calls home.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class RunningDemo:
    url: str
    data_dir: Path
    credentials: dict[str, Any]
    process: subprocess.Popen[bytes]

    def api(self, account: str = "neurologist") -> httpx.Client:
        """A client of the REST API with the account's token."""
        headers = {"Authorization": f"Bearer {self.credentials[account]['token']}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def free_ports() -> tuple[int, int]:
    """A web port whose successor is free too, and a DICOM port."""
    while True:
        with socket.socket() as web, socket.socket() as feed, socket.socket() as dicom:
            web.bind(("127.0.0.1", 0))
            dicom.bind(("127.0.0.1", 0))
            port = web.getsockname()[1]
            try:
                feed.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port, dicom.getsockname()[1]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """`plaqueview demo` with its synthetic patients read by the network."""
    data_dir = tmp_path_factory.mktemp("demo")
    port, dicom_port = free_ports()
    command = [sys.executable, "-m", "plaqueview.launcher", "demo", "--no-browser", "--data-dir", str(data_dir)]
    process = subprocess.Popen([*command, "--port", str(port), "--dicom-port", str(dicom_port)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        running = RunningDemo(url, data_dir, json.loads((data_dir / "credentials.json").read_text()), process)
        wait_until_read(running, studies=3)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the demo ended by itself"
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    pytest.fail(f"the demo was not ready within {READY_TIMEOUT_S} s")


def wait_until_read(demo: RunningDemo, *, studies: int) -> None:
    """So many studies are ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    with demo.api() as api:
        while time.monotonic() < deadline:
            if api.get("/api/v1/studies", params={"state": "ready"}).json()["count"] >= studies:
                return
            time.sleep(0.5)
        pytest.fail(f"not {studies} studies ready: {api.get('/api/v1/studies').text}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def stranger(demo: RunningDemo, context: BrowserContext) -> Iterator[Page]:
    """A page on which nobody is signed in; a fault in the browser's console fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message.type, message.text) else None)
    yield page
    assert faults == []


def is_fault(kind: str, text: str) -> bool:
    """An error of the page; refusals of the network that a test provokes are judged by what the page shows."""
    return kind == "error" and not re.search(r"Failed to load resource|WebSocket connection|ERR_", text)


@pytest.fixture
def page(demo: RunningDemo, stranger: Page) -> Page:
    """The worklist of a neurologist."""
    account = demo.credentials["neurologist"]
    stranger.goto(demo.url)
    stranger.get_by_label("Username").fill(account["username"])
    stranger.get_by_label("Password").fill(account["password"])
    stranger.keyboard.press("Enter")
    stranger.get_by_test_id("worklist-row").first.wait_for()
    return stranger


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, page: Page) -> Any:
    """Keeps what a test saw, for a person to look at."""

    def keep(name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{name}.png")

    return keep
