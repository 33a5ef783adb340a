"""An administrator freezes what is approved, live, and finds the champion on its page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import open_administration

pytestmark = pytest.mark.browser


def test_a_dataset_is_frozen_and_says_what_became_of_it(colleague: Page) -> None:
    """Ready where another test has approved something, else failed with the reason; nobody loads the page again."""
    page = colleague
    open_administration(page, "Training")
    expect(page.get_by_text("Nothing was trained yet.")).to_be_visible()

    page.get_by_test_id("new-snapshot").click()
    page.get_by_test_id("freeze").click()

    row = page.get_by_test_id("snapshot-row").first
    expect(row).to_have_attribute("data-state", re.compile("ready|failed"))
    expect(row.get_by_role("cell").nth(1)).to_have_text(re.compile("^ready|^failedNo study of these sites"))


def test_an_administrator_finds_workers_schedules_and_reruns(colleague: Page) -> None:
    """Each page shows what the server knows, and none fails in the console."""
    for name, shown in (("Workers", "worker-row"), ("Re-runs", "rerun-preview"), ("Schedules", "new-schedule")):
        open_administration(colleague, name)
        expect(colleague.get_by_test_id(shown).first).to_be_visible()
