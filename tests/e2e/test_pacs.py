"""A reader searches every node, fetches a study, and opens it; its prior comes by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.bench.support_orthanc import running_orthanc
from tests.pacs.peers import needs_orthanc
from tests.running_demo import RunningDemo
from tests.studies.dicom_files import encoded, series

pytestmark = [pytest.mark.browser, pytest.mark.peers]


@needs_orthanc
def test_a_study_is_found_at_a_node_and_fetched(
    demo: RunningDemo, page: Page, screenshot: Callable[[str], None], tmp_path: Path
) -> None:
    with running_orthanc(tmp_path) as orthanc, demo.api("admin") as api:
        for dataset in series(4, patient_id="PACS-1", PatientName="Kranjc^Iva"):
            assert orthanc.post("/instances", content=encoded(dataset)).is_success
        for dataset in series(4, patient_id="PACS-1", PatientName="Kranjc^Iva", StudyDate="20220107"):
            assert orthanc.post("/instances", content=encoded(dataset)).is_success
        url = f"{str(orthanc.base_url).rstrip('/')}/dicom-web"
        setup = {"name": "Archive", "kind": "dicomweb", "url": url, "prior_count": 1}
        assert api.post("/api/v1/nodes", json=setup).status_code == 201
        away = {"name": "Away", "kind": "dicomweb", "url": "http://127.0.0.1:9/dicom-web"}
        away_id = api.post("/api/v1/nodes", json=away).json()["id"]

        page.get_by_test_id("upload-button").click()
        page.get_by_test_id("open-pacs").click()
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("is needed")
        page.get_by_label("Patient ID").fill("PACS-1")
        page.get_by_role("button", name="Search", exact=True).click()
        away_answer = page.get_by_label("Studies at Away")
        expect(away_answer.get_by_role("alert")).to_contain_text("Away could not be asked")
        expect(away_answer.get_by_role("alert")).to_contain_text("the connection was refused")
        expect(page.get_by_label("Studies at Archive").get_by_test_id("remote-study")).to_have_count(2)
        expect(page.get_by_test_id("pacs-count")).to_have_text("2 studies")
        screenshot("every-node")
        away_answer.get_by_role("button", name="Try again").press("Enter")
        expect(away_answer).to_be_focused()
        page.get_by_label("Node", exact=True).select_option("Archive")
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.get_by_test_id("node-answer")).to_have_count(1)
        row = page.get_by_test_id("remote-study").first
        expect(row).to_contain_text("Not here")
        row.get_by_role("button", name="Fetch", exact=True).click()
        expect(row.get_by_test_id("fetch-state")).to_have_attribute("data-state", "done")
        expect(row).to_contain_text("4 instances: 4 new, by WADO-RS.")
        assert "PACS-1" not in page.url
        assert api.delete(f"/api/v1/nodes/{away_id}").status_code == 204

        row.get_by_role("link", name="Open the study").click()
        page.wait_for_url("**/studies/**")
        expect(page.get_by_test_id("priors").get_by_role("link")).to_have_text("07 Jan 2022")
