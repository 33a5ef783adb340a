"""The main job: a FLAIR is dropped on the page, and plaques and counts appear without a reload."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from inference_worker.synthesis import SynthesisRequest, synthesise
from plaqueview.imaging.nifti import write_volume_nifti
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

READ_TIMEOUT_MS = 60_000

# Dropping works on what a drag from the desktop carries: a DataTransfer with files.
DROP = """([zone, name, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""

# The overlay's canvas is transparent where nothing is marked.
COUNT_MARKED = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let marked = 0;
  for (let at = 3; at < pixels.length; at += 4) marked += pixels[at] > 0;
  return marked;
}"""


def drop(page: Page, name: str, content: bytes) -> None:
    zone = page.get_by_test_id("drop-zone").element_handle()
    page.evaluate(DROP, [zone, name, list(content)])


def open_first_ready_study(page: Page) -> str:
    """The study page of a study with a result; returns its id."""
    row = page.get_by_test_id("worklist-row").filter(has=page.locator("[data-state=ready]")).first
    study: str = row.get_attribute("data-study") or ""
    row.click()
    page.locator("[data-testid=viewport][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("count-active").wait_for()
    return study


def marked_pixels(page: Page) -> int:
    """How many pixels of the overlay on screen are drawn."""
    marked: int = page.get_by_test_id("overlay-canvas").evaluate(COUNT_MARKED)
    return marked


def wait_for_marks(page: Page, is_right: Callable[[int], bool]) -> int:
    for _ in range(100):
        marked = marked_pixels(page)
        if is_right(marked):
            return marked
        page.wait_for_timeout(50)
    pytest.fail(f"the overlay shows {marked} pixels")


def wait_for_all_slices(page: Page) -> None:
    """Polled from here: the page's Content-Security-Policy keeps the browser from evaluating a string again."""
    for _ in range(600):
        if page.evaluate("window.plaqueview.allSlicesAt") is not None:
            return
        page.wait_for_timeout(50)
    pytest.fail("not every slice came within 30 s")


@pytest.fixture(scope="session")
def flair(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A NIfTI that no demo has seen."""
    path: Path = tmp_path_factory.mktemp("flair") / "dropped_flair.nii.gz"
    write_volume_nifti(path, synthesise(SynthesisRequest(), np.random.default_rng(20261122)).flair)
    return path.read_bytes()


def test_a_dropped_flair_is_read_and_its_overlay_appears_without_a_reload(
    demo: RunningDemo, page: Page, flair: bytes, screenshot: Callable[[str], None]
) -> None:
    page.evaluate("window.isTheSamePage = true")

    drop(page, "dropped_flair.nii.gz", flair)
    page.get_by_test_id("upload-study").click(timeout=READ_TIMEOUT_MS)
    page.locator("[data-testid=viewport][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("count-active").wait_for(timeout=READ_TIMEOUT_MS)
    screenshot("read")

    study = page.url.rsplit("/", 1)[1]
    with demo.api() as api:
        told = api.get(f"/api/v1/studies/{study}").json()
        lesions = api.get(f"/api/v1/studies/{study}/lesions").json()
    assert page.evaluate("window.isTheSamePage")
    assert told["state"] == "ready"
    assert page.get_by_test_id("count-active").inner_text() == str(told["lesion_counts"]["active"])
    assert page.get_by_test_id("count-inactive").inner_text() == str(told["lesion_counts"]["inactive"])
    assert page.get_by_test_id("lesion-row").count() == lesions["count"] > 0
    assert told["counting_rule"] in page.get_by_test_id("counting-rule").inner_text()


def test_every_result_says_what_made_it_and_what_it_is_not(demo: RunningDemo, page: Page) -> None:
    study = open_first_ready_study(page)

    with demo.api() as api:
        model = api.get(f"/api/v1/studies/{study}").json()["annotation"]["model"]
    banner = page.get_by_test_id("banner").inner_text()
    assert "AI-predicted, FLAIR only" in banner
    assert "research use only, not a medical device" in banner
    assert f"{model['name']} {model['version']} · {model['sha256'][:8]}" in banner
    assert page.get_by_text("AI-predicted active (FLAIR only)").first.is_visible()


def test_a_lesion_is_reached_and_its_mark_turned_on_and_off_by_keys(page: Page) -> None:
    open_first_ready_study(page)

    page.keyboard.press("n")
    shown = wait_for_marks(page, lambda marked: marked > 0)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("i")
    wait_for_marks(page, lambda marked: marked == 0)
    page.keyboard.press("a")
    page.keyboard.press("i")

    assert 0 < wait_for_marks(page, lambda marked: marked > 0) <= shown


def test_slices_are_scrolled_by_keys_and_wheel(page: Page) -> None:
    open_first_ready_study(page)
    indicator = page.get_by_test_id("slice-indicator")
    slice_count = indicator.inner_text().split(" / ")[1]

    page.keyboard.press("Home")
    expect(indicator).to_have_text(f"1 / {slice_count}")
    page.keyboard.press("ArrowDown")
    expect(indicator).to_have_text(f"2 / {slice_count}")
    page.get_by_test_id("viewport").hover()
    page.mouse.wheel(0, 120)
    expect(indicator).to_have_text(f"3 / {slice_count}")
    page.keyboard.press("End")
    expect(indicator).to_have_text(f"{slice_count} / {slice_count}")


def test_a_file_that_is_no_study_is_refused_with_the_reason(page: Page, screenshot: Callable[[str], None]) -> None:
    drop(page, "notes.txt", b"<html>not a study</html>")

    line = page.get_by_test_id("upload-file")
    line.wait_for(timeout=READ_TIMEOUT_MS)
    screenshot("refused")
    assert line.get_attribute("data-outcome") == "rejected"
    assert re.search("DICOM", line.inner_text())


def test_a_worklist_row_appears_on_another_readers_screen(demo: RunningDemo, page: Page, tmp_path: Path) -> None:
    before = page.get_by_test_id("worklist-row").count()
    path = tmp_path / "other_flair.nii.gz"
    write_volume_nifti(path, synthesise(SynthesisRequest(), np.random.default_rng(7)).flair)

    with demo.api("integrator") as api:
        answer = api.post("/api/v1/uploads", files={"file": (path.name, path.read_bytes())})

    assert answer.status_code == 202
    expect(page.get_by_test_id("worklist-row")).to_have_count(before + 1, timeout=READ_TIMEOUT_MS)
    newest = page.get_by_test_id("worklist-row").first.get_by_test_id("study-state")
    expect(newest).to_have_attribute("data-state", "ready", timeout=READ_TIMEOUT_MS)


def test_a_lost_connection_is_shown_and_mends_itself(demo: RunningDemo, page: Page) -> None:
    open_first_ready_study(page)
    wait_for_all_slices(page)

    page.context.set_offline(True)
    page.get_by_test_id("connection-lost").wait_for(timeout=READ_TIMEOUT_MS)
    page.context.set_offline(False)

    page.get_by_test_id("connection-lost").wait_for(state="detached", timeout=READ_TIMEOUT_MS)


def test_a_stranger_is_asked_to_sign_in_and_comes_back(demo: RunningDemo, stranger: Page) -> None:
    account = demo.credentials["neurologist"]
    stranger.goto(f"{demo.url}/models")

    stranger.get_by_label("Username").fill(account["username"])
    stranger.get_by_role("textbox", name="Password").fill("not the password")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("alert")).not_to_be_empty()
    stranger.get_by_role("textbox", name="Password").fill(account["password"])
    stranger.keyboard.press("Enter")

    stranger.get_by_test_id("model-card").wait_for()
    assert stranger.url == f"{demo.url}/models"
