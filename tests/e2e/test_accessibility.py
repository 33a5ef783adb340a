"""Every page can be read by a screen reader and told apart by eyes that see little contrast, dark and light."""

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pytest
from playwright.sync_api import Page

from tests.e2e.test_main_job import open_first_ready_study
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

RUN_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const targetsOf = nodes => nodes.map(({ target }) => target.join(" "));
  return violations.map(({ id, impact, nodes }) => ({ id, impact, targets: targetsOf(nodes) }));
}"""

# A colour on its way to another counts as contrast; what turns for ever is no transition.
TRANSITIONS_OVER = """async () => {
  const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const isPassing = animation => animation.effect?.getComputedTiming().endTime !== Infinity;
  for (await frame(); ; await frame()) {
    const passing = document.getAnimations().filter(isPassing);
    if (passing.length === 0) return;
    await Promise.all(passing.map(animation => animation.finished.catch(() => undefined)));
  }
}"""

# A reader's choice wins over the system's, on every page.
CHOOSE = "localStorage.setItem('plaqueview.appearance', JSON.stringify({state: {appearance: '%s'}, version: 0}))"


class Violation(TypedDict):
    id: str
    impact: str
    targets: list[str]


def grave_violations(page: Page) -> list[Violation]:
    """What axe-core calls serious or critical on the page as it is now."""
    page.evaluate(TRANSITIONS_OVER)
    found: list[Violation] = page.evaluate(RUN_AXE)
    return [violation for violation in found if violation["impact"] in {"serious", "critical"}]


@pytest.fixture(params=["dark", "light"])
def appearance(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def examined(stranger: Page, appearance: str) -> Page:
    """A page on which axe-core is there before the page's own scripts, which its policy does not see."""
    if not AXE.exists():
        pytest.skip("needs axe-core: npm ci in frontend/")
    stranger.add_init_script(AXE.read_text())
    stranger.add_init_script(CHOOSE % appearance)
    return stranger


@pytest.fixture
def reader(examined: Page, show_worklist: Callable[[Page, str], None]) -> Page:
    show_worklist(examined, "admin")
    return examined


def test_signing_in(demo: RunningDemo, examined: Page) -> None:
    examined.goto(demo.url)
    examined.get_by_label("Username").wait_for()

    assert grave_violations(examined) == []


def test_the_worklist(demo: RunningDemo, reader: Page) -> None:
    assert grave_violations(reader) == []

    reader.goto(f"{demo.url}/?view=in_review&search=nobody")
    reader.get_by_test_id("worklist-nothing").wait_for()
    assert grave_violations(reader) == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/models", "model-card"),
        ("/jobs", "job-row"),
        ("/keys", "key-line"),
        ("/account", "session-row"),
        ("/audit", "audit-row"),
        ("/cohort", "cohort-page"),
        ("/double-readings", "double-readings-page"),
        ("/nodes", "nodes-page"),
        ("/transfers", "transfers-page"),
        ("/training", "training-page"),
        ("/monitoring", "course"),
        ("/pacs", "pacs-page"),
        ("/nowhere", "not-found"),
    ],
)
def test_a_page_of_its_own(demo: RunningDemo, reader: Page, address: str, shown: str) -> None:
    reader.goto(demo.url + address)
    reader.get_by_test_id(shown).first.wait_for()

    assert grave_violations(reader) == []


def test_a_page_that_still_loads_says_so(demo: RunningDemo, reader: Page) -> None:
    reader.route("**/api/v1/double-readings*", lambda _: None)

    reader.goto(f"{demo.url}/double-readings")
    reader.get_by_role("status", name="Loading double readings").wait_for()

    assert grave_violations(reader) == []


def test_a_patient(demo: RunningDemo, reader: Page) -> None:
    with demo.api() as api:
        patient = api.get("/api/v1/patients").json()["results"][0]["id"]
    reader.goto(f"{demo.url}/patients/{patient}")
    # A second table, of the changes between visits, stands there once a follow-up was registered.
    reader.get_by_role("table").first.wait_for()

    assert grave_violations(reader) == []


def test_the_menu_of_a_user_and_a_key_that_two_commands_have(demo: RunningDemo, reader: Page) -> None:
    reader.get_by_test_id("user-menu").click()
    reader.get_by_test_id("open-keys").wait_for()
    assert grave_violations(reader) == []

    reader.get_by_test_id("open-keys").click()
    reader.locator("[data-command='lesion.next']").get_by_test_id("add-key").click()
    reader.keyboard.press("p")
    reader.get_by_test_id("key-conflicts").wait_for()
    found = grave_violations(reader)
    reader.get_by_test_id("reset-all-keys").click()
    reader.get_by_test_id("key-conflicts").wait_for(state="detached")
    assert found == []


def test_asking_for_a_double_reading(demo: RunningDemo, reader: Page) -> None:
    reader.goto(f"{demo.url}/double-readings")
    reader.get_by_test_id("new-double-reading").click()
    reader.get_by_test_id("double-reading-form").wait_for()

    assert grave_violations(reader) == []


def test_connecting_a_node_that_the_server_refuses(demo: RunningDemo, reader: Page) -> None:
    reader.goto(f"{demo.url}/nodes")
    reader.get_by_test_id("new-node").click()
    form = reader.get_by_test_id("node-form")
    form.get_by_role("button", name="Save").click()
    form.get_by_role("alert").wait_for()

    assert grave_violations(reader) == []


def test_the_study_page_with_each_of_its_parts(reader: Page) -> None:
    open_first_ready_study(reader)
    reader.keyboard.press("n")

    found = {"lesions": grave_violations(reader)}
    for part in ("review", "versions"):
        reader.get_by_test_id(f"part-{part}").click()
        found[part] = grave_violations(reader)
    reader.keyboard.press("?")
    reader.get_by_test_id("cheat-sheet").wait_for()
    found["keys"] = grave_violations(reader)
    reader.keyboard.press("Escape")
    reader.get_by_test_id("cheat-sheet").wait_for(state="detached")
    reader.keyboard.press("Shift+K")
    reader.get_by_test_id("thumbnail-strip").wait_for()
    found["strip"] = grave_violations(reader)
    reader.keyboard.press("Shift+K")

    assert {part: violations for part, violations in found.items() if violations} == {}
