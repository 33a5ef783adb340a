"""The main job: a FLAIR is dropped on the page, and plaques and counts appear without a reload."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from inference_worker.synthesis import SynthesisRequest, synthesise
from plaqueview.imaging.nifti import write_volume_nifti
from tests.e2e.browsing import READ_TIMEOUT_MS, slice_shown, wait_until
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

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
    rows = page.get_by_test_id("worklist-row")
    study: str = rows.filter(has=page.locator("[data-state=ready]")).first.get_attribute("data-study") or ""
    page.locator(f"[data-testid=worklist-row][data-study='{study}']").click()
    wait_for_result(page)
    return study


def wait_for_result(page: Page) -> None:
    """A slice, the counts and the lesions are on the screen."""
    page.locator("[data-testid=viewport][data-drawn]").first.wait_for()
    page.get_by_test_id("count-active").wait_for()
    page.get_by_test_id("lesion-row").first.wait_for()


def marked_pixels(page: Page) -> int:
    """How many pixels of the overlay on screen are drawn."""
    marked: int = page.get_by_test_id("overlay-canvas").evaluate(COUNT_MARKED)
    return marked


def wait_for_marks(page: Page, is_right: Callable[[int], bool]) -> int:
    """How many pixels of the slice that is shown are marked, once that is right."""
    slice_shown(page).wait_for()
    wait_until(page, lambda: is_right(marked_pixels(page)), lambda: f"the overlay shows {marked_pixels(page)} pixels")
    return marked_pixels(page)


def wait_for_all_slices(page: Page) -> None:
    def are_all_there() -> bool:
        return page.evaluate("window.plaqueview.allSlicesAt") is not None

    wait_until(page, are_all_there, lambda: "some slices did not come")


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
    page.get_by_test_id("upload-study").click()
    wait_for_result(page)
    screenshot("read")

    study = page.url.rsplit("/", 1)[1]
    with demo.api() as api:
        told = api.get(f"/api/v1/studies/{study}").json()
        lesions = api.get(f"/api/v1/studies/{study}/lesions").json()
    assert page.evaluate("window.isTheSamePage")
    assert told["state"] == "ready"
    expect(page.get_by_test_id("count-active")).to_have_text(str(told["lesion_counts"]["active"]))
    expect(page.get_by_test_id("count-inactive")).to_have_text(str(told["lesion_counts"]["inactive"]))
    assert lesions["count"] > 0
    expect(page.get_by_test_id("lesion-row")).to_have_count(lesions["count"])
    expect(page.get_by_test_id("counting-rule")).to_contain_text(told["counting_rule"])


def test_every_result_says_what_made_it_and_what_it_is_not(demo: RunningDemo, page: Page) -> None:
    study = open_first_ready_study(page)

    with demo.api() as api:
        model = api.get(f"/api/v1/studies/{study}").json()["annotation"]["model"]
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text("AI-predicted, FLAIR only")
    expect(banner).to_contain_text("research use only, not a medical device")
    expect(banner).to_contain_text(f"{model['name']} {model['version']} · {model['sha256'][:8]}")
    expect(page.get_by_text("AI-predicted active (FLAIR only)").first).to_be_visible()


def test_a_lesion_is_reached_and_its_mark_turned_on_and_off_by_keys(page: Page) -> None:
    open_first_ready_study(page)

    page.keyboard.press("n")
    expect(page.locator("[data-testid=lesion-row][data-selected]")).to_have_count(1)
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


def test_a_study_opened_by_its_address_fetches_each_slice_once(demo: RunningDemo, page: Page) -> None:
    study = open_first_ready_study(page)
    with demo.api() as api:
        series = api.get(f"/api/v1/studies/{study}").json()["annotation"]["series"]
        slices = api.get(f"/api/v1/series/{series}/slices").json()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("/instances/")[-1]))

    page.goto(f"{demo.url}/studies/{study}")
    wait_for_all_slices(page)

    frames = [f"{one['sop_instance_uid']}/frames/{one['frame']}" for one in slices["slices"]]
    assert sorted(set(frames) & set(asked)) == sorted(frames)
    assert [url for url in asked if asked.count(url) > 1 and "/frames/" in url] == []


def test_a_long_name_gives_way_on_a_narrow_screen_and_what_can_be_done_stays_on_it(
    demo: RunningDemo, page: Page, screenshot: Callable[[str], None]
) -> None:
    with demo.api() as api:
        study = api.get("/api/v1/studies").json()["results"][0]["id"]

    def rename(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["patient"] |= {
            "name": "Featherstonehaugh-Cholmondeley^Alexandria Wilhelmina",
            "patient_id": "NORTH-12345678",
        }
        body["study_description"] = "MR brain, multiple sclerosis"
        route.fulfill(response=answer, json=body)

    page.route(f"**/api/v1/studies/{study}", rename)
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{demo.url}/studies/{study}")
    expect(page.get_by_test_id("slice-place")).to_have_text(re.compile(r"^[HF] \d+\.\d mm$"))
    screenshot("long-name")

    header = page.get_by_test_id("patient-header")
    expect(header.get_by_role("link")).to_have_attribute(
        "title", "Featherstonehaugh-Cholmondeley, Alexandria Wilhelmina"
    )
    assert header.evaluate("header => header.scrollWidth - header.clientWidth") == 0
    description = header.get_by_title(re.compile("^MR brain")).bounding_box()
    assert description is not None
    assert description["width"] > 100  # some words of it, not one clipped letter
    for part in (header.get_by_text("NORTH-12345678"), header.get_by_role("button", name="Next unread")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1024 - 16


def test_a_file_that_is_no_study_is_refused_with_the_reason(page: Page, screenshot: Callable[[str], None]) -> None:
    drop(page, "notes.txt", b"<html>not a study</html>")

    line = page.get_by_test_id("upload-file")
    line.wait_for(timeout=READ_TIMEOUT_MS)
    screenshot("refused")
    expect(line).to_have_attribute("data-outcome", "rejected")
    expect(line).to_contain_text("DICOM")


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

    stranger.get_by_test_id("model-card").first.wait_for()
    assert stranger.url == f"{demo.url}/models"
