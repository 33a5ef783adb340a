"""Who answers for patients' data finds who looked at a study, and goes there."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import open_administration
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


def test_an_administrator_finds_who_looked_at_a_study(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    page.goto(demo.url)
    page.get_by_test_id("worklist-row").filter(has_text="Boris").get_by_role("link").first.click()
    page.get_by_role("link", name="Who looked at this study, and changed it").click()
    study = re.search(r"object=([0-9a-f-]{36})$", page.url)
    assert study is not None

    page.get_by_test_id("choose-kinds").click()
    page.get_by_label("Looked at studies").check()
    expect(page).to_have_url(re.compile(r"&kind=study.read$"))
    page.get_by_label("Who").fill("admin")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"&kind=study.read&actor_name=admin$"))
    row = page.get_by_test_id("audit-row")
    expect(row.first).to_contain_text(re.compile(rf"adminLooked at studiesStudy {study[1][:8]}"))

    page.reload()
    row.first.get_by_role("button", name="Details of event").press("Enter")
    expect(page.get_by_test_id("audit-details")).to_contain_text(f"id{study[1]}")
    row.first.get_by_role("link", name="Study").click()
    expect(page).to_have_url(f"{demo.url}/studies/{study[1]}")


def test_looking_at_the_audit_again_and_again_is_one_event(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    page.goto(demo.url)
    open_administration(page, "Audit")
    page.get_by_test_id("audit-row").first.wait_for()

    for _ in range(3):
        with page.expect_response(re.compile("/api/v1/audit")):
            page.get_by_role("button", name="Refresh").click()
    page.goto(f"{demo.url}/audit?kind=audit.read&actor_name=admin")

    expect(page.get_by_test_id("audit-row")).to_have_count(1)
    expect(page.get_by_text("1 event found")).to_be_visible()


def test_others_are_refused(demo: RunningDemo, page: Page) -> None:
    page.goto(f"{demo.url}/audit")

    expect(page.get_by_role("alert")).to_contain_text("You do not have permission to perform this action.")
    expect(page.get_by_test_id("audit-row")).to_have_count(0)
