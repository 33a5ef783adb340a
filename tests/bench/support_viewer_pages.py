"""The two viewers in one Chromium: how each opens the study, shows the overlay and takes the brush."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.bench.support_viewer_study import StoredStudy
from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.running_demo import RunningDemo

PROBE = Path(__file__).with_name("support_viewer_probe.js")
WINDOW = (1440, 900)
TIMEOUT_S = 120
POLL_S = 0.05

# As wide as ours is at first: 4 mm.
SET_OHIF_BRUSH = 'window.commandsManager.run("setBrushSize", { toolNames: ["CircularBrush"], value: 2 })'


@dataclass(frozen=True)
class Viewer:
    """Where the study opens, for reading and for editing, and what the browser has kept from an earlier visit.

    `forget_edits` makes a stroke where an earlier one was painted show again.
    """

    url: str
    editing_url: str
    kept: StorageState
    show_overlay: Callable[[Page], None]
    take_brush: Callable[[Page], None]
    forget_edits: Callable[[], None]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """The browser of the browser tests, but with WebGL, which OHIF draws with.

    Raises: FileNotFoundError when it is not installed.
    """
    if CHROMIUM is None:
        raise FileNotFoundError("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


def our_viewer(browser: Browser, demo: RunningDemo, study: StoredStudy) -> Viewer:
    """The demo's study page, for a neurologist who is signed in."""
    url = f"{demo.url}/studies/{study.study_id}"
    kept = signed_in(browser, demo)
    forget = partial(forget_draft, demo, study)
    return Viewer(url, url, kept, show_overlay=wait_for_our_overlay, take_brush=take_our_brush, forget_edits=forget)


def forget_draft(demo: RunningDemo, study: StoredStudy) -> None:
    """Nothing is left of a draft that was saved on the server, if one was."""
    path = f"/api/v1/studies/{study.study_id}/draft"
    with demo.api() as api:
        draft = api.get(path)
        if draft.status_code == HTTPStatus.OK:
            api.delete(path, headers={"If-Match": draft.headers["ETag"]}).raise_for_status()


def signed_in(browser: Browser, demo: RunningDemo) -> StorageState:
    account = demo.credentials["neurologist"]
    page = browser.new_page()
    page.goto(demo.url)
    page.get_by_label("Username").fill(account["username"])
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.keyboard.press("Enter")
    page.get_by_test_id("worklist-row").first.wait_for()
    kept = page.context.storage_state()
    page.close()
    return kept


def wait_for_our_overlay(page: Page) -> None:
    wait_for(page, "window.plaqueview.overlayDrawnAt")


def take_our_brush(page: Page) -> None:
    wait_for_our_overlay(page)
    # Nothing is drawn before it is known whether there is a draft.
    page.locator("[data-testid=edit-toolbar] button[data-command='edit.brush']:enabled").wait_for()
    page.keyboard.press("d")
    page.get_by_test_id("brush-ring").wait_for(state="attached")


def ohif_viewer(address: str, study: StoredStudy) -> Viewer:
    """OHIF's basic viewer, and its segmentation mode for the brush, for a reader who has seen its guided tour."""
    tour = {"name": "shownTours", "value": json.dumps(["basicViewerTour"])}
    kept: StorageState = {"cookies": [], "origins": [{"origin": address, "localStorage": [tour]}]}
    question = f"StudyInstanceUIDs={study.study_instance_uid}"
    return Viewer(
        f"{address}/viewer?{question}",
        f"{address}/segmentation?{question}",
        kept,
        show_overlay=open_ohif_mask,
        take_brush=take_ohif_brush,
        forget_edits=lambda: None,  # it keeps them in the page
    )


def open_ohif_mask(page: Page) -> None:
    page.locator("[data-cy=study-browser-thumbnail-no-image]").dblclick()
    wait_for(page, "window.services.segmentationService.getSegmentations().length || null")


def take_ohif_brush(page: Page) -> None:
    open_ohif_mask(page)
    page.locator("[data-cy=Brush-btn]").click()
    page.evaluate(SET_OHIF_BRUSH)


@contextmanager
def opened(browser: Browser, viewer: Viewer, url: str, window: tuple[int, int]) -> Iterator[Page]:
    """A page with nothing in its cache whose slices are all there; figures of the opening are in `benchProbe`."""
    width, height = window
    context = browser.new_context(viewport={"width": width, "height": height}, storage_state=viewer.kept)
    context.add_init_script(path=PROBE)
    page = context.new_page()
    try:
        page.goto(url, wait_until="commit")
        wait_for(page, "window.benchProbe.allSlicesAt")
        yield page
    finally:
        context.close()


def wait_for(page: Page, expression: str) -> Any:  # Any: JSON
    """What the expression gives once it is not null; polled from here, since a strict page evaluates no string.

    Raises: TimeoutError when it stays null.
    """
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        value = page.evaluate(expression)
        if value is not None:
            return value
        time.sleep(POLL_S)
    raise TimeoutError(f"{expression} was null for {TIMEOUT_S} s at {page.url.split('?', 1)[0]}")
