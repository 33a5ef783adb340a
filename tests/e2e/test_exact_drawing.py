"""Marks lie on what they mark: on a fine screen, with voxels that are no squares, zoomed and resized."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Page

from plaqueview.imaging.nifti import write_volume_nifti
from plaqueview.imaging.volume import Volume
from tests.e2e.browsing import faultless_page, fresh_context, wait_until
from tests.e2e.test_main_job import wait_for_all_slices, wait_for_result
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

# Of Windows' scaling on many an office's screen; a canvas has no whole number of pixels for it.
DEVICE_SCALE_FACTOR = 1.25
SIZE = {"width": 1440, "height": 900}

# In mm: voxels are twice as tall as wide, and the block below is as tall as it is wide.
SPACING_MM = (3.0, 1.6, 0.8)
SHAPE = (24, 120, 200)
BLOCK = (slice(11, 13), slice(40, 56), slice(60, 92))
BLOCK_MM, HEAD_MM = 25.6, (153.6, 128.0)
HEAD, PLAQUE = 300, 1200

# Halfway between the head and the block where the window has put them, which is where the edge of a voxel is drawn.
HALFWAY_GREY = 185

# In CSS pixels: the half of a mark's outline that lies outside.
OUTLINE = 2

# The box of what is brighter than the grey value, or of what is drawn at all, in CSS pixels.
BOX_OF = """(canvas, grey) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data, width } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const box = { left: Infinity, top: Infinity, right: -1, bottom: -1 };
  for (let at = 0; at < data.length; at += 4) {
    if (grey === null ? data[at + 3] === 0 : data[at] <= grey) continue;
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x + 1);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
  }
  const ratio = canvas.width / canvas.clientWidth;
  return [box.left / ratio, box.top / ratio, box.right / ratio, box.bottom / ratio];
}"""


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @property
    def size(self) -> tuple[float, float]:
        return self.right - self.left, self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def boxes_of(page: Page) -> tuple[Box, Box]:
    """The block as the picture shows it, and the mark on it."""
    picture = page.get_by_test_id("viewport").locator("canvas.cornerstone-canvas").evaluate(BOX_OF, HALFWAY_GREY)
    return Box(*picture), Box(*page.get_by_test_id("overlay-canvas").evaluate(BOX_OF, None))


def block_of(page: Page) -> Box:
    """The block as the picture shows it, once nothing moves any more and the mark on it lies exactly there."""
    seen = [boxes_of(page)]

    def is_exact() -> bool:
        seen.append(boxes_of(page))
        picture, mark = seen[-1]
        is_still = seen[-2] == seen[-1]
        is_outside = np.allclose(np.subtract(mark.size, picture.size), 2 * OUTLINE, atol=2)
        return is_still and is_outside and np.allclose(mark.middle, picture.middle, atol=1)

    wait_until(page, is_exact, lambda: f"the picture shows the block at {seen[-1][0]}, the mark is at {seen[-1][1]}")
    return seen[-1][0]


def pane_of(page: Page) -> FloatRect:
    pane = page.get_by_test_id("viewport").bounding_box()
    assert pane is not None
    return pane


def share_of_pane(page: Page, block: Box) -> float:
    """How much of the pane the head takes, along the side where it takes most."""
    pane = pane_of(page)
    head = np.multiply(HEAD_MM, block.size[1] / BLOCK_MM)
    return float((head / (pane["height"], pane["width"])).max())


@pytest.fixture
def fine_page(browser: Browser, show_worklist: Callable[[Page, str], None]) -> Iterator[Page]:
    """The worklist of a neurologist on a fine screen."""
    with fresh_context(browser, device_scale_factor=DEVICE_SCALE_FACTOR) as context, faultless_page(context) as page:
        show_worklist(page, "neurologist")
        yield page


def import_block(demo: RunningDemo, folder: Path) -> str:
    """The id of a study of a head with a bright block in it, which is marked as a plaque."""
    affine = np.diag([*SPACING_MM, 1.0])[[2, 1, 0, 3]]
    slices, rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    in_head = (rows / SHAPE[1] - 0.5) ** 2 + (columns / SHAPE[2] - 0.5) ** 2 + 0 * slices < 0.4**2
    flair = np.where(in_head, HEAD, 0).astype(np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    flair[BLOCK], labels[BLOCK] = PLAQUE, 2
    case = folder / "SYN-BLOCK"
    case.mkdir()
    for name, voxels in (("flair", flair), ("labels", labels)):
        write_volume_nifti(case / f"{name}.nii.gz", Volume(voxels, affine))
    command = [sys.executable, "-m", "django", "import_labelled", str(folder), "--site", "Demo"]
    subprocess.run(command, env=demo.manage_environment, check=True)
    with demo.api() as api:
        (study,) = api.get("/api/v1/studies", params={"search": "SYN-BLOCK"}).json()["results"]
    return str(study["id"])


def test_marks_lie_on_what_they_mark(demo: RunningDemo, fine_page: Page, tmp_path: Path) -> None:
    page = fine_page
    page.goto(f"{demo.url}/studies/{import_block(demo, tmp_path)}")
    wait_for_result(page)
    wait_for_all_slices(page)

    fitted = block_of(page)
    assert fitted.size[0] == pytest.approx(fitted.size[1], abs=1.5)
    assert 0.9 < share_of_pane(page, fitted) < 1

    page.set_viewport_size({"width": 1440, "height": 600})
    assert 0.9 < share_of_pane(page, block_of(page)) < 1
    page.set_viewport_size(SIZE)
    assert block_of(page) == pytest.approx(fitted, abs=0.9)

    pane = pane_of(page)
    x, y = pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2
    page.get_by_role("button", name="Drag zooms").click()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 30, steps=5)
    page.mouse.up()
    zoomed = block_of(page)
    assert zoomed.size[0] / fitted.size[0] == pytest.approx(1 / (1 - 5 * 6 / pane["height"]) ** 5, rel=0.03)

    page.get_by_role("button", name=re.compile("Reset window, zoom")).click()
    assert block_of(page) == pytest.approx(fitted, abs=0.9)
