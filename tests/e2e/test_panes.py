"""What is on the screen of the study page: the prior beside it, changes, measurements, planes, thumbnails."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pydicom import dcmread

from inference_worker.synthesis import (
    Slices,
    SynthesisRequest,
    SyntheticPatient,
    Visit,
    synthesise,
    write_dicom_series,
)
from plaqueview.imaging.nifti import write_volume_nifti
from tests.e2e.browsing import READ_TIMEOUT_MS, slice_shown, wait_until
from tests.e2e.test_main_job import wait_for_all_slices, wait_for_result
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

# As the screen has it: a canvas that was cleared and not drawn on may still show what was there before.
COUNT_SHOWN = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
  let shown = 0;
  for (let at = 3; at < pixels.length; at += 4) shown += pixels[at] > 0;
  return shown;
}"""


def study_with_prior(demo: RunningDemo) -> tuple[str, str]:
    """The follow-up of the synthetic patient who was there before, and the prior; other tests bring other patients."""
    with demo.api() as api:
        for row in api.get("/api/v1/studies", params={"search": "SYN-0001"}).json()["results"]:
            study = api.get(f"/api/v1/studies/{row['id']}").json()
            if study["priors"] and study["annotation"]:
                return study["id"], study["priors"][0]["id"]
    pytest.fail("the demo has no follow-up")


def open_follow_up(demo: RunningDemo, page: Page) -> tuple[str, str]:
    """The study page with the prior drawn beside the study, registered."""
    study, prior = study_with_prior(demo)
    page.goto(f"{demo.url}/studies/{study}")
    wait_for_result(page)
    page.locator("[data-testid=viewport-prior][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    expect(page.get_by_test_id("pane-link")).to_have_text("Registered", timeout=READ_TIMEOUT_MS)
    return study, prior


def slice_of(page: Page, pane: str = "") -> int:
    return int(page.get_by_test_id(f"slice-indicator{pane}").inner_text().split(" / ")[0])


def expect_slice(page: Page, shown: int, pane: str = "") -> None:
    """The pane is told to show this slice, from 1, and it is on the screen."""
    expect(page.get_by_test_id(f"slice-indicator{pane}")).to_have_text(re.compile(rf"^{shown} / "))
    slice_shown(page, pane).wait_for()


def prior_slice_of(demo: RunningDemo, study: str, prior: str, shown: int) -> int:
    """The prior's slice, from 1, at the middle of the study's slice, by the registration's own matrix."""
    with demo.api() as api:
        told = api.get(f"/api/v1/studies/{study}/registrations", params={"prior": prior}).json()["results"][0]
        current = api.get(f"/api/v1/series/{told['fixed_series']}/slices").json()
        other = api.get(f"/api/v1/series/{told['moving_series']}/slices").json()
    _, rows, columns = current["shape"]
    link, affine, other_affine = (
        np.reshape(each, (4, 4)) for each in (told["matrix"], current["affine"], other["affine"])
    )
    middle = affine @ [shown - 1, (rows - 1) / 2, (columns - 1) / 2, 1]
    index: int = np.linalg.solve(other_affine, link @ middle)[0].round().astype(int)
    return min(other["shape"][0], max(1, index + 1))


def test_the_prior_hangs_beside_the_study_and_goes_with_it_by_patient_position(
    demo: RunningDemo, page: Page, screenshot: Callable[[str], None]
) -> None:
    study, prior = open_follow_up(demo, page)

    for key in ("Home", "PageDown", "PageDown", "ArrowDown"):
        page.keyboard.press(key)

    expect(page.get_by_test_id("panes")).to_have_attribute("data-layout", "prior")
    expect_slice(page, 12)
    expect_slice(page, prior_slice_of(demo, study, prior, 12), "-prior")
    expect(page.get_by_test_id("pane-header")).to_have_count(2)
    screenshot("linked")


def expect_marks(page: Page, lesions: int) -> None:
    """The overlay shows something where there are lesions, and nothing where there are none."""

    def shown() -> int:
        return int(page.get_by_test_id("overlay-canvas").evaluate(COUNT_SHOWN))

    wait_until(page, lambda: (shown() > 0) == (lesions > 0), lambda: f"{shown()} pixels are shown of {lesions} lesions")


def test_a_slice_without_lesions_shows_none_of_the_slice_before(demo: RunningDemo, page: Page) -> None:
    study, _ = open_follow_up(demo, page)
    with demo.api() as api:
        annotation = api.get(f"/api/v1/studies/{study}").json()["annotation"]["id"]
        by_slice = api.get(f"/api/v1/annotations/{annotation}").json()["counts_by_slice"]
    counts = [sum(both) for both in zip(by_slice["active"], by_slice["inactive"], strict=True)]

    page.keyboard.press("Home")
    for index, count in enumerate(counts):
        expect_slice(page, index + 1)
        expect_marks(page, count)
        page.keyboard.press("ArrowDown")


def test_a_pane_that_is_not_linked_goes_alone(demo: RunningDemo, page: Page) -> None:
    open_follow_up(demo, page)
    page.keyboard.press("l")
    expect(page.get_by_test_id("pane-link")).to_have_text("Linked slice by slice")
    page.keyboard.press("l")
    expect(page.get_by_test_id("pane-link")).to_have_text("Not linked")
    current, prior = slice_of(page), slice_of(page, "-prior")

    page.get_by_test_id("viewport-prior").hover()
    page.mouse.wheel(0, 120)

    expect(page.get_by_test_id("slice-indicator-prior")).to_have_text(re.compile(rf"^{prior + 1} /"))
    expect_slice(page, current)


def test_the_pointer_is_marked_at_the_same_place_of_the_prior(demo: RunningDemo, page: Page) -> None:
    open_follow_up(demo, page)
    box = page.get_by_test_id("viewport").bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2)

    expect(page.get_by_test_id("cursor-prior")).not_to_have_attribute("hidden", "")
    expect(page.get_by_test_id("cursor-current")).to_have_attribute("hidden", "")


def test_changes_since_the_prior_are_counted_with_their_rule_and_gone_through(
    demo: RunningDemo, page: Page, screenshot: Callable[[str], None]
) -> None:
    study, prior = open_follow_up(demo, page)
    with demo.api() as api:
        told = api.get(f"/api/v1/studies/{study}/changes", params={"prior": prior}).json()
    enlarging = next(change for change in told["changes"] if change["change"] == "enlarging")

    expect(page.get_by_role("button", name="Changes since the prior on or off")).to_have_attribute(
        "aria-disabled", "false"
    )
    page.keyboard.press("Shift+C")
    legend = page.get_by_test_id("change-legend")
    page.get_by_test_id("change-enlarging").click()

    for kind, count in told["counts"].items():
        expect(page.get_by_test_id(f"change-{kind}")).to_have_text(
            re.compile(rf"^{kind.capitalize()}\s+{count}$"), use_inner_text=True
        )
    brightened = told["brightening"]
    expect(page.get_by_test_id("change-brightened")).to_have_text(
        re.compile(rf"^Brighter\s+{brightened['without_growth']}$"), use_inner_text=True
    )
    for rule in (told["rule"], brightened["rule"]):
        expect(legend).to_contain_text(rule, ignore_case=True, use_inner_text=True)
    expect_slice(page, enlarging["anchor"][0] + 1)
    expect(page.get_by_test_id("change-enlarging")).to_have_attribute("aria-pressed", "true")
    screenshot("changes")


def test_a_distance_is_measured_and_deleted_by_key(
    demo: RunningDemo, page: Page, screenshot: Callable[[str], None]
) -> None:
    open_follow_up(demo, page)
    page.keyboard.press("5")
    page.locator("[data-testid=panes][data-layout=single]").wait_for()
    expect(page.get_by_role("button", name="Measure", exact=True)).to_be_visible()
    page.keyboard.press("Shift+D")
    page.locator("[data-testid=viewport] [data-drag=ruler]").wait_for()
    box = page.get_by_test_id("viewport").bounding_box()
    assert box is not None
    left, top = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4

    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 60, top, steps=4)
    page.mouse.up()
    text = page.locator("[data-testid=viewport] svg text")
    expect(text).to_have_text(re.compile(r"^\d+\.\d mm$"))
    screenshot("distance")
    page.keyboard.press("Backspace")

    expect(text).to_have_count(0)


def window_of(page: Page) -> tuple[int, int]:
    width, center = re.findall(r"-?\d+", page.get_by_test_id("window-values").inner_text())
    return int(width), int(center)


def test_a_drag_on_the_next_slice_goes_on_from_the_window_that_is_shown(demo: RunningDemo, page: Page) -> None:
    open_follow_up(demo, page)
    page.keyboard.press("5")
    page.locator("[data-testid=viewport] [data-drag=window]").wait_for()
    before, shown = window_of(page), slice_of(page)
    page.keyboard.press("2")
    wait_until(page, lambda: window_of(page) != before, lambda: f"the window stays {before}")
    width, center = window_of(page)
    page.keyboard.press("ArrowDown")
    expect_slice(page, shown + 1)
    box = page.get_by_test_id("viewport").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    assert window_of(page) == (width, center)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y, steps=2)
    page.mouse.up()

    wait_until(page, lambda: window_of(page)[0] != width, lambda: f"the window stays {window_of(page)}")
    # Four pixels, each worth a 1,024th of the brightness there is or one.
    assert window_of(page)[0] - width in range(1, 17)
    assert abs(window_of(page)[1] - center) <= 1


MEAN_LEVEL = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at];
  return sum / (data.length / 4);
}"""


def test_slices_that_are_stored_inverted_and_rescaled_are_shown_upright_and_swapped_by_key(
    demo: RunningDemo, page: Page, tmp_path: Path
) -> None:
    volume = synthesise(
        SynthesisRequest(slices=Slices(count=12, rows=160, columns=160)), np.random.default_rng(4)
    ).flair
    patient = SyntheticPatient("Synthetic^Beatrix", "SYN-BEA", "19850601", "F")
    paths = write_dicom_series(tmp_path, volume, visit=Visit(patient, "20240601", "100000", "SYNBEA0001"))
    for path in paths:
        dataset = dcmread(path)
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.PixelData = (np.iinfo(np.uint16).max - dataset.pixel_array).tobytes()
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "0.37", "-12.5", "US"
        dataset.save_as(path)
    study = upload(demo, paths)
    page.goto(f"{demo.url}/studies/{study}")
    page.locator("[data-testid=viewport][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    wait_for_all_slices(page)
    canvas = page.locator("[data-testid=viewport] canvas.cornerstone-canvas")

    def expect_air(*, bright: bool) -> None:
        """Air is the largest part of the picture."""

        def is_bright() -> bool:
            return float(canvas.evaluate(MEAN_LEVEL)) > 100

        wait_until(page, lambda: is_bright() == bright, lambda: f"level {canvas.evaluate(MEAN_LEVEL)}")

    expect_air(bright=False)
    page.keyboard.press("v")
    expect_air(bright=True)
    shown = slice_of(page)
    page.keyboard.press("ArrowDown")
    expect_slice(page, shown + 1)
    expect_air(bright=True)
    page.keyboard.press("v")
    expect_air(bright=False)


def test_the_probability_is_drawn_from_a_threshold_on(demo: RunningDemo, page: Page) -> None:
    open_follow_up(demo, page)
    page.keyboard.press("o")

    with page.expect_response(re.compile(r"/annotations/[^/]+/probability$")) as answer:
        page.keyboard.press("h")

    assert answer.value.ok
    page.get_by_role("button", name="Probability as a heat map").click()
    expect(page.get_by_text("Drawn from 30 % on")).to_be_visible()


def test_key_slices_are_shown_with_their_lesions(demo: RunningDemo, page: Page) -> None:
    study, _ = open_follow_up(demo, page)
    with demo.api() as api:
        annotation = api.get(f"/api/v1/studies/{study}").json()["annotation"]["id"]
        by_slice = api.get(f"/api/v1/annotations/{annotation}").json()["counts_by_slice"]
    touched = [
        index for index, counts in enumerate(zip(by_slice["active"], by_slice["inactive"], strict=True)) if any(counts)
    ]

    page.keyboard.press("Shift+K")
    thumbnails = page.get_by_test_id("thumbnail-strip").get_by_role("listitem")
    expect(thumbnails).to_have_count(len(touched))
    thumbnails.last.get_by_role("button").click()

    expect_slice(page, touched[-1] + 1)


def test_thick_slices_are_not_cut_in_planes_and_the_reason_is_told(demo: RunningDemo, page: Page) -> None:
    open_follow_up(demo, page)
    planes = page.get_by_role("button", name="Three planes")

    page.keyboard.press("9")
    planes.hover()

    expect(planes).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("tooltip")).to_contain_text("Three planes need a 3D acquisition")
    expect(page.get_by_test_id("panes")).to_have_attribute("data-layout", "prior")


def upload_flair(demo: RunningDemo, path: Path, slices: Slices) -> str:
    """The study of a FLAIR with these slices, once they can be drawn."""
    write_volume_nifti(path, synthesise(SynthesisRequest(slices=slices), np.random.default_rng(3)).flair)
    return upload(demo, [path])


def upload(demo: RunningDemo, paths: Sequence[Path]) -> str:
    """The one study of the files, once it is received."""
    parts = [("file", (path.name, path.read_bytes())) for path in paths]
    with demo.api("integrator") as api:
        upload = api.post("/api/v1/uploads", files=parts).json()["id"]
        told = wait_for(lambda: told_of(api, f"uploads/{upload}"), lambda told: told["state"] == "done")
    return str(told["studies"][0])


def told_of(api: httpx.Client, path: str) -> dict[str, Any]:  # Any: JSON
    told: dict[str, Any] = api.get(f"/api/v1/{path}").raise_for_status().json()
    return told


def wait_for(ask: Callable[[], dict[str, Any]], is_right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + READ_TIMEOUT_MS / 1000
    while not is_right(told := ask()):
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


def test_a_3d_flair_is_cut_in_three_planes(
    demo: RunningDemo, page: Page, tmp_path: Path, screenshot: Callable[[str], None]
) -> None:
    thin = Slices(count=60, rows=160, columns=160, pixel_mm=(1.4, 1.4), thickness_mm=1.4, spacing_mm=1.4)
    study = upload_flair(demo, tmp_path / "thin_flair.nii.gz", thin)
    indicator = page.get_by_test_id("slice-indicator")
    page.goto(f"{demo.url}/studies/{study}")
    page.locator("[data-testid=viewport][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)

    page.keyboard.press("9")
    sagittal = page.get_by_test_id("plane-2")
    sagittal.wait_for(timeout=READ_TIMEOUT_MS)
    expect(sagittal).to_have_attribute("aria-label", "Sagittal plane 80 of 160")
    expect(page.get_by_test_id("plane-1")).to_have_attribute("aria-label", "Coronal plane 80 of 160")
    page.keyboard.press("Home")
    expect(indicator).to_have_text("1 / 60")
    sagittal.click()
    expect(indicator).to_have_text(re.compile(r"^(30|31) / 60$"))
    screenshot("planes")


def test_a_result_that_comes_while_a_reader_reads_leaves_the_slices_as_they_are(
    demo: RunningDemo, page: Page, tmp_path: Path
) -> None:
    study = upload_flair(demo, tmp_path / "read_twice.nii.gz", Slices())
    with demo.api() as api:
        wait_for(lambda: told_of(api, f"studies/{study}"), lambda told: told["state"] == "ready")
    page.goto(f"{demo.url}/studies/{study}")
    page.locator("[data-testid=viewport][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("viewport").evaluate("viewport => { viewport.dataset.opened = 'once'; }")
    page.keyboard.press("Home")
    expect(page.get_by_test_id("slice-indicator")).to_have_text("1 / 22")
    page.get_by_test_id("part-versions").click()
    expect(page.get_by_test_id("version")).to_have_count(1)

    with demo.api() as api:
        api.post(f"/api/v1/studies/{study}/inferences").raise_for_status()
    expect(page.get_by_test_id("version")).to_have_count(2, timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("part-lesions").click()
    page.get_by_test_id("count-active").wait_for()

    expect(page.locator("[data-testid=viewport][data-drawn]")).to_have_attribute("data-opened", "once")
    expect(page.get_by_test_id("slice-indicator")).to_have_text("1 / 22")
