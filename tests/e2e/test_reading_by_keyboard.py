"""A follow-up is read by keyboard alone, with as many keystrokes as docs/reading_by_keyboard.md counts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inference_worker.synthesis import SynthesisRequest, SyntheticPatient
from inference_worker.synthesis.demo_patients import DemoPatient, write_patient
from tests.e2e.browsing import READ_TIMEOUT_MS
from tests.e2e.test_main_job import wait_for_all_slices, wait_for_result
from tests.e2e.test_review import open_study
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

PATIENT = DemoPatient(
    SyntheticPatient("Synthetic^Keys", "SYN-KEYS", "19900203", "F"),
    SynthesisRequest(active_count=2, inactive_count=8, confluence=0.0),
    seed=11,
    visits=(("20230116", "090000", "SYNKEYS0001"), ("20240610", "090000", "SYNKEYS0002")),
)
PREPARED_TIMEOUT_S = 300
POLL_S = 0.25


@dataclass
class Keyboard:
    """The page's keyboard, counting."""

    page: Page
    count: int = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1


def answer_of(demo: RunningDemo, path: str) -> Any:  # Any: JSON
    with demo.api() as api:
        return api.get(f"/api/v1/{path}").raise_for_status().json()


@pytest.fixture(scope="module")
def follow_up(demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The newer of two visits, read by the network, registered to the older one, and assigned to the neurologist."""
    paths = write_patient(tmp_path_factory.mktemp("keys"), PATIENT)
    upload(demo, paths)
    studies = wait_for(lambda: ready_studies(demo))
    newest, prior = (study["id"] for study in sorted(studies, key=lambda study: study["study_date"], reverse=True))
    wait_for(lambda: is_registered(demo, newest, prior))
    with demo.api() as api:
        api.put(f"/api/v1/studies/{newest}/assignment", json={"reader": "neurologist"}).raise_for_status()
    return str(newest)


def upload(demo: RunningDemo, paths: list[Path]) -> None:
    parts = [("file", (f"{at}.dcm", path.read_bytes(), "application/dicom")) for at, path in enumerate(paths)]
    with demo.api("integrator") as api:
        api.post("/api/v1/uploads", files=parts).raise_for_status()


def ready_studies(demo: RunningDemo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer_of(demo, "studies?search=SYN-KEYS&state=ready")["results"]
    return found if len(found) == len(PATIENT.visits) else []


def is_registered(demo: RunningDemo, study: str, prior: str) -> bool:
    with demo.api() as api:
        return api.get(f"/api/v1/studies/{study}/changes", params={"prior": prior}).is_success


def wait_for(ask: Callable[[], Any]) -> Any:  # Any: whatever is asked for
    deadline = time.monotonic() + PREPARED_TIMEOUT_S
    while time.monotonic() < deadline:
        found = ask()
        if found:
            return found
        time.sleep(POLL_S)
    pytest.fail(f"the two visits were not read and registered within {PREPARED_TIMEOUT_S} s")


def test_a_follow_up_is_read_by_keyboard_alone(
    demo: RunningDemo, page: Page, follow_up: str, screenshot: Callable[[str], None]
) -> None:
    (prior,) = answer_of(demo, f"studies/{follow_up}")["priors"]
    open_study(page, demo, prior["id"])
    keyboard = Keyboard(page)

    keyboard.press("u")
    page.wait_for_url(f"**/studies/{follow_up}")
    page.locator("[data-testid=viewport-prior][data-drawn]").wait_for(timeout=READ_TIMEOUT_MS)
    wait_for_result(page)
    wait_for_all_slices(page)
    slice_count = look_through_slices(page, keyboard)
    change_count = look_at_changes(demo, page, keyboard, follow_up)
    screenshot("changes")
    lesion_count = judge_lesions(demo, page, keyboard, follow_up)
    screenshot("judged")
    keyboard.press("Control+Enter")
    expect(page.get_by_test_id("submit-review")).to_be_focused(timeout=READ_TIMEOUT_MS)
    keyboard.press("Enter")
    expect(page.get_by_test_id("review-status")).to_have_attribute("data-state", "submitted", timeout=READ_TIMEOUT_MS)
    keyboard.press("Control+Enter")
    expect(page.get_by_test_id("approve")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_test_id("review-status")).to_have_attribute("data-state", "approved", timeout=READ_TIMEOUT_MS)
    screenshot("approved")

    said = answer_of(demo, f"studies/{follow_up}")
    kinds = [statement["kind"] for statement in annotation_of(demo, said)["statements"]]
    assert said["state"] == "approved"
    assert sorted(kinds) == sorted(["reclassified", "false_positive", *["confirmed"] * (lesion_count - 2)])
    assert keyboard.count == slice_count + change_count + 3 * lesion_count + 6


def annotation_of(demo: RunningDemo, study: dict[str, Any]) -> Any:  # Any: JSON
    return answer_of(demo, f"annotations/{study['annotation']['id']}")


def look_through_slices(page: Page, keyboard: Keyboard) -> int:
    """Every slice of the study has been on the screen, with that of the prior beside it."""
    indicator = page.get_by_test_id("slice-indicator")
    slice_count = int(indicator.inner_text().split(" / ")[1])
    keyboard.press("Home", *["ArrowDown"] * (slice_count - 1))
    expect(indicator).to_have_text(f"{slice_count} / {slice_count}")
    return slice_count


def look_at_changes(demo: RunningDemo, page: Page, keyboard: Keyboard, study: str) -> int:
    """What changed since the prior was shown, one after the other."""
    (prior,) = answer_of(demo, f"studies/{study}")["priors"]
    changes = answer_of(demo, f"studies/{study}/changes?prior={prior['id']}")["changes"]
    on_or_off = page.get_by_role("button", name="Changes since the prior on or off")
    expect(on_or_off).to_have_attribute("aria-disabled", "false")
    keyboard.press("Shift+C")
    page.get_by_test_id("change-legend").wait_for(timeout=READ_TIMEOUT_MS)
    keyboard.press(*["Shift+N"] * len(changes), "Shift+C")
    return len(changes)


def judge_lesions(demo: RunningDemo, page: Page, keyboard: Keyboard, study: str) -> int:
    """The first lesion is turned to the other class, the second is none, the others are confirmed by the prior."""
    count: int = answer_of(demo, f"studies/{study}/lesions")["count"]
    keyboard.press("Escape", "n", "t", "n")
    answer(page, keyboard, "x", "1")
    for at in range(count - 2):
        if at > 0:
            keyboard.press("n")
        answer(page, keyboard, "c", "2")
    expect(page.get_by_test_id("draft-status")).to_have_attribute("data-save", "saved", timeout=READ_TIMEOUT_MS)
    return count


def answer(page: Page, keyboard: Keyboard, question: str, number: str) -> None:
    """The key asks something about the lesion, and the number answers."""
    dialog = page.get_by_test_id("lesion-question")
    keyboard.press(question)
    expect(dialog.get_by_role("button").first).to_be_focused(timeout=READ_TIMEOUT_MS)
    keyboard.press(number)
    dialog.wait_for(state="detached")
