"""A study is read by two readers who see nothing of each other, and a third decides between them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import READ_TIMEOUT_MS, fresh_context, sign_in
from tests.e2e.test_review import open_study
from tests.running_demo import ROOT, RunningDemo

pytestmark = pytest.mark.browser

SECOND = {"username": "second.reader", "password": "a-reader-of-the-browser-tests"}


@pytest.fixture(scope="module", autouse=True)
def second_reader(demo: RunningDemo) -> None:
    """A second neurologist of the demo's site."""
    words = [sys.executable, str(ROOT / "manage.py"), "create_account", SECOND["username"], "--role", "neurologist"]
    subprocess.run(
        [*words, "--site", "Demo"], input=SECOND["password"] + "\n", text=True, check=True, env=demo.manage_environment
    )


@contextmanager
def signed_in(browser: Browser, demo: RunningDemo, account: dict[str, str]) -> Iterator[Page]:
    with fresh_context(browser) as context:
        page = context.new_page()
        sign_in(page, demo.url, account)
        yield page


def begin(page: Page, demo: RunningDemo, study: str) -> None:
    page.goto(f"{demo.url}/double-readings")
    page.get_by_test_id("new-double-reading").click()
    form = page.get_by_test_id("double-reading-form")
    form.get_by_label("Unread study").select_option(study)
    form.get_by_label("First reader").select_option("neurologist")
    form.get_by_label("Second reader").select_option(SECOND["username"])
    form.get_by_label("Adjudicator").select_option("admin")
    form.get_by_role("button", name="Begin").click()
    expect(page.get_by_test_id("double-reading")).to_have_attribute("data-state", "reading")


def test_two_readers_read_blinded_and_the_adjudicator_sees_both_compared(demo: RunningDemo, browser: Browser) -> None:
    with demo.api("admin") as api:
        # Not the first of the worklist, which other tests open.
        unread = api.get("/api/v1/studies", params={"reading": "unread", "ordering": "-received_at"}).json()["results"]
    study = unread[-1]["id"]
    with signed_in(browser, demo, demo.credentials["admin"]) as page:
        begin(page, demo, study)

    with signed_in(browser, demo, demo.credentials["neurologist"]) as page:
        open_study(page, demo, study)
        page.get_by_test_id("part-review").click()
        expect(page.get_by_text("You read this study blinded")).to_be_visible()
        page.get_by_test_id("submit-review").click(timeout=READ_TIMEOUT_MS)
        expect(page.get_by_text("You have submitted.")).to_be_visible(timeout=READ_TIMEOUT_MS)
        expect(page.get_by_test_id("submit-review")).to_have_count(0)

    with signed_in(browser, demo, SECOND) as page:
        open_study(page, demo, study)
        expect(page.get_by_role("button", name="Erase")).to_be_enabled()  # the draft is known: from here on keys edit
        page.keyboard.press("n")
        page.keyboard.press("t")
        expect(page.locator("[data-testid=lesion-row][data-review=reclassified]")).to_have_count(1)
        page.get_by_test_id("part-versions").click()
        expect(page.get_by_test_id("version")).to_have_count(1)
        page.get_by_test_id("part-review").click()
        page.get_by_test_id("submit-review").click(timeout=READ_TIMEOUT_MS)
        expect(page.get_by_text("You have submitted.")).to_be_visible(timeout=READ_TIMEOUT_MS)

    with signed_in(browser, demo, demo.credentials["admin"]) as page:
        page.goto(f"{demo.url}/double-readings")
        line = page.get_by_test_id("double-reading")
        expect(line).to_have_attribute("data-state", "adjudication")
        with demo.api("admin") as api:
            agreement = api.get("/api/v1/double-readings").json()["results"][0]["agreement"]
        assert agreement["dice"] == 1.0
        expect(line.get_by_role("cell").nth(4)).to_have_text("1.000")
        expect(line.get_by_role("cell").nth(5)).to_have_text(f"{agreement['dice_active']:.3f}")
        line.get_by_role("link").click()
        page.locator("[data-testid=viewport][data-drawn]").first.wait_for(timeout=READ_TIMEOUT_MS)
        expect(page.get_by_test_id("diff-row")).to_have_count(1, timeout=READ_TIMEOUT_MS)
        expect(page.get_by_test_id("diff-row")).to_have_attribute("data-kind", "reclassified")
        page.get_by_test_id("part-review").click()
        expect(page.get_by_text("You decide between two readings")).to_be_visible()
