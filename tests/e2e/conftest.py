"""A whole PlaqueView on free ports, started as its user starts it, and a real Chromium signed in to it."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.running_demo import RunningDemo, running_demo

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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


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
    page.on("pageerror", lambda error: faults.extend(faults_in(str(error))))
    page.on("console", lambda message: faults.extend(faults_of(message)))
    yield page
    assert faults == []


# What is said of a slice that was on its way when a test took the network or the session away: Cornerstone leaves it
# unhandled, and the page shows it by itself.
OF_A_LOST_SLICE = re.compile(r"The server cannot be reached|Authentication credentials were not provided")


def faults_in(error: str) -> list[str]:
    return [] if OF_A_LOST_SLICE.search(error) else [error]


def faults_of(message: ConsoleMessage) -> list[str]:
    """An error of the page; refusals of the network that a test provokes are judged by what the page shows."""
    is_of_network = re.search(r"Failed to load resource|WebSocket connection|ERR_", message.text)
    return [message.text] if message.type == "error" and not is_of_network else []


@pytest.fixture
def page(demo: RunningDemo, stranger: Page) -> Page:
    """The worklist of a neurologist."""
    account = demo.credentials["neurologist"]
    stranger.goto(demo.url)
    stranger.get_by_label("Username").fill(account["username"])
    stranger.get_by_role("textbox", name="Password").fill(account["password"])
    stranger.keyboard.press("Enter")
    stranger.get_by_test_id("worklist-row").first.wait_for()
    return stranger


@pytest.fixture
def colleague(demo: RunningDemo, browser: Browser) -> Iterator[Page]:
    """The worklist of another account, in a browser of its own; a fault in its console fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.extend(faults_in(str(error))))
    page.on("console", lambda message: faults.extend(faults_of(message)))
    account = demo.credentials["admin"]
    page.goto(demo.url)
    page.get_by_label("Username").fill(account["username"])
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.keyboard.press("Enter")
    page.get_by_test_id("worklist-row").first.wait_for()
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, page: Page) -> Callable[[str], None]:
    """Keeps what a test saw, for a person to look at."""

    def keep(name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{name}.png")

    return keep
