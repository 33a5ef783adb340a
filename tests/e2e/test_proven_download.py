"""What leaves the house is given to whoever has just shown that it is them, and not to a session left open."""

import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


def test_a_study_for_research_is_downloaded_with_the_password(demo: RunningDemo, colleague: Page) -> None:
    page = colleague
    with demo.api("admin") as api:
        study = api.get("/api/v1/studies", params={"page_size": 1}).json()["results"][0]["id"]
    address = f"{demo.url}/api/v1/studies/{study}/deidentified.zip"
    page.goto(f"{demo.url}/studies/{study}")
    assert page.request.get(address).json()["code"] == "reauthentication_needed"

    page.get_by_role("button", name="Download de-identified").click()
    page.get_by_label("Your password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Incorrect password.")
    page.get_by_label("Your password").fill(demo.credentials["admin"]["password"])
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")

    download = waiting.value
    assert download.suggested_filename == f"study-{study}-deidentified.zip"
    with zipfile.ZipFile(download.path()) as archive:
        assert archive.testzip() is None
        assert any(name.endswith(".dcm") for name in archive.namelist())
    expect(page.get_by_test_id("proven-download")).to_be_hidden()
