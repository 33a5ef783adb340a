"""The study page beside OHIF on Orthanc: the same study of 60 slices and its mask, in the same Chromium, in turns.

How it is measured, the same in both: `support_viewer_probe.js` runs before the page's own scripts and looks after each
animation frame. The first slice is drawn when a canvas at least 256 pixels wide holds a head; all slices are there when
they are in memory. Each visit is a new browser context, so nothing comes from a cache, of a reader who is signed in or
has seen the guided tour. For scrolling the wheel is turned by one notch after each frame, on the way down after one way
up; a stroke takes from the pointer's arrival to the frame in which the pixels below it change. OHIF's window is made
smaller until its picture has the size of ours, so that both fill as many pixels.
"""

import gzip
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from tests.bench.support_ohif import VERSION, running_ohif
from tests.bench.support_orthanc import running_orthanc
from tests.bench.support_viewer_pages import (
    WINDOW,
    Viewer,
    ohif_viewer,
    opened,
    our_viewer,
    running_chromium,
    wait_for,
)
from tests.bench.support_viewer_study import SLICE_COUNT, store_study
from tests.running_demo import running_demo

ROUNDS = 5
WARM_UP_ROUNDS = 1
NOTCH = 120
DISPLAY_HZ = 60
STROKE_ROUNDS = 3
STROKE_POINTS = 8
STROKE_STEP = 40  # pixels: more than the brush is wide
PEER = f"OHIF {VERSION} on Orthanc"
EMPTY = "an empty picture in the same place, drawn anew in each frame"

Line = dict[str, Any]  # Any: JSON
Window = tuple[int, int]


@dataclass
class Figures:
    """What one viewer did, a figure a round."""

    first_slice_ms: list[float] = field(default_factory=list)
    all_slices_ms: list[float] = field(default_factory=list)
    javascript_bytes: list[int] = field(default_factory=list)
    slices_per_s: list[float] = field(default_factory=list)
    frames_kept: list[float] = field(default_factory=list)
    frames_dropped: list[int] = field(default_factory=list)


def run() -> Iterator[Line]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        orthanc = stack.enter_context(running_orthanc(folder))
        address = stack.enter_context(running_ohif(folder, orthanc))
        demo = stack.enter_context(running_demo(folder / "demo"))
        study = store_study(folder / "dicom", demo, orthanc)
        browser = stack.enter_context(running_chromium())
        viewers = {"ours": our_viewer(browser, demo, study), "peer": ohif_viewer(address, study)}
        windows = windows_of_equal_pictures(browser, viewers)
        readings = measure_readings(browser, viewers, windows)
        yield from opening_lines(readings["ours"], readings["peer"])
        yield from scroll_lines(readings["ours"], readings["peer"], readings["empty"])
        yield stroke_line(measure_strokes(browser, viewers, windows))


def measure_readings(
    browser: Browser, viewers: Mapping[str, Viewer], windows: Mapping[str, Window]
) -> Mapping[str, Figures]:
    """The figures of the viewers, and of an empty picture under "empty", in turns; warm-up rounds are dropped."""
    figures = {name: Figures() for name in (*viewers, "empty")}
    for turn in range(WARM_UP_ROUNDS + ROUNDS):
        if turn == WARM_UP_ROUNDS:
            figures = {name: Figures() for name in figures}
        for name, viewer in viewers.items():
            with opened(browser, viewer, viewer.url, windows[name]) as page:
                read(page, viewer, figures[name])
                if name == "ours":
                    draw_empty(page, figures["empty"])
    for name, found in figures.items():
        print(f"viewer {name}: {found}", file=sys.stderr)
    return figures


def windows_of_equal_pictures(browser: Browser, viewers: Mapping[str, Viewer]) -> Mapping[str, Window]:
    """The size of either's window at which its picture is as large as ours is in `WINDOW`."""
    places = {}
    for name, viewer in viewers.items():
        with opened(browser, viewer, viewer.url, WINDOW) as page:
            places[name] = page.evaluate("window.benchProbe.place()")[2:]
    return {
        name: rounded([side + ours - own for side, ours, own in zip(WINDOW, places["ours"], place, strict=True)])
        for name, place in places.items()
    }


def rounded(size: Sequence[float]) -> Window:
    width, height = size
    return round(width), round(height)


def read(page: Page, viewer: Viewer, figures: Figures) -> None:
    figures.first_slice_ms.append(page.evaluate("window.benchProbe.firstSliceAt"))
    figures.all_slices_ms.append(page.evaluate("window.benchProbe.allSlicesAt"))
    figures.javascript_bytes.append(gzipped_bytes(page.evaluate("window.benchProbe.scripts()")))
    viewer.show_overlay(page)
    scroll(page, -NOTCH)
    scrolled = scroll(page, NOTCH)
    frames, drawn = scrolled["frames"], scrolled["drawn"]
    figures.slices_per_s.append(1000 * len(drawn) / (drawn[-1] - frames[0]))
    count_frames(frames, figures)


def gzipped_bytes(urls: Sequence[str]) -> int:
    """The size of the scripts as they would come over a network."""
    with httpx.Client() as client:
        return sum(len(gzip.compress(client.get(url).raise_for_status().content)) for url in urls)


def scroll(page: Page, delta: int) -> Mapping[str, list[float]]:
    """The wheel is turned once through the whole stack. Raises: RuntimeError when no slice was drawn on the way."""
    x, y, width, height = page.evaluate("window.benchProbe.place()")
    asked = [x + width / 2, y + height / 2, SLICE_COUNT - 1, delta]
    scrolled: Mapping[str, list[float]] = page.evaluate("asked => window.benchProbe.scroll(asked)", asked)
    if not scrolled["drawn"]:
        raise RuntimeError(f"{SLICE_COUNT - 1} notches of the wheel drew no slice at {page.url.split('?', 1)[0]}")
    return scrolled


def count_frames(stamps: Sequence[float], figures: Figures) -> None:
    """Frames of the display that passed without one of the page are dropped ones."""
    periods = [max(1, round((later - earlier) * DISPLAY_HZ / 1000)) for earlier, later in pairwise(stamps)]
    figures.frames_dropped.append(sum(periods) - len(periods))
    figures.frames_kept.append(len(periods) / sum(periods))


def draw_empty(page: Page, figures: Figures) -> None:
    """How far the software renderer itself keeps up with the display, on this page."""
    count_frames(page.evaluate("count => window.benchProbe.redrawEmpty(count)", SLICE_COUNT - 1), figures)


def measure_strokes(
    browser: Browser, viewers: Mapping[str, Viewer], windows: Mapping[str, Window]
) -> Mapping[str, list[float]]:
    """Milliseconds of each point of each stroke, by viewer; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in viewers}
    for turn in range(WARM_UP_ROUNDS + STROKE_ROUNDS):
        for name, viewer in viewers.items():
            viewer.forget_edits()
            with opened(browser, viewer, viewer.editing_url, windows[name]) as page:
                viewer.take_brush(page)
                found = stroke(page)
            if turn >= WARM_UP_ROUNDS:
                times[name] += found
    print(f"viewer strokes: {times}", file=sys.stderr)
    return times


def stroke(page: Page) -> list[float]:
    """One stroke across the middle, watched at points so far apart that none is painted before its turn.

    Where it begins is not watched: OHIF paints there only once the pointer moves.
    """
    x, y, width, height = page.evaluate("window.benchProbe.place()")
    left = x + width / 2 - STROKE_STEP * STROKE_POINTS / 2
    begin, *points = [(round(left + STROKE_STEP * at), round(y + height / 2)) for at in range(STROKE_POINTS + 1)]
    page.mouse.move(*begin)
    page.mouse.down()
    times = []
    for point in points:
        page.evaluate("point => window.benchProbe.watchStroke(point)", point)
        page.mouse.move(*point)
        times.append(wait_for(page, "window.benchProbe.strokeMs"))
    page.mouse.up()
    return times


def opening_lines(ours: Figures, peer: Figures) -> Iterator[Line]:
    half = "at most half of OHIF's time"
    yield line("first_slice", ours.first_slice_ms, peer.first_slice_ms, unit="ms since navigation", goal=half)
    yield line("all_slices", ours.all_slices_ms, peer.all_slices_ms, unit="ms since navigation", goal=half)
    kilobytes = [[size / 1000 for size in figures.javascript_bytes] for figures in (ours, peer)]
    yield line("javascript", *kilobytes, unit="kB gzipped, before the first slice", goal="at most 1000 kB")


def scroll_lines(ours: Figures, peer: Figures, empty: Figures) -> Iterator[Line]:
    unit = f"slices drawn/s, scrolling {SLICE_COUNT} with overlay"
    rates = line("scroll", ours.slices_per_s, peer.slices_per_s, unit=unit, goal="at least OHIF's")
    yield rates | {"ratio": round(rates["value"] / rates["peer_value"], 2)}
    for name, other, of, goal in (
        ("scroll_dropped_frames", empty, EMPTY, "no more than the empty picture's"),
        ("scroll_dropped_frames_ohif", peer, PEER, "no more than OHIF's"),
    ):
        dropped = line(name, ours.frames_dropped, other.frames_dropped, unit="frames", goal=goal)
        kept = statistics.median(ours.frames_kept) / statistics.median(other.frames_kept)
        yield dropped | {"peer": of, "ratio": round(kept, 2)}


def stroke_line(times: Mapping[str, Sequence[float]]) -> Line:
    return line("brush", times["ours"], times["peer"], unit="ms, pointer to pixels", goal="under 50 ms")


def line(name: str, values: Sequence[float], peer_values: Sequence[float], *, unit: str, goal: str) -> Line:
    """A line of medians of which the smaller is the better."""
    value, peer_value = statistics.median(values), statistics.median(peer_values)
    return {
        "name": f"viewer_{name}",
        "value": round(value, 1),
        "unit": unit,
        "peer": PEER,
        "peer_value": round(peer_value, 1),
        "ratio": round(peer_value / value, 2) if value else 1.0,
        "goal": goal,
        "n": len(values),
    }
