"""An administrator connects a receiver, is shown its secret once, and sees what it answers."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import open_administration
from tests.inference.processes import wait_until
from tests.running_demo import RunningDemo
from tests.webhooks.receiver import running_receiver

pytestmark = pytest.mark.browser


def test_a_receiver_is_connected_tested_and_told_once_more(demo: RunningDemo, colleague: Page, tmp_path: Path) -> None:
    page = colleague
    with running_receiver(tmp_path, 204) as receiver:
        open_administration(page, "Webhooks")
        page.get_by_test_id("new-webhook").click()
        form = page.get_by_test_id("webhook-form")
        form.get_by_label("Name", exact=True).fill("Integration engine")
        form.get_by_label("Address", exact=True).fill(receiver.url.replace("https", "http"))
        form.get_by_label("Certificates that it is trusted by").fill(receiver.certificate)
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_text("needs https:// and a host", exact=True)).to_be_visible()
        form.get_by_label("Address", exact=True).fill(receiver.url)
        form.get_by_role("button", name="Save").click()
        receiver.secret = page.get_by_test_id("secret").inner_text()
        page.get_by_role("button", name="Done").click()

        page.get_by_role("button", name="Test Integration engine").click()
        row = page.get_by_test_id("delivery-row")
        expect(row).to_have_attribute("data-state", "delivered")
        expect(row).to_contain_text("HTTP 204 No Content.")
        row.get_by_role("button", name="Redeliver").click()
        wait_until(lambda: len(receiver.messages) == 2, what="the message comes a second time")
        expect(row).to_have_attribute("data-state", "delivered")

    assert len({message.id for message in receiver.messages}) == 1
    assert [message.event and message.event["type"] for message in receiver.messages] == ["webhook.tested"] * 2
    page.get_by_role("button", name="Edit Integration engine").click()
    page.get_by_test_id("delete-webhook").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("webhook-row")).to_have_count(0)
