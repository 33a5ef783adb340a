"""How every browser test opens pages, signs in, and waits: for states, as long as a machine under load needs."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

READ_TIMEOUT_MS = 120_000
POLL_MS = 50

expect.set_options(timeout=READ_TIMEOUT_MS)

# What is said of a slice that was on its way when a test took the network or the session away: Cornerstone leaves it
# unhandled, and the page shows it by itself.
OF_A_LOST_SLICE = re.compile(r"The server cannot be reached|Authentication credentials were not provided")


@contextmanager
def fresh_context(browser: Browser, device_scale_factor: float = 1) -> Iterator[BrowserContext]:
    """A browser of its own, in which nobody is signed in."""
    size = {"width": 1440, "height": 900}
    context = browser.new_context(viewport=size, device_scale_factor=device_scale_factor)
    context.set_default_timeout(READ_TIMEOUT_MS)
    yield context
    context.close()


@contextmanager
def faultless_page(context: BrowserContext) -> Iterator[Page]:
    """A page; a fault in the browser's console fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.extend(faults_in(str(error))))
    page.on("console", lambda message: faults.extend(faults_of(message)))
    yield page
    assert faults == []


def faults_in(error: str) -> list[str]:
    return [] if OF_A_LOST_SLICE.search(error) else [error]


def faults_of(message: ConsoleMessage) -> list[str]:
    """An error of the page; refusals of the network that a test provokes are judged by what the page shows."""
    is_of_network = re.search(r"Failed to load resource|WebSocket connection|ERR_", message.text)
    return [message.text] if message.type == "error" and not is_of_network else []


def sign_in(page: Page, url: str, account: Mapping[str, str]) -> None:
    """The page shows the account's worklist."""
    page.goto(url)
    page.get_by_label("Username").fill(account["username"])
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.keyboard.press("Enter")
    page.get_by_test_id("worklist-row").first.wait_for()


def is_signed_in(page: Page) -> bool:
    """Whether the page shows the worklist; otherwise it asks who is there: nobody used the session for half an hour."""
    row, form = page.get_by_test_id("worklist-row").first, page.get_by_label("Username")
    row.or_(form).wait_for()
    return row.is_visible()


def open_administration(page: Page, name: str) -> None:
    """The page of that name in the header's menu."""
    page.get_by_test_id("administration-menu").click()
    page.get_by_role("menuitem", name=name).click()


def wait_until(page: Page, is_right: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Polled from here: the page's Content-Security-Policy keeps the browser from evaluating a string again."""
    for _ in range(READ_TIMEOUT_MS // POLL_MS):
        if is_right():
            return
        page.wait_for_timeout(POLL_MS)
    pytest.fail(otherwise())


def slice_shown(page: Page, pane: str = "") -> Locator:
    """The overlay of a pane once it is drawn on the slice that the pane is told to show."""
    said = page.get_by_test_id(f"slice-indicator{pane}").inner_text().split(" / ")[0]
    return page.locator(f"[data-testid='overlay-canvas{pane}'][data-slice='{said}']")
