"""Corrections in a browser: by key and by brush, undone, saved by themselves, shared, and never lost."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browsing import READ_TIMEOUT_MS, wait_until
from tests.e2e.test_main_job import (
    marked_pixels,
    open_first_ready_study,
    wait_for_all_slices,
    wait_for_marks,
)
from tests.e2e.test_review import open_study
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


@pytest.fixture
def study(demo: RunningDemo, page: Page) -> Iterator[str]:
    """The page of a study with a result and no draft; what is drafted is discarded afterwards."""
    study = open_first_ready_study(page)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(page.get_by_role("button", name="Erase")).to_be_enabled()
    wait_for_all_slices(page)
    yield study
    with demo.api() as api:
        draft = api.get(f"/api/v1/studies/{study}/draft")
        if draft.status_code == httpx.codes.OK:
            answer = api.delete(f"/api/v1/studies/{study}/draft", headers={"If-Match": draft.headers["ETag"]})
            assert answer.status_code == httpx.codes.NO_CONTENT


def draft_of(demo: RunningDemo, study: str) -> dict[str, Any]:  # Any: JSON
    with demo.api() as api:
        answer: dict[str, Any] = api.get(f"/api/v1/studies/{study}/draft").raise_for_status().json()
        return answer


def version_of(demo: RunningDemo, study: str) -> str:
    with demo.api() as api:
        version: str = api.get(f"/api/v1/studies/{study}").raise_for_status().json()["annotation"]["id"]
        return version


def mask_of(demo: RunningDemo, what: str) -> bytes:
    with demo.api() as api:
        return api.get(f"/api/v1/{what}/mask").raise_for_status().content


def status(page: Page) -> Locator:
    return page.get_by_test_id("draft-status")


def wait_until_saved(page: Page) -> None:
    expect(status(page)).to_have_attribute("data-save", "saved", timeout=READ_TIMEOUT_MS)


def class_of_lesion(page: Page, number: int) -> Locator:
    return page.locator(f"[data-testid=lesion-row][data-number='{number}']")


def other_class(lesion_class: str) -> str:
    return {"active": "inactive", "inactive": "active"}[lesion_class]


def choose_first_lesion(page: Page) -> str:
    """Its class."""
    page.keyboard.press("n")
    return class_of_lesion(page, 1).get_attribute("data-class") or ""


def stroke(page: Page, brush: str, *, rightwards: int) -> None:
    """A line drawn once the pane's drags are the brush's: "active", "inactive" or "eraser"."""
    page.locator(f"[data-testid=viewport] [data-brush={brush}]").wait_for()
    box = page.get_by_test_id("viewport").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x + rightwards * step / 10, y + 4 * step)
    page.mouse.up()


def test_a_lesion_is_turned_undone_and_turned_again_by_keys(demo: RunningDemo, page: Page, study: str) -> None:
    before = choose_first_lesion(page)

    page.keyboard.press("t")
    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", other_class(before))
    page.keyboard.press("Control+z")
    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", before)
    page.keyboard.press("Control+Shift+Z")
    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", other_class(before))
    wait_until_saved(page)

    draft = draft_of(demo, study)
    assert [(said["kind"], said["lesion_class"], said["author"]) for said in draft["statements"]] == [
        ("reclassified", other_class(before), "neurologist")
    ]
    assert draft["lesions"][0]["lesion_class"] == other_class(before)


def test_a_lesion_is_confirmed_and_another_refuted_with_four_keys(
    demo: RunningDemo, page: Page, study: str, screenshot: Callable[[str], None]
) -> None:
    count = page.get_by_test_id("lesion-row").count()
    choose_first_lesion(page)

    page.keyboard.press("c")
    page.get_by_test_id("lesion-question").wait_for()
    screenshot("evidence")
    page.keyboard.press("1")
    expect(class_of_lesion(page, 1)).to_contain_text("confirmed by a reader: post-gadolinium")
    page.keyboard.press("n")
    page.keyboard.press("x")
    page.get_by_test_id("lesion-question").wait_for()
    screenshot("reasons")
    page.keyboard.press("2")
    expect(page.get_by_test_id("lesion-row")).to_have_count(count - 1)
    wait_until_saved(page)

    said = {(one["kind"], one["evidence"], one["reason"]) for one in draft_of(demo, study)["statements"]}
    assert said == {("confirmed", "post_gadolinium", ""), ("false_positive", None, "vessel")}
    page.reload()
    expect(class_of_lesion(page, 1)).to_contain_text("confirmed by a reader", timeout=READ_TIMEOUT_MS)
    expect(page.get_by_test_id("lesion-row")).to_have_count(count - 1)


def test_a_stroke_is_drawn_erased_and_undone(
    demo: RunningDemo, page: Page, study: str, screenshot: Callable[[str], None]
) -> None:
    before = wait_for_marks(page, lambda marked: marked > 0)
    version = mask_of(demo, f"annotations/{version_of(demo, study)}")

    page.keyboard.press("d")
    page.keyboard.press("]")
    stroke(page, "active", rightwards=80)
    wait_for_marks(page, lambda marked: marked > before + 100)
    wait_until_saved(page)
    drawn = mask_of(demo, f"studies/{study}/draft")
    screenshot("drawn")
    page.keyboard.press("e")
    stroke(page, "eraser", rightwards=80)
    wait_for_marks(page, lambda marked: marked < before + 100)
    page.keyboard.press("Control+z")
    wait_until_saved(page)

    assert mask_of(demo, f"studies/{study}/draft") == drawn != version
    assert [said["kind"] for said in draft_of(demo, study)["statements"]] == ["added"]
    assert page.evaluate("window.plaqueview.strokeMs") > 0
    page.keyboard.press("Control+z")
    wait_until_saved(page)
    assert mask_of(demo, f"studies/{study}/draft") == version
    assert draft_of(demo, study)["statements"] == []


def test_what_cannot_be_done_says_what_to_do(page: Page, study: str) -> None:
    page.mouse.move(2, 2)

    page.keyboard.press("t")

    expect(page.get_by_test_id("advice")).to_contain_text("Choose a lesion with N, or point at one")
    expect(status(page)).to_have_attribute("data-save", "none")


def test_corrections_outlive_a_server_that_is_killed_in_the_middle(
    demo: RunningDemo, page: Page, study: str, screenshot: Callable[[str], None]
) -> None:
    before = choose_first_lesion(page)

    for process in web_processes(demo):
        os.kill(process, signal.SIGKILL)
    page.keyboard.press("t")
    expect(status(page)).to_have_attribute("data-save", "offline", timeout=READ_TIMEOUT_MS)
    screenshot("kept")
    wait_until_saved(page)

    assert draft_of(demo, study)["lesions"][0]["lesion_class"] == other_class(before)


def test_corrections_outlive_a_tab_that_is_closed_without_network(demo: RunningDemo, page: Page, study: str) -> None:
    before = choose_first_lesion(page)
    context = page.context

    context.set_offline(True)
    page.keyboard.press("t")
    expect(status(page)).to_have_attribute("data-save", "offline", timeout=READ_TIMEOUT_MS)
    page.close()
    context.set_offline(False)
    opened = context.new_page()
    open_study(opened, demo, study)
    wait_until_saved(opened)

    expect(class_of_lesion(opened, 1)).to_have_attribute("data-class", other_class(before))
    assert draft_of(demo, study)["lesions"][0]["lesion_class"] == other_class(before)


def test_corrections_outlive_an_expired_session(demo: RunningDemo, page: Page, study: str) -> None:
    before = choose_first_lesion(page)
    account = demo.credentials["neurologist"]

    page.context.clear_cookies()
    page.keyboard.press("t")
    page.get_by_label("Username").fill(account["username"], timeout=READ_TIMEOUT_MS)
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.keyboard.press("Enter")
    wait_until_saved(page)

    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", other_class(before))
    assert draft_of(demo, study)["lesions"][0]["lesion_class"] == other_class(before)


def test_two_readers_see_each_others_corrections_at_once(
    demo: RunningDemo, page: Page, colleague: Page, study: str
) -> None:
    open_study(colleague, demo, study)
    expect(colleague.get_by_role("button", name="Erase")).to_be_enabled()
    first = choose_first_lesion(page)

    page.keyboard.press("t")
    expect(class_of_lesion(colleague, 1)).to_have_attribute("data-class", other_class(first), timeout=READ_TIMEOUT_MS)
    second = class_of_lesion(colleague, 2).get_attribute("data-class") or ""
    colleague.keyboard.press("n")
    colleague.keyboard.press("n")
    colleague.keyboard.press("t")
    expect(class_of_lesion(page, 2)).to_have_attribute("data-class", other_class(second), timeout=READ_TIMEOUT_MS)

    assert {said["author"] for said in draft_of(demo, study)["statements"]} == {"neurologist", "admin"}


def test_a_conflict_shows_both_sides_and_loses_neither(
    demo: RunningDemo, page: Page, colleague: Page, study: str, screenshot: Callable[[str], None]
) -> None:
    open_study(colleague, demo, study)
    expect(colleague.get_by_role("button", name="Erase")).to_be_enabled()
    count = page.get_by_test_id("lesion-row").count()
    before = choose_first_lesion(page)

    page.context.set_offline(True)
    page.keyboard.press("t")
    colleague.keyboard.press("n")
    colleague.keyboard.press("x")
    colleague.get_by_test_id("lesion-question").wait_for()
    colleague.keyboard.press("1")
    wait_until_saved(colleague)
    page.context.set_offline(False)
    page.get_by_test_id("conflict").wait_for(timeout=READ_TIMEOUT_MS)
    screenshot("both-sides")

    expect(status(page)).to_have_attribute("data-save", "conflict")
    expect(page.get_by_test_id("conflict-place")).to_have_count(1)
    expect(page.get_by_test_id("conflict-place")).to_contain_text("no lesion")
    assert [said["kind"] for said in draft_of(demo, study)["statements"]] == ["false_positive"]
    page.get_by_text("Keep mine").click()
    page.get_by_role("button", name="Save this choice").click()
    wait_until_saved(page)
    expect(page.get_by_test_id("conflict")).to_have_count(0)
    expect(page.get_by_test_id("lesion-row")).to_have_count(count)
    expect(class_of_lesion(colleague, 1)).to_have_attribute("data-class", other_class(before), timeout=READ_TIMEOUT_MS)
    assert [said["kind"] for said in draft_of(demo, study)["statements"]] == ["reclassified"]


def test_marks_that_could_not_be_fetched_are_told_and_come_at_another_try(
    page: Page, screenshot: Callable[[str], None]
) -> None:
    page.route("**/api/v1/annotations/*/mask", lambda route: route.fulfill(status=429, json={"detail": "Slow down."}))
    open_first_ready_study(page)

    note = page.get_by_test_id("marks-note")
    expect(note).to_contain_text("The marks of this study are not shown. Slow down.")
    assert marked_pixels(page) == 0
    screenshot("told")
    page.unroute("**/api/v1/annotations/*/mask")
    note.get_by_role("button", name="Try again").click()

    wait_for_marks(page, lambda marked: marked > 0)
    expect(note).to_have_count(0)


@pytest.fixture
def reread(demo: RunningDemo, page: Page) -> Iterator[tuple[str, str, str]]:
    """A study, its FLAIR and its T1; read from its FLAIR and without a draft afterwards."""
    with demo.api("admin") as api:
        studies = api.get("/api/v1/studies", params={"state": "ready"}).json()["results"]
        details = [api.get(f"/api/v1/studies/{study['id']}").json() for study in studies]
        study, flair, t1 = next(
            (told["id"], told["flair_series"], series["id"])
            for told in details
            for series in told["series"]
            if series["series_description"] == "t1_se_tra"
        )
        open_study(page, demo, study)
        expect(page.get_by_role("button", name="Erase")).to_be_enabled()
        yield study, flair, t1
        draft = api.get(f"/api/v1/studies/{study}/draft")
        if draft.status_code == httpx.codes.OK:
            api.delete(f"/api/v1/studies/{study}/draft", headers={"If-Match": draft.headers["ETag"]}).raise_for_status()
    read_from(demo, page, study, flair)


def read_from(demo: RunningDemo, page: Page, study: str, series: str) -> None:
    """The study's version is one of that series."""
    with demo.api("admin") as api:
        api.patch(f"/api/v1/studies/{study}", json={"flair_series": series}).raise_for_status()
        api.post(f"/api/v1/studies/{study}/inferences").raise_for_status()

        def read() -> str:
            told: str = api.get(f"/api/v1/studies/{study}").json()["annotation"]["series"]
            return told

        wait_until(page, lambda: read() == series, lambda: f"the version is of series {read()}, needs {series}")


def test_a_draft_is_kept_apart_from_the_slices_of_another_series(
    demo: RunningDemo, page: Page, reread: tuple[str, str, str], screenshot: Callable[[str], None]
) -> None:
    study, flair, other = reread
    first = choose_first_lesion(page)
    page.keyboard.press("t")
    wait_until_saved(page)
    draft, mask = draft_of(demo, study), mask_of(demo, f"studies/{study}/draft")

    read_from(demo, page, study, other)
    note = page.get_by_test_id("draft-aside")
    expect(note).to_contain_text("is kept there. Show that series to go on with it, or discard it to correct version")
    page.locator("[data-testid=viewport][data-drawn]").wait_for()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("advice")).to_contain_text("The study has a draft elsewhere")
    expect(page.get_by_role("button", name="Erase")).to_be_disabled()
    screenshot("aside")
    assert (draft_of(demo, study), mask_of(demo, f"studies/{study}/draft")) == (draft, mask)

    note.get_by_role("button", name="Show its series").click()
    expect(note).to_have_count(0)
    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", other_class(first))
    wait_for_marks(page, lambda marked: marked > 0)
    page.keyboard.press("n")
    page.keyboard.press("t")
    expect(class_of_lesion(page, 1)).to_have_attribute("data-class", first)
    wait_until_saved(page)
    assert [draft_of(demo, study)[field] for field in ("series", "base", "statements")] == [flair, draft["base"], []]
    page.get_by_test_id("part-review").click()
    expect(page.get_by_test_id("review-status")).to_contain_text(f"grown from version {draft['base_version']}.")


def web_processes(demo: RunningDemo) -> list[int]:
    """The processes that answer on the demo's port."""
    port = demo.url.rsplit(":", 1)[1]
    words = ["granian", "--port", port]
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            command = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if all(word in command for word in words):
            found.append(int(process.name))
    assert found, f"no process answers on port {port}"
    return found
