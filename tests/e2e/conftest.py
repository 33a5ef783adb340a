"""A whole PlaqueView on free ports, started as its user starts it, and a real Chromium signed in to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.browsing import faultless_page, fresh_context, is_signed_in, sign_in
from tests.running_demo import RunningDemo, running_demo

SCREENSHOTS = Path(__file__).parents[2] / "test-results"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# None of the browser's own calls home. It composes the page as on any machine without a graphics card.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# As it is where an administrator turned it off, or a browser has it on no machine without a graphics card.
WITHOUT_WEBGL = "--disable-3d-apis"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo
        assert patients_named_in_logs(demo) == []


def patients_named_in_logs(demo: RunningDemo) -> list[str]:
    """The log files that name one of the patients, whom the tests have sent through every path by now."""
    with demo.api("admin") as api:
        patients = api.get("/api/v1/patients", params={"page_size": 100}).json()["results"]
    words = {word for patient in patients for word in (patient["patient_id"], *patient["name"].split("^")[1:])}
    assert {"SYN-0001", "Anna"} <= words
    # import.log is what the command reported to whom named the files: their paths.
    logs = {log.name: log.read_text(errors="replace") for log in (demo.data_dir / "logs").glob("*.log*")}
    telling = [name for name, text in logs.items() if any(len(word) > 3 and word in text for word in words)]
    return sorted({*telling} - {"import.log"})


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGUMENTS, WITHOUT_WEBGL])
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with fresh_context(browser) as context:
        yield context


@pytest.fixture
def stranger(demo: RunningDemo, context: BrowserContext) -> Iterator[Page]:
    """A page on which nobody is signed in; a fault in the browser's console fails the test."""
    with faultless_page(context) as page:
        yield page


@pytest.fixture(scope="session")
def show_worklist(demo: RunningDemo) -> Callable[[Page, str], None]:
    """Shows an account's worklist on a page; who has signed in comes back with the same session, while it lasts."""
    sessions: dict[str, list[Any]] = {}  # Any: playwright takes other cookies than it gives

    def show(page: Page, name: str) -> None:
        if name in sessions:
            page.context.add_cookies(sessions[name])
            page.goto(demo.url)
            if is_signed_in(page):
                return
        sign_in(page, demo.url, demo.credentials[name])
        sessions[name] = list(page.context.cookies())

    return show


@pytest.fixture
def page(stranger: Page, show_worklist: Callable[[Page, str], None]) -> Page:
    """The worklist of a neurologist."""
    show_worklist(stranger, "neurologist")
    return stranger


@pytest.fixture
def colleague(browser: Browser, show_worklist: Callable[[Page, str], None]) -> Iterator[Page]:
    """The worklist of another account, in a browser of its own; a fault in its console fails the test."""
    with fresh_context(browser) as context, faultless_page(context) as page:
        show_worklist(page, "admin")
        yield page


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, page: Page) -> Callable[[str], None]:
    """Keeps what a test saw, for a person to look at."""

    def keep(name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{name}.png")

    return keep
