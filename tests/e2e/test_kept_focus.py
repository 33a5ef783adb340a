"""Whoever works by keyboard keeps their place when a request has ended, also where the button is gone that asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.browsing import open_administration
from tests.e2e.test_nodes import closed_port
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

# A dialog gives the focus back 10 ms after it has closed; on a busy machine the button that opened it may be gone then.
SLOW_RETURN = "() => { const wait = setTimeout; window.setTimeout = (work, ms) => wait(work, ms === 10 ? 3000 : ms); }"


@contextmanager
def held(page: Page, address: str) -> Iterator[None]:
    """No request to that address is answered before the end."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(address, hold)
    yield
    for route in routes:
        route.continue_()
    page.unroute(address)


def press(page: Page, button: Locator, asked: str) -> None:
    """Presses it by a key; it works, has the focus still, and takes no second press."""
    with held(page, asked):
        button.press("Enter")
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")


def test_a_schedule_is_made_paused_and_removed_by_keyboard(colleague: Page) -> None:
    page = colleague
    open_administration(page, "Schedules")

    page.get_by_test_id("new-schedule").press("Enter")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    card = page.get_by_test_id("schedule-card").filter(has_text="By keyboard")
    card.wait_for()
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("new-schedule")).to_be_focused()

    press(page, card.get_by_role("button", name="Pause"), "**/api/v1/schedules/*")
    expect(card.get_by_role("button", name="Go on")).to_be_focused()
    card.get_by_role("button", name="Remove …").press("Enter")
    expect(page.get_by_test_id("confirm")).to_be_focused()
    card.get_by_role("button", name="Keep it").press("Enter")
    expect(card.get_by_role("button", name="Remove …")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_a_node_is_asked_and_deleted_by_keyboard(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    setup = {"kind": "dimse", "host": "127.0.0.1", "port": closed_port(), "ae_title": "CLOSED"}
    with demo.api("admin") as api:
        for name in ("Kept", "Leaving"):
            assert api.post("/api/v1/nodes", json=setup | {"name": name}).status_code == 201
        open_administration(page, "Nodes")
        row = page.get_by_test_id("node-row").filter(has_text="Leaving")

        press(page, row.get_by_test_id("echo"), "**/echo")
        expect(row.get_by_test_id("last-echo")).to_contain_text("Cannot be reached")
        expect(row.get_by_test_id("echo")).to_be_focused()

        row.get_by_role("button", name="Edit Leaving").press("Enter")
        page.get_by_test_id("delete-node").press("Enter")
        expect(page.get_by_test_id("confirm")).to_be_focused()
        page.evaluate(SLOW_RETURN)
        page.keyboard.press("Enter")
        expect(row).to_have_count(0)
        expect(page.get_by_role("table", name="Nodes")).to_be_focused()
        kept = next(node for node in api.get("/api/v1/nodes").json()["results"] if node["name"] == "Kept")
        assert api.delete(f"/api/v1/nodes/{kept['id']}").status_code == 204


def test_a_password_that_is_refused_leaves_the_focus_on_the_button(page: Page) -> None:
    page.get_by_test_id("user-menu").press("Enter")
    page.get_by_test_id("open-account").press("Enter")
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("another passphrase")
    button = page.get_by_role("button", name="Change the password")

    press(page, button, "**/_allauth/**")

    expect(page.get_by_role("region", name="Password").get_by_role("alert")).to_be_visible()
    expect(button).to_be_focused()
