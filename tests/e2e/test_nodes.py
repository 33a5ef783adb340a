"""An administrator connects a node, asks whether it answers, and takes it away again."""

import socket

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import open_administration
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.browser


def closed_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_a_node_that_nobody_answers_for_says_so_in_words(demo: RunningDemo, colleague: Page) -> None:
    page, port = colleague, closed_port()
    open_administration(page, "Nodes")
    page.get_by_test_id("new-node").click()
    form = page.get_by_test_id("node-form")
    form.get_by_label("Name", exact=True).fill("Closed archive")
    form.get_by_label("Host", exact=True).fill("127.0.0.1")
    form.get_by_label("Port", exact=True).fill(str(port))

    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("needed for a DIMSE node", exact=True)).to_be_visible()
    expect(form.get_by_label("AE title", exact=True)).to_be_focused()
    page.keyboard.type("CLOSED")
    form.get_by_role("button", name="Save").click()

    row = page.get_by_test_id("node-row").filter(has_text="Closed archive")
    expect(row.get_by_role("cell").nth(1)).to_have_text(f"127.0.0.1:{port}")
    expect(row.get_by_test_id("last-echo")).to_have_text("Never asked")
    row.get_by_test_id("echo").click()
    expect(row.get_by_test_id("last-echo")).to_contain_text("Cannot be reached")
    expect(row.get_by_test_id("last-echo")).to_contain_text("the connection was refused; nothing listens there.")

    row.get_by_role("button", name="Edit Closed archive").click()
    page.get_by_test_id("delete-node").click()
    page.get_by_test_id("confirm").click()
    expect(row).to_have_count(0)
    with demo.api("admin") as api:
        assert "Closed archive" not in {node["name"] for node in api.get("/api/v1/nodes").json()["results"]}
