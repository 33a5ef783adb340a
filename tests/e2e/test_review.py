"""Two accounts at one study: review with comments, versions compared, presence, the queue, and keys of one's own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import READ_TIMEOUT_MS
from tests.e2e.test_main_job import open_first_ready_study, wait_for_result
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


def open_study(page: Page, demo: RunningDemo, study: str) -> None:
    page.goto(f"{demo.url}/studies/{study}")
    wait_for_result(page)


def expect_state(page: Page, state: str) -> None:
    expect(page.get_by_test_id("review-status")).to_have_attribute("data-state", state, timeout=READ_TIMEOUT_MS)


def test_a_reading_is_submitted_returned_corrected_and_approved(
    demo: RunningDemo, page: Page, colleague: Page, screenshot: Callable[[str], None]
) -> None:
    study = open_first_ready_study(page)
    with demo.api() as api:
        before = api.get(f"/api/v1/studies/{study}/annotations").json()["count"]
    open_study(colleague, demo, study)
    page.get_by_test_id("part-review").click()
    colleague.get_by_test_id("part-review").click()

    page.get_by_test_id("submit-review").click()
    expect_state(page, "submitted")
    expect_state(colleague, "submitted")
    colleague.get_by_label("Comment", exact=True).fill("Lesion 1 is of the other class.")
    colleague.get_by_test_id("return").click()
    expect_state(page, "returned")
    expect(page.get_by_test_id("review-history")).to_contain_text("Lesion 1 is of the other class.")

    page.get_by_test_id("part-lesions").click()
    page.keyboard.press("n")
    page.keyboard.press("t")
    expect(page.locator("[data-testid=lesion-row][data-review=reclassified]")).to_have_count(1, timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("part-review").click()
    expect_state(page, "draft")
    page.get_by_test_id("submit-review").click(timeout=READ_TIMEOUT_MS)
    expect_state(colleague, "submitted")
    colleague.get_by_test_id("approve").click()
    expect_state(page, "approved")
    expect(page.get_by_test_id("review-history").get_by_role("listitem")).to_have_count(4)
    screenshot("approved")

    page.get_by_test_id("part-versions").click()
    expect(page.get_by_test_id("version")).to_have_count(before + 2)
    page.get_by_label(f"Compare version {before + 1}").check()
    page.get_by_label(f"Compare version {before + 2}").check()
    expect(page.get_by_test_id("diff-row")).to_have_count(1)
    expect(page.get_by_test_id("diff-row")).to_have_attribute("data-kind", "reclassified")
    screenshot("compared")


def test_a_comment_pinned_to_a_lesion_reaches_the_other_reader_and_is_resolved(
    demo: RunningDemo, page: Page, colleague: Page
) -> None:
    study = open_first_ready_study(page)
    open_study(colleague, demo, study)
    colleague.get_by_test_id("part-review").click()
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("[data-testid=lesion-row][data-selected]")).to_have_attribute("data-number", "2")
    indicator = page.get_by_test_id("slice-indicator").inner_text()

    page.get_by_test_id("part-review").click()
    page.get_by_label("New comment").fill("Is this a vessel?")
    page.get_by_test_id("add-comment").click()
    comment = colleague.get_by_test_id("comment")
    expect(comment).to_contain_text("Is this a vessel?", timeout=READ_TIMEOUT_MS)
    expect(comment.get_by_test_id("comment-jump")).to_contain_text("Lesion 2")
    comment.get_by_test_id("comment-jump").click()
    expect(colleague.get_by_test_id("slice-indicator")).to_have_text(indicator)
    comment.get_by_test_id("comment-resolve").click()

    expect(page.get_by_test_id("comments").get_by_test_id("comment")).to_have_count(0, timeout=READ_TIMEOUT_MS)
    expect(page.get_by_text("1 resolved comment")).to_be_visible()


def test_readers_see_who_else_is_on_a_study(demo: RunningDemo, page: Page, colleague: Page) -> None:
    study = open_first_ready_study(page)
    open_study(colleague, demo, study)

    expect(page.locator("[data-testid=presence] [data-reader=admin]")).to_be_visible(timeout=READ_TIMEOUT_MS)
    expect(colleague.locator("[data-testid=presence] [data-reader=neurologist]")).to_be_visible(timeout=READ_TIMEOUT_MS)
    colleague.goto(demo.url)
    expect(page.get_by_test_id("presence")).to_have_count(0, timeout=READ_TIMEOUT_MS)


def test_the_next_unread_study_is_opened_by_key_and_taken(demo: RunningDemo, page: Page) -> None:
    with demo.api() as api:
        first = api.get("/api/v1/studies/next").json()["id"]

    page.keyboard.press("u")
    page.wait_for_url(f"{demo.url}/studies/{first}")
    page.get_by_test_id("assignment").click()
    page.get_by_test_id("assign-to-me").click()
    expect(page.get_by_test_id("assignment")).to_have_attribute("data-assigned", "neurologist")
    page.goto(f"{demo.url}/?view=mine")
    expect(page.get_by_test_id("worklist-row")).to_have_count(1)

    page.get_by_test_id("worklist-row").click()
    page.get_by_test_id("assignment").click()
    page.get_by_test_id("release").click()
    expect(page.get_by_test_id("assignment")).to_contain_text("Unassigned")


def test_a_key_that_a_reader_chose_works_on_the_study_page_and_stands_on_the_cheat_sheet(
    demo: RunningDemo, page: Page
) -> None:
    line = page.locator("[data-command='lesion.next']")
    page.goto(f"{demo.url}/keys")

    line.get_by_test_id("add-key").click()
    page.keyboard.press("p")
    expect(page.get_by_test_id("key-conflicts")).to_contain_text("“Next lesion” and “Previous lesion”")
    line.get_by_label("Take P from Next lesion").click()
    expect(page.get_by_test_id("key-conflicts")).to_have_count(0)
    line.get_by_test_id("add-key").click()
    with page.expect_response(lambda answer: answer.url.endswith("/me/preferences") and answer.request.method == "PUT"):
        page.keyboard.press("Shift+G")
    expect(line).to_contain_text("Shift G")
    page.goto(demo.url)
    page.get_by_test_id("worklist-row").first.wait_for()
    open_first_ready_study(page)
    page.keyboard.press("Shift+G")
    expect(page.locator("[data-testid=lesion-row][data-selected]")).to_have_attribute("data-number", "1")
    page.keyboard.press("?")
    expect(page.get_by_test_id("cheat-sheet")).to_contain_text("Shift G")

    page.goto(f"{demo.url}/keys")
    page.get_by_test_id("reset-all-keys").click()
    expect(line).not_to_contain_text("Shift G")
